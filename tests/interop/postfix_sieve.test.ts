/**
 * Sieve with a real Postfix around it: it hands messages over by LMTP, and takes what scripts forward, answer and refuse, by SMTP
 * and by its `sendmail` program. What leaves ends at a server that keeps it.
 */

import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { succeed } from '../harness/command.ts';
import { fetched } from '../harness/imap.ts';
import { freePorts } from '../harness/ports.ts';
import { activateScript } from '../harness/managesieve.ts';
import { mailstoreCommand, TestStore } from '../harness/server.ts';
import { SmtpSink } from '../harness/smtpsink.ts';
import { Postfix } from './postfix_server.ts';

let store: TestStore;
let postfix: Postfix;
let sink: SmtpSink;
let serial = 0;

beforeAll(async () => {
  sink = await SmtpSink.start();
  const [smtp = 0] = await freePorts(1);
  store = await TestStore.start({
    users: ['django', 'inge'],
    config: {
      'services.notify': {},
      smtp: { host: `"127.0.0.1:${smtp}"` },
      mailbox: { defaultdomain: '"nausch.org"', virtdomains: '"userid"' },
    },
  });
  for (const user of ['django', 'inge']) await (await store.login(user)).logout();
  postfix = await Postfix.start({
    main: 'mydestination = nausch.org\n' +
      `mailbox_transport = lmtp:unix:${store.lmtpSocket}\n` +
      // Everything else leaves for the sink.
      `default_transport = smtp:[127.0.0.1]:${sink.port}\n`,
    master: `127.0.0.1:${smtp} inet n - n - - smtpd\n`,
  });
});

afterAll(async () => {
  await postfix?.dispose();
  await store?.dispose();
  await sink?.stop();
});

beforeEach(() => sink.clear());

const script = (user: string, text: string): Promise<void> => activateScript(store, user, text);

/** Submits a message to Postfix as a stranger's server does; its Message-ID. */
async function submit(
  recipient: string,
  body = 'Hello\r\n',
  options: readonly string[] = [],
): Promise<string> {
  const id = `<${++serial}@sieve.example.org>`;
  const file = join(store.dir, `letter-${serial}`);
  writeFileSync(
    file,
    `From: Anna <anna@example.net>\r\nTo: ${recipient}\r\nSubject: letter ${serial}\r\nMessage-ID: ${id}\r\n` +
      `Date: Mon, 20 Feb 2012 18:28:19 +0100\r\n\r\n${body}`.slice(0, -2),
  );
  await succeed('swaks', [
    ...['--server', '127.0.0.1', '--port', String(postfix.port), '--silent', '3'],
    ...['--from', 'anna@example.net', '--to', recipient, '--data', `@${file}`, ...options],
  ]);
  return id;
}

async function inbox(user: string): Promise<string[]> {
  const client = await store.login(user);
  await client.ok('SELECT INBOX');
  const all = fetched(await client.ok('FETCH 1:* (UID BODY.PEEK[])'));
  await client.logout();
  return all.map(({ body }) => body?.toString('latin1') ?? '');
}

test('vacation: the message is delivered, and answered through Postfix, once', async () => {
  await script('django', 'require "vacation"; vacation :subject "Away" "I am away.";');
  const id = await submit('django@nausch.org');
  await postfix.outcome(id, 'sent');
  const [reply] = await sink.until(1);
  expect(reply?.mail).toStartWith('MAIL FROM:<>');
  expect(reply?.rcpts).toEqual([expect.stringMatching(/^RCPT TO:<anna@example\.net>/)]);
  expect(reply?.data).toContain('From: django@nausch.org\r\nTo: anna@example.net\r\nSubject: Away\r\n');
  expect(reply?.data).toContain(`In-Reply-To: ${id}\r\n`);
  expect(reply?.data).toContain('Auto-Submitted: auto-replied (vacation)\r\n');
  const second = await submit('django@nausch.org');
  await postfix.outcome(second, 'sent');
  const third = await submit('inge@nausch.org');
  await postfix.outcome(third, 'sent');
  expect(sink.messages.length).toBe(1);
  expect((await inbox('django')).filter((text) => text.includes('@sieve.example.org>')).length).toBe(2);
});

