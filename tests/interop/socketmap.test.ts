/**
 * Debian's Postfix asks before it accepts mail: its `socketmap:` tables over our unix socket and over a port, for virtual and
 * for relayed domains. What it tells the client that submits is what an administrator wants to be told to the world.
 */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { run, succeed } from '../harness/command.ts';
import { fetched } from '../harness/imap.ts';
import { freePorts } from '../harness/ports.ts';
import { TestStore } from '../harness/server.ts';
import { Postfix } from './postfix_server.ts';

let store: TestStore;
let postfix: Postfix;
let socket: string;

beforeAll(async () => {
  const [port = 0] = await freePorts(1);
  store = await TestStore.start({
    users: ['django@nausch.org', 'full@nausch.org', 'inge@omni128.de'],
    config: {
      mailbox: { virtdomains: '"on"', defaultdomain: '"example.org"', createonpost: 'false' },
      'services.smmap': { mode: '"0666"' },
      'services.smmapnet': { protocol: '"smmap"', listen: `"127.0.0.1:${port}"` },
    },
  });
  socket = join(store.dir, 'state/socket/smmap');
  for (const user of ['django@nausch.org', 'full@nausch.org', 'inge@omni128.de']) {
    await (await store.login(user)).logout();
  }
  expect(store.tool(['mailbox', 'quota', 'user/full@nausch.org', '0']).stderr).toBe('');
  postfix = await Postfix.start({
    main: `mydestination =
virtual_mailbox_domains = nausch.org
virtual_mailbox_maps = socketmap:unix:mailstore/smmap:virtual
virtual_transport = lmtp:unix:${store.lmtpSocket}
relay_domains = omni128.de
relay_recipient_maps = socketmap:inet:127.0.0.1:${port}:relay
relay_transport = lmtp:unix:${store.lmtpSocket}
`,
    master: '',
  });
  // Postfix's services work in its queue; there they find the socket by a path that begins there, chrooted or not.
  symlinkSync(join(store.dir, 'state/socket'), join(postfix.dir, 'queue/mailstore'));
});

afterAll(async () => {
  await postfix?.dispose();
  await store?.dispose();
});

/** What Postfix answers RCPT. */
async function offered(recipient: string): Promise<string> {
  const { stdout } = await run('swaks', [
    ...['--server', '127.0.0.1', '--port', String(postfix.port), '--quit-after', 'RCPT'],
    ...['--from', 'michael@example.com', '--to', recipient],
  ]);
  return stdout.split('\n').filter((line) => /^<[-~*]. +[245]/.test(line)).at(-2)?.slice(4).trim() ?? stdout;
}

test('who has a mailbox is accepted, with and without a folder', async () => {
  expect(await offered('django@nausch.org')).toBe('250 2.1.5 Ok');
  expect(await offered('DJANGO+lists@nausch.org')).toBe('250 2.1.5 Ok');
  expect(await offered('inge@omni128.de')).toBe('250 2.1.5 Ok');
});

test('who has none is refused before the message is sent', async () => {
  expect(await offered('nobody@nausch.org')).toBe(
    '550 5.1.1 <nobody@nausch.org>: Recipient address rejected: User unknown in virtual mailbox table',
  );
  expect(await offered('nobody@omni128.de')).toBe(
    '550 5.1.1 <nobody@omni128.de>: Recipient address rejected: User unknown in relay recipient table',
  );
});

test('over quota the sender is told to come again', async () => {
  expect(await offered('full@nausch.org')).toStartWith(
    '451 4.3.0 <full@nausch.org>: Temporary lookup failure',
  );
});

test('what was accepted arrives', async () => {
  await succeed('swaks', [
    ...['--server', '127.0.0.1', '--port', String(postfix.port), '--silent', '3'],
    ...['--from', 'michael@example.com', '--to', 'django@nausch.org'],
    ...[
      '--data',
      'From: michael@example.com\nSubject: asked first\nMessage-ID: <asked@example.com>\n\nHello.',
    ],
  ]);
  await postfix.outcome('<asked@example.com>', 'sent');
  const client = await store.login('django@nausch.org');
  await client.ok('SELECT INBOX');
  const [stored] = fetched(await client.ok('FETCH 1 (UID FLAGS BODY.PEEK[])'));
  expect(stored?.body?.toString('latin1')).toContain('Subject: asked first');
  await client.logout();
});

test('postmap asks as Postfix does', async () => {
  const asked = await run('postmap', [
    '-c',
    postfix.config,
    '-q',
    'django@nausch.org',
    `socketmap:unix:${socket}:x`,
  ]);
  expect([asked.code, asked.stdout]).toEqual([0, 'django@nausch.org\n']);
  const none = await run('postmap', [
    '-c',
    postfix.config,
    '-q',
    'nobody@nausch.org',
    `socketmap:unix:${socket}:x`,
  ]);
  expect([none.code, none.stdout]).toEqual([1, '']);
});

test('while the store is down nobody is refused for good', async () => {
  await store.stop();
  expect(await offered('django@nausch.org')).toStartWith('451 4.3.0 ');
  expect(await offered('nobody@nausch.org')).toStartWith('451 4.3.0 ');
  await store.run();
  expect(await offered('django@nausch.org')).toBe('250 2.1.5 Ok');
});
