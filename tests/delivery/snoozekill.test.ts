/** A real server that is killed while messages sleep: each of them is somewhere all the time, and wakes. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { LmtpClient } from '../harness/lmtp.ts';
import { activateScript, ManageSieveClient } from '../harness/managesieve.ts';
import { TestStore } from '../harness/server.ts';
import { letter } from './postroom.ts';

let store: TestStore;

beforeAll(async () => {
  store = await TestStore.start({ users: ['bert', 'cleo'], config: { server: { workers: '1' } } });
});
afterAll(async () => {
  await store.stop();
});

/** A script whose messages sleep for two seconds at most. */
function briefly(mailbox: string): string {
  const begin = Math.floor(Date.now() / 1000);
  const times = Array.from({ length: 300 }, (_, at) => new Date((begin + 2 * at) * 1000).toISOString());
  const list = times.map((time) => `"${time.slice(11, 19)}"`).join(', ');
  return `require ["vnd.cyrus.snooze", "mailbox", "imap4flags"];
    snooze :create :mailbox "${mailbox}" :addflags "\\\\Flagged" :tzid "UTC" [${list}];`;
}

/** Delivers as an MTA does: one that is told to come later does, since a worker may not have found the new writer yet. */
async function deliver(to: string): Promise<void> {
  for (let answer = '4'; answer.startsWith('4');) {
    const client = await LmtpClient.connect(store.lmtpSocket);
    [answer = ''] = await client.deliver('anna@example.net', [to], Buffer.from(letter()));
    client.destroy();
    expect(answer).toMatch(/^(?:250|451)/);
  }
}

/** How many messages each mailbox has. */
async function counts(user: string, ...mailboxes: string[]): Promise<number[]> {
  const client = await store.login(user);
  const found: number[] = [];
  for (const mailbox of mailboxes) {
    const { untagged } = await client.command(`STATUS ${mailbox} (MESSAGES)`);
    found.push(Number(/MESSAGES (\d+)/.exec(JSON.stringify(untagged))?.[1] ?? 0));
  }
  client.destroy();
  return found;
}

/** Resolves once all messages of a user have woken; none is ever lost or there twice. */
async function awake(user: string, mailbox: string, all: number): Promise<void> {
  for (;;) {
    const [woken = 0, asleep = 0] = await counts(user, mailbox, 'Snoozed');
    // A message that moves between the two questions is in none of them, or in both.
    if (asleep === 0 && woken === all) return;
    expect(woken).toBeLessThanOrEqual(all);
  }
}

test('the writer, and everything, is killed while messages sleep', async () => {
  await activateScript(store, 'bert', briefly('Later'));
  for (let n = 0; n < 3; n++) await deliver('bert');
  store.killRole('writer');
  await store.greets();
  await awake('bert', 'Later', 3);
  for (let n = 0; n < 3; n++) await deliver('bert');
  await store.killAll();
  await store.run();
  await awake('bert', 'Later', 6);
  const client = await store.login('bert');
  await client.command('SELECT Later');
  const { untagged } = await client.command('SEARCH FLAGGED');
  expect(JSON.stringify(untagged)).toContain('SEARCH 1 2 3 4 5 6');
  client.destroy();
});

test('a script of it goes by ManageSieve like any other, and its messages stand in a mailbox that is made', async () => {
  const client = await ManageSieveClient.login(store, 'cleo');
  await client.activate('main', 'require "vnd.cyrus.snooze"; snooze "08:00:00";');
  await client.logout();
  await deliver('cleo');
  expect(await counts('cleo', 'INBOX', 'Snoozed')).toEqual([0, 1]);
});