test('redirect goes through the queue with the sender as it was; nothing is kept here', async () => {
  await script('inge', 'redirect "michael@elsewhere.example";');
  const before = (await inbox('inge')).length;
  const id = await submit('inge@nausch.org', '.\r\n..dots\r\nend\r\n');
  await postfix.outcome(id, 'sent');
  const [forwarded] = await sink.until(1);
  expect(forwarded?.mail).toStartWith('MAIL FROM:<anna@example.net>');
  expect(forwarded?.rcpts[0]).toStartWith('RCPT TO:<michael@elsewhere.example>');
  expect(forwarded?.data).toContain('X-Sieve-Redirected-From: inge@nausch.org\r\n');
  expect(forwarded?.data).not.toContain('Return-Path:');
  expect(forwarded?.data).toEndWith('\r\n\r\n.\r\n..dots\r\nend\r\n');
  expect((await inbox('inge')).length).toBe(before);
  await store.logged(/sieve="redirect michael@elsewhere\.example"/);
});

test('while the MTA takes no forwards the message waits in its queue, and is forwarded once', async () => {
  await script('inge', 'redirect "later@elsewhere.example";');
  await postfix.reload(
    'mydestination = nausch.org\n' + `mailbox_transport = lmtp:unix:${store.lmtpSocket}\n` +
      `default_transport = smtp:[127.0.0.1]:${sink.port}\n` +
      'smtpd_recipient_restrictions = check_recipient_access inline:{ {later@elsewhere.example = 450 not now} }, permit\n',
  );
  const id = await submit('inge@nausch.org');
  const { line } = await postfix.outcome(id, 'deferred');
  expect(line).toContain('451 4.3.0 ');
  await postfix.reload(
    'mydestination = nausch.org\n' + `mailbox_transport = lmtp:unix:${store.lmtpSocket}\n` +
      `default_transport = smtp:[127.0.0.1]:${sink.port}\n`,
  );
  await postfix.flush();
  await postfix.outcome(id, 'sent');
  const [forwarded] = await sink.until(1);
  expect(forwarded?.rcpts[0]).toStartWith('RCPT TO:<later@elsewhere.example>');
});

test('reject is a bounce of Postfix with the reason in it', async () => {
  await script(
    'inge',
    'require "reject"; reject text:\r\nI am not taking mail from you,\r\nand no birdseed either!\r\n.\r\n;',
  );
  const before = (await inbox('inge')).length;
  const id = await submit('inge@nausch.org');
  const { line } = await postfix.outcome(id, 'bounced');
  expect(line).toContain('dsn=5.7.1');
  expect(line).toContain('550-5.7.1 I am not taking mail from you, 550 5.7.1 and no birdseed either!');
  const [bounce] = await sink.until(1);
  expect(bounce?.mail).toStartWith('MAIL FROM:<>');
  expect(bounce?.data).toContain('no birdseed either!');
  expect((await inbox('inge')).length).toBe(before);
});

test('a reason beyond ASCII comes by mail', async () => {
  await script('inge', 'require "reject"; reject "Kein Körnerfutter, bitte";');
  const id = await submit('inge@nausch.org');
  await postfix.outcome(id, 'sent');
  const [report] = await sink.until(1);
  expect(report?.rcpts[0]).toStartWith('RCPT TO:<anna@example.net>');
  expect(report?.data).toContain('Kein K=C3=B6rnerfutter, bitte');
  expect(report?.data).toContain('Disposition: automatic-action/MDN-sent-automatically; deleted\r\n');
});

test('a sender who wants a report gets it from here: LMTP has taken it over', async () => {
  await script('inge', 'keep;');
  await succeed('sendmail', [
    ...['-C', postfix.config, '-i', '-f', 'anna@example.net', '-N', 'success,failure', '-V', 'envelope-1'],
    'inge@nausch.org',
  ], {
    input: 'From: anna@example.net\nTo: inge@nausch.org\nMessage-ID: <dsn@x>\nSubject: report\n\nHello\n',
  });
  await postfix.outcome('<dsn@x>', 'sent');
  const [report] = await sink.until(1);
  expect(report?.data).toContain('Action: delivered\r\n');
  expect(report?.data).toContain('Original-Envelope-Id: envelope-1\r\n');
});

