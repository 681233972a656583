/** External lists of the administrator (RFC 6134), over LMTP and ManageSieve and where their files are not as they should be. */

import { afterEach, expect, test } from 'bun:test';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limits } from '../../src/limits.ts';
import { LmtpClient } from '../harness/lmtp.ts';
import { ManageSieveClient } from '../harness/managesieve.ts';
import { TestStore } from '../harness/server.ts';
import { SmtpSink } from '../harness/smtpsink.ts';
import { letter, PostRoom } from './postroom.ts';

const FRIENDS = 'tag:example.org,2026:friends';
const dir = mkdtempSync(join(tmpdir(), 'mailstore-lists-'));
const file = join(dir, 'friends');
let done: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const each of done.reverse()) await each();
  done = [];
  rmSync(file, { force: true });
});

/** Puts a new file in the place of the old one. */
function publish(text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

async function roomWith(script: string): Promise<PostRoom> {
  const room = new PostRoom({ sieve_lists: { [FRIENDS]: file } });
  done.push(() => room.close());
  await room.user('bert', script);
  return room;
}

const SORT = `require ["extlists", "fileinto", "mailbox"];
if header :list "from" "${FRIENDS}" { fileinto :create "INBOX/Known"; }
elsif address :list "from" "TAG:example.org,2026:Friends" { fileinto :create "INBOX/Friends"; }`;

test('a running store: the list is announced, asked and forwarded to', async () => {
  publish('# who they are\nANNA@example.net  since 1993\nclaus@elsewhere.example\n');
  const sink = await SmtpSink.start();
  done.push(() => sink.stop());
  const store = await TestStore.start({
    users: ['django'],
    config: {
      smtp: { host: `"127.0.0.1:${sink.port}"` },
      sieve: { lists: `{ "${FRIENDS}" = "${file}" }` },
    },
  });
  done.push(() => store.dispose());
  const sieve = await ManageSieveClient.login(store, 'django');
  const told = await sieve.ok('CAPABILITY');
  expect(told).toContain('"EXTLISTS" "tag urn"\r\n');
  expect(told).toMatch(/"SIEVE" "[^"]*\bextlists\b/);
  await sieve.activate(
    'main',
    `require ["extlists", "copy"]; if address :list "from" "${FRIENDS}" { redirect :list :copy "${FRIENDS}"; }`,
  );
  await sieve.logout();
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  const [reply] = await lmtp.deliver('anna@example.net', ['django'], Buffer.from(letter()));
  await lmtp.quit();
  expect(reply).toStartWith('250 ');
  const sent = await sink.until(2);
  expect(sent.map(({ rcpts }) => /<(.*?)>/.exec(rcpts.join())?.[1]).sort()).toEqual([
    'ANNA@example.net',
    'claus@elsewhere.example',
  ]);
});

test('a changed file counts from the next message on', async () => {
  publish('nobody@example.net\n');
  const room = await roomWith(SORT);
  await room.deliver(letter());
  expect((await room.messages('bert'))?.length).toBe(1);
  publish('nobody@example.net\nanna@EXAMPLE.net friend\n');
  await room.deliver(letter());
  expect((await room.messages('bert', 'Friends'))?.length).toBe(1);
});

test('a file that cannot be read, or is too long: the list as it was; a list that never was there fails the script', async () => {
  const room = await roomWith(SORT);
  const [verdict] = await room.deliver(letter());
  expect(verdict?.error).toBeUndefined();
  expect(verdict?.actions).toEqual(['keep (script failed)']);
  expect(room.log.some(({ event }) => event === 'list cannot be read')).toBe(true);
  publish('anna@example.net\n');
  await room.deliver(letter());
  rmSync(file);
  await room.deliver(letter());
  publish('x'.repeat(limits.delivery_list.value + 1));
  await room.deliver(letter());
  expect((await room.messages('bert', 'Friends'))?.length).toBe(3);
});

test('redirect :list sends to no more than a script may, and only to addresses', async () => {
  publish('cleo@example.com\nno address\n"Dora" <dora@example.com>\n');
  const room = await roomWith(`require "extlists"; redirect :list "${FRIENDS}";`);
  await room.deliver(letter());
  expect(room.mailer.sent.map(({ envelope }) => envelope.recipients[0]?.address)).toEqual([
    'cleo@example.com',
  ]);
  publish([1, 2, 3, 4, 5].map((n) => `u${n}@example.com\n`).join(''));
  const [verdict] = await room.deliver(letter());
  expect(verdict?.actions).toEqual(['keep (script failed)']);
  expect(room.mailer.sent.length).toBe(1);
});

test('without a list extlists cannot be required', async () => {
  const room = new PostRoom();
  done.push(() => room.close());
  await room.user('bert', 'require "extlists"; discard;');
  const [verdict] = await room.deliver(letter());
  expect(verdict?.actions).toEqual(['keep (script failed)']);
});
