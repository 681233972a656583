/**
 * Debian's Postfix hands mail over in the three ways of the how-to: the unix socket, a transport to host and port, the
 * `deliver` pipe. Each message is followed from Postfix's log to ours and read back by a client to the byte.
 */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, succeed } from '../harness/command.ts';
import { mailstoreCommand, PASSWORD, TestStore } from '../harness/server.ts';
import { Postfix } from './postfix_server.ts';

const DOMAINS = 'mydestination = nausch.org\n' +
  'relay_domains = texthash:$config_directory/relay_domains\n' +
  'transport_maps = texthash:$config_directory/relay_domains\n' +
  'cyrus_destination_recipient_limit = 1\n';

let store: TestStore;
let postfix: Postfix;

beforeAll(async () => {
  store = await TestStore.start({
    users: ['django', 'inge@omni128.de'],
    config: { mailbox: { virtdomains: '"on"', defaultdomain: '"nausch.org"', createonpost: 'false' } },
  });
  // The first login creates a mailbox, as the how-to's autocreate does.
  await (await store.login('django')).logout();
  await (await store.login('inge@omni128.de')).logout();
  postfix = await Postfix.start({
    main: `${DOMAINS}mailbox_transport = lmtp:unix:${store.lmtpSocket}`,
    // The how-to's line with our program; ours runs as a user who may open the socket.
    master: 'cyrus unix - n n - - pipe\n' +
      `  user=nobody argv=${
        mailstoreCommand().join(' ')
      } deliver -c ${store.configFile} -e -r \${sender} -m \${extension} \${user}`,
    tables: { relay_domains: `omni128.de lmtp:[127.0.0.1]:${store.ports.lmtp}\n` },
  });
});

afterAll(async () => {
  await postfix?.dispose();
  await store?.dispose();
});

function message(number: number): string {
  return 'From: michael@nausch.org\r\n' +
    'To: somebody@example.org\r\n' +
    `Subject: number ${number}\r\n` +
    'Date: Mon, 20 Feb 2012 18:28:19 +0100\r\n' +
    `Message-ID: <${number}@postfix.example.org>\r\n` +
    'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n' +
    '\r\n' +
    '.\r\n..\r\n.hidden\r\nFrom here\r\nGr\xfc\xdfe \r\n\r\n' + `${'long '.repeat(150)}\r\n` + 'last\r\n';
}

async function submit(number: number, recipient: string): Promise<void> {
  const file = join(store.dir, `message-${number}`);
  writeFileSync(file, message(number), 'latin1');
  await succeed('swaks', [
    ...['--server', '127.0.0.1', '--port', String(postfix.port), '--silent', '3'],
    ...['--from', 'michael@nausch.org', '--to', recipient, '--data', `@${file}`],
  ]);
}

/** The lines of our log about a message Postfix calls so. */
function traced(queueId: string): string[] {
  return store.log.split('\n').filter((line) => line.includes(`client_queueid=${queueId} `));
}

async function readByCurl(folder: string): Promise<string> {
  const place = `imap://127.0.0.1:${store.ports.imap}/${folder};MAILINDEX=*`;
  return (await succeed('curl', ['--silent', '--show-error', '-u', `django:${PASSWORD}`, place])).stdout;
}

test('mailbox_transport over the unix socket', async () => {
  await submit(1, 'django@nausch.org');
  const { queueId, line } = await postfix.outcome('<1@postfix.example.org>', 'sent');
  const [ours = ''] = traced(queueId);
  expect(ours).toContain('msg=delivered');
  expect(ours).toContain(
    'rcpt=django@nausch.org msgid=<1@postfix.example.org> user=django folder=INBOX uid=1',
  );
  expect(line).toContain(`(250 2.1.5 Ok id=${/ queueid=(\S+)/.exec(ours)?.[1]})`);
  const stored = await readByCurl('INBOX');
  expect(stored).toEndWith(message(1));
  expect(stored).toStartWith(
    'Return-Path: <michael@nausch.org>\r\nReceived: from mx.example.org (unix socket)\r\n' +
      '\tby imap.example.org with LMTP id ',
  );
});

test('a transport to host and port, submitted by sendmail', async () => {
  const args = ['-C', postfix.config, '-f', 'michael@nausch.org', 'inge@omni128.de'];
  const text = message(2).replaceAll('\r\n', '\n');
  await succeed('sendmail', ['-i', ...args], { input: text });
  await postfix.outcome('<2@postfix.example.org>', 'sent');
  const reader = join(import.meta.dir, 'imaplib_read.py');
  const args2 = [reader, String(store.ports.imap), 'inge@omni128.de', PASSWORD];
  const { stdout } = await succeed('python3', args2);
  expect(stdout).toEndWith(message(2));
  expect(stdout).toContain('Received: from mx.example.org ([127.0.0.1])\r\n');
});

test('a user nobody knows is bounced by Postfix with our reason', async () => {
  await submit(3, 'nobody-here@nausch.org');
  const { line } = await postfix.outcome('<3@postfix.example.org>', 'bounced');
  expect(line).toContain('dsn=5.1.1');
  expect(line).toContain('550 5.1.1 User unknown');
});

test('while the store is down mail waits in the queue, and comes when it is back', async () => {
  await store.stop();
  await submit(4, 'django@nausch.org');
  await postfix.outcome('<4@postfix.example.org>', 'deferred');
  await store.run();
  await postfix.flush();
  await postfix.outcome('<4@postfix.example.org>', 'sent');
  expect(await readByCurl('INBOX')).toEndWith(message(4));
});

test('the deliver pipe of master.cf, with and without an extension', async () => {
  await postfix.reload(`${DOMAINS}mailbox_transport = cyrus`);
  const client = await store.login('django');
  await client.ok('CREATE Lists');
  await client.ok('SETACL Lists anyone p').catch(() => undefined);
  await submit(5, 'django@nausch.org');
  const { line } = await postfix.outcome('<5@postfix.example.org>', 'sent');
  expect(line).toContain('relay=cyrus');
  const stored = await readByCurl('INBOX');
  expect(stored).toEndWith(message(5));
  expect(stored).toStartWith('Return-Path: <michael@nausch.org>\r\n');
  await submit(6, 'django+Lists@nausch.org');
  await postfix.outcome('<6@postfix.example.org>', 'sent');
  const selected = await client.ok('STATUS INBOX (MESSAGES)');
  expect(selected.untagged.map(({ text }) => text).join()).toContain('MESSAGES');
  await client.logout();
});

test('the deliver pipe tells Postfix why: bounced for good, deferred for later', async () => {
  await submit(7, 'nobody-here@nausch.org');
  const bounced = await postfix.outcome('<7@postfix.example.org>', 'bounced');
  expect(bounced.line).toContain('dsn=5.1.1');
  expect(bounced.line).toContain('nobody-here: User unknown');
  await store.stop();
  await submit(8, 'django@nausch.org');
  const deferred = await postfix.outcome('<8@postfix.example.org>', 'deferred');
  expect(deferred.line).toContain('no connection to LMTP');
  await store.run();
  await postfix.flush();
  await postfix.outcome('<8@postfix.example.org>', 'sent');
});