test('notify: a mailto URI with names, and what scripts of Cyrus have, are mail through Postfix', async () => {
  await script(
    'inge',
    `require ["enotify", "imap4flags"]; keep;
     notify :importance "1" :message "Grüße" "mailto:%22Phone%2C%20my%22%20%3Cphone@elsewhere.example%3E?body=Look!";`,
  );
  await postfix.outcome(await submit('inge@nausch.org'), 'sent');
  const [told] = await sink.until(1);
  expect(told?.rcpts[0]).toStartWith('RCPT TO:<phone@elsewhere.example>');
  expect(told?.data).toContain('To: "Phone, my" <phone@elsewhere.example>\r\n');
  expect(told?.data).toContain('Auto-Submitted: auto-notified; owner-email="inge@nausch.org"\r\n');
  expect(told?.data).toContain('Importance: high\r\n');
  expect(told?.data).toEndWith('\r\n\r\nLook!\r\n');
  sink.clear();
  await script(
    'inge',
    'require "notify"; notify :method "mailto" :options "pager@elsewhere.example" :message "$subject$";',
  );
  await postfix.outcome(await submit('inge@nausch.org'), 'sent');
  const [paged] = await sink.until(1);
  expect(paged?.rcpts[0]).toStartWith('RCPT TO:<pager@elsewhere.example>');
  expect(paged?.data).toEndWith(`\r\n\r\nletter ${serial}\r\n`);
});

test("notifyd's method mailto hands its message to Postfix", async () => {
  const [program = '', ...before] = mailstoreCommand();
  await succeed(program, [
    ...[...before, 'notifytest', '--config', store.configFile, '-n', 'mailto', '-t', 'the disk is full'],
    'admin@elsewhere.example',
  ]);
  const [alert] = await sink.until(1);
  expect(alert?.mail).toStartWith('MAIL FROM:<>');
  expect(alert?.rcpts[0]).toStartWith('RCPT TO:<admin@elsewhere.example>');
  expect(alert?.data).toContain('From: Mail Sieve Subsystem <postmaster@');
  expect(alert?.data).toEndWith('\r\n\r\nthe disk is full\r\n');
});

test('a script that fails keeps every message, and its owner reads why, once', async () => {
  await script(
    'inge',
    'require "ihave";\nif header :contains "subject" "letter" { error "on purpose"; }\ndiscard;',
  );
  const before = (await inbox('inge')).length;
  const ids = [await submit('inge@nausch.org'), await submit('inge@nausch.org')];
  for (const id of ids) await postfix.outcome(id, 'sent');
  const added = (await inbox('inge')).slice(before);
  const notices = added.filter((text) => text.includes('Subject: Error in your Sieve script\r\n'));
  expect(added.length).toBe(3);
  expect(notices.length).toBe(1);
  expect(notices[0]).toContain('line 2, column 42: on purpose');
  for (const id of ids) expect(added.filter((text) => text.includes(`Message-ID: ${id}\r\n`)).length).toBe(1);
});

test('by the sendmail program: what it is given on its standard input is in the queue', async () => {
  await script('django', 'require "copy"; redirect :copy "program@elsewhere.example";');
  await store.stop();
  const wrapper = join(store.dir, 'sendmail');
  writeFileSync(wrapper, '#!/bin/sh\necho no mail system\nexit 75\n', { mode: 0o755 });
  const config = readFileSync(store.configFile, 'utf8');
  writeFileSync(
    store.configFile,
    config.replace('[smtp]\n', `[smtp]\nbackend = "sendmail"\nsendmail = "${wrapper}"\n`),
  );
  await store.run();
  const id = await submit('django@nausch.org');
  // A program that fails loses nothing: the message waits where it was.
  await postfix.outcome(id, 'deferred');
  expect(sink.messages.length).toBe(0);
  writeFileSync(wrapper, `#!/bin/sh\nexec /usr/sbin/sendmail -C ${postfix.config} "$@"\n`, { mode: 0o755 });
  await postfix.flush();
  await postfix.outcome(id, 'sent');
  const [forwarded] = await sink.until(1);
  expect(forwarded?.mail).toStartWith('MAIL FROM:<anna@example.net>');
  expect(forwarded?.rcpts[0]).toStartWith('RCPT TO:<program@elsewhere.example>');
});
