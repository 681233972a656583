/** Spam training as the README has it, on a running store: an administrator sets it up, a user moves messages by IMAP. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ManageSieveClient } from '../harness/managesieve.ts';
import { TestStore } from '../harness/server.ts';

const TRAINING = `require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "imap4flags"];
if environment :is "imap.cause" "COPY" {
  if environment :is "imap.mailbox" "Junk" { pipe :copy :try "learn" "spam"; addflag "$Junk"; }
  elsif hasflag "$Junk" { pipe :copy :try "learn" "ham"; removeflag "$Junk"; }
}
`;
const LETTER = 'From: a@example.net\r\nSubject: buy\r\nMessage-ID: <1@example.net>\r\n\r\nBuy!\r\n';

let store: TestStore;
let pipe = '';

beforeAll(async () => {
  store = await TestStore.start({ users: ['django', 'cyrus'], config: { server: { admins: '["cyrus"]' } } });
  pipe = join(store.dir, 'pipe');
  mkdirSync(pipe);
  writeFileSync(join(pipe, 'learn'), `#!/bin/sh\ncat > ${store.dir}/$1\n`, { mode: 0o755 });
  await store.stop();
  const config = readFileSync(store.configFile, 'utf8');
  writeFileSync(store.configFile, `${config}\n[sieve]\nimapsieve = true\npipe_bin_dir = "${pipe}"\n`);
  await store.run();
});
afterAll(() => store.dispose());

/** What the program was given, once it was. */
async function learned(kind: string): Promise<string> {
  for (let attempt = 0; attempt < 500; attempt++) {
    try {
      const text = readFileSync(join(store.dir, kind), 'latin1');
      if (text.length >= LETTER.length) return text;
    } catch {
      // not yet
    }
    await sleep(10);
  }
  throw new Error(`nothing was learned:\n${store.log}`);
}

test('moved into Junk it is spam, moved out of it ham', async () => {
  const admin = await ManageSieveClient.login(store, 'cyrus');
  await admin.ok(`PUTSCRIPT "training" {${TRAINING.length}+}\r\n${TRAINING}`);
  await admin.logout();
  const set = store.tool(['mailbox', 'metadata', '/', '/shared/imapsieve/script', 'training']);
  expect([set.code, set.stderr]).toEqual([0, '']);
  expect(set.stdout).toContain('/shared/imapsieve/script  training');

  const client = await store.login('django');
  await client.ok('CREATE Junk');
  await client.ok('APPEND INBOX', Buffer.from(LETTER, 'latin1'));
  await client.ok('SELECT INBOX');
  await client.ok('MOVE 1 Junk');
  expect(await learned('spam')).toBe(LETTER);
  await client.ok('SELECT Junk');
  for (let attempt = 0; attempt < 500; attempt++) {
    const answer = await client.ok('SEARCH KEYWORD $Junk');
    if (JSON.stringify(answer).includes('SEARCH 1')) break;
    await sleep(10);
  }
  await client.ok('MOVE 1 INBOX');
  expect(await learned('ham')).toBe(LETTER);
  await client.logout();
});
