/**
 * Debian's Postfix hands mail over in the three ways of the how-to: the unix socket, a transport to host and port, the
 * `deliver` pipe. Each message is followed from Postfix's log to ours and read back by a client to the byte.
 */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { succeed } from '../harness/command.ts';
import { fetched } from '../harness/imap.ts';
import { mailstoreCommand, PASSWORD, TestStore } from '../harness/server.ts';
import { Postfix } from './postfix_server.ts';

const DOMAINS = 'mydestination = nausch.org\n' +
  'relay_domains = texthash:$config_directory/relay_domains\n' +
  'transport_maps = texthash:$config_directory/relay_domains\n' +
  'cyrus_destination_recipient_limit = 1\n';

const USERS = [
  'django',
  'inge@omni128.de',
  'anna@wetterstation-pliening.info',
  'maria@ebersberger-liedersammlung.de',
];

let store: TestStore;
let postfix: Postfix;

beforeAll(async () => {
  store = await TestStore.start({
    users: USERS,
    // Who comes from 127.0.0.2 is a stranger and must authenticate.
    config: {
      lmtp: { trusted_networks: '["127.0.0.1"]' },
      mailbox: { virtdomains: '"on"', defaultdomain: '"nausch.org"', createonpost: 'false' },
    },
  });
  // The first login creates a mailbox, as the how-to's autocreate does.
  for (const user of USERS) await (await store.login(user)).logout();
  // The pipe runs as a user of its own, who reads the configuration; there is no secret in this one.
  chmodSync(store.configFile, 0o644);
  postfix = await Postfix.start({
    main: `${DOMAINS}mailbox_transport = lmtp:unix:${store.lmtpSocket}`,
    // The how-to's line with our program; ours runs as a user who may open the socket.
    master: 'lmtptls unix - - n - - lmtp -o lmtp_tls_security_level=encrypt\n' +
      'lmtpauth unix - - n - - lmtp -o lmtp_tls_security_level=encrypt -o lmtp_bind_address=127.0.0.2\n' +
      '  -o lmtp_sasl_auth_enable=yes -o lmtp_sasl_password_maps=texthash:$config_directory/sasl_passwd\n' +
      '  -o lmtp_sasl_security_options=noanonymous\n' +
      'cyrus unix - n n - - pipe\n' +
      `  user=nobody argv=${
        mailstoreCommand().join(' ')
      } deliver -c ${store.configFile} -e -r \${sender} -m \${extension} \${user}`,
    tables: {
      relay_domains: `omni128.de lmtp:[127.0.0.1]:${store.ports.lmtp}\n` +
        `wetterstation-pliening.info lmtptls:[127.0.0.1]:${store.ports.lmtp}\n` +
        `ebersberger-liedersammlung.de lmtpauth:[127.0.0.1]:${store.ports.lmtp}\n`,
      sasl_passwd: `[127.0.0.1]:${store.ports.lmtp} django:${PASSWORD}\n`,
    },
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
  // swaks ends the last line itself.
  writeFileSync(file, message(number).slice(0, -2), 'latin1');
  await succeed('swaks', [
    ...['--server', '127.0.0.1', '--port', String(postfix.port), '--silent', '3'],
    ...['--from', 'michael@nausch.org', '--to', recipient, '--data', `@${file}`],
  ]);
}

/** The line of our log about a message Postfix calls so; it is written a moment after the reply. */
async function traced(queueId: string): Promise<string> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const found = store.log.split('\n').find((line) => line.includes(` client_queueid=${queueId} `));
    if (found !== undefined) return found;
    await sleep(10);
  }
  throw new Error(`${queueId} is not in the log:\n${store.log}`);
}

async function readByCurl(folder: string): Promise<string> {
  const place = `imap://127.0.0.1:${store.ports.imap}/${folder};MAILINDEX=*`;
  return (await succeed('curl', ['--silent', '--show-error', '-u', `django:${PASSWORD}`, place])).stdout;
}

/** The newest message of a user. */
async function newestOf(user: string): Promise<string> {
  const client = await store.login(user);
  await client.ok('SELECT INBOX');
  const [stored] = fetched(await client.ok('FETCH * (UID FLAGS BODY.PEEK[])'));
  await client.logout();
  return stored?.body?.toString('latin1') ?? '';
}

test('mailbox_transport over the unix socket', async () => {
  await submit(1, 'django@nausch.org');
  const { queueId, line } = await postfix.outcome('<1@postfix.example.org>', 'sent');
  const ours = await traced(queueId);
  expect(ours).toContain('msg=delivered');
  expect(ours).toContain(
    'rcpt=django@nausch.org message-id=<1@postfix.example.org> user=django folder=INBOX uid=1',
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
  const envelope = ['-f', 'michael@nausch.org', 'inge@omni128.de'];
  const input = message(2).replaceAll('\r\n', '\n');
  await succeed('sendmail', ['-C', postfix.config, '-i', ...envelope], { input });
  await postfix.outcome('<2@postfix.example.org>', 'sent');
  const reader = join(import.meta.dir, 'imaplib_read.py');
  const account = [String(store.ports.imap), 'inge@omni128.de', PASSWORD];
  const { stdout } = await succeed('python3', [reader, ...account]);
  expect(stdout).toEndWith(message(2));
  expect(stdout).toContain('Received: from mx.example.org ([127.0.0.1])\r\n');
});

test('a transport that insists on TLS', async () => {
  await submit(10, 'anna@wetterstation-pliening.info');
  await postfix.outcome('<10@postfix.example.org>', 'sent');
  const text = await newestOf('anna@wetterstation-pliening.info');
  expect(text).toEndWith(message(10));
  expect(text).toMatch(/\(using TLSv1\.3 with cipher \S+\)\r\n\tby imap\.example\.org with LMTPS id /);
});

test('a stranger authenticates over TLS', async () => {
  await submit(11, 'maria@ebersberger-liedersammlung.de');
  await postfix.outcome('<11@postfix.example.org>', 'sent');
  const text = await newestOf('maria@ebersberger-liedersammlung.de');
  expect(text).toEndWith(message(11));
  expect(text).toContain('Received: from mx.example.org ([127.0.0.2])');
  expect(text).toContain(' with LMTPSA id ');
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
  await submit(5, 'django@nausch.org');
  const { line } = await postfix.outcome('<5@postfix.example.org>', 'sent');
  expect(line).toContain('relay=cyrus');
  const stored = await readByCurl('INBOX');
  expect(stored).toEndWith(message(5));
  expect(stored).toStartWith('Return-Path: <michael@nausch.org>\r\n');

  // ${extension} is a folder, where the sender may post to it.
  const client = await store.login('django');
  for (const folder of ['Lists', 'Private']) await client.ok(`CREATE ${folder}`);
  await client.ok('SETACL Lists anyone p');
  await submit(6, 'django+Lists@nausch.org');
  await postfix.outcome('<6@postfix.example.org>', 'sent');
  expect(await readByCurl('Lists')).toEndWith(message(6));
  await submit(7, 'django+Private@nausch.org');
  await postfix.outcome('<7@postfix.example.org>', 'sent');
  expect(await readByCurl('INBOX')).toEndWith(message(7));
  await client.logout();
});

test('the deliver pipe tells Postfix why: bounced for good, deferred for later', async () => {
  await submit(8, 'nobody-here@nausch.org');
  const bounced = await postfix.outcome('<8@postfix.example.org>', 'bounced');
  expect(bounced.line).toContain('dsn=5.1.1');
  expect(bounced.line).toContain('nobody-here: User unknown');
  await store.stop();
  await submit(9, 'django@nausch.org');
  const deferred = await postfix.outcome('<9@postfix.example.org>', 'deferred');
  expect(deferred.line).toContain('no connection to LMTP');
  await store.run();
  await postfix.flush();
  await postfix.outcome('<9@postfix.example.org>', 'sent');
});
