/** `mailstore restore` of what one user lost, into the running server. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LmtpClient } from '../harness/lmtp.ts';
import { TestStore } from '../harness/server.ts';
import { backupFolder, killed, letter, look, ok, type SeenMailbox, tool } from './saved.ts';

let store: TestStore;
const target = backupFolder();

beforeAll(async () => {
  store = await TestStore.start({
    users: ['anna', 'bert'],
    config: { backup: { target: `"${target.path}"` } },
  });
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  for (let n = 0; n < 12; n++) await lmtp.deliver('x@example.org', ['anna', 'bert'], letter(`m${n}`));
  await lmtp.deliver('x@example.org', ['anna'], letter('large', 150_000));
  await lmtp.quit();
  const anna = await store.login('anna');
  await anna.ok('CREATE Work');
  await anna.ok('SELECT INBOX');
  await anna.ok('STORE 1:4 +FLAGS.SILENT (\\Seen important)');
  await anna.ok('COPY 3:8 Work');
  await anna.ok('SUBSCRIBE Work');
  await anna.logout();
  await ok(store, ['backup']);
});

afterAll(async () => {
  await store.dispose();
  target.remove();
});

function subjects(mailbox: SeenMailbox | undefined): string[] {
  return (mailbox?.messages ?? []).map(({ body }) => /Subject: (\S+)/.exec(body)?.[1] ?? '');
}

/** Without what a restored message cannot keep. */
function kept(mailbox: SeenMailbox | undefined): unknown[] {
  return (mailbox?.messages ?? []).map(({ flags, internaldate, body }) => ({ flags, internaldate, body }));
}

async function check(): Promise<void> {
  const { stdout } = await tool(store, ['check', '--deep']);
  expect(stdout).toContain('in order');
}

test('expunged messages come back below Restored, once', async () => {
  const before = await look(store, 'anna');
  const anna = await store.login('anna');
  await anna.ok('SELECT INBOX');
  await anna.ok('STORE 2:5,13 +FLAGS.SILENT (\\Deleted)');
  await anna.ok('EXPUNGE');
  await anna.logout();
  for (let again = 0; again < 2; again++) {
    await ok(store, ['restore', '--mailbox', 'user/anna']);
    const after = await look(store, 'anna');
    expect(subjects(after['Restored/INBOX'])).toEqual(['m1', 'm2', 'm3', 'm4', 'large']);
    const lost = (before['INBOX']?.messages ?? []).filter(({ uid }) => [2, 3, 4, 5, 13].includes(uid));
    expect(kept(after['Restored/INBOX'])).toEqual(kept({ uidvalidity: 0, uidnext: 0, messages: lost }));
    expect(after['INBOX']?.messages.length).toBe(8);
  }
  await check();
});

test('with --replace into the mailbox itself, under new UIDs, flags as they were', async () => {
  const anna = await store.login('anna');
  await anna.ok('SELECT INBOX');
  await anna.ok('STORE 1:* FLAGS.SILENT (\\Answered)');
  await anna.logout();
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  await lmtp.deliver('x@example.org', ['anna'], letter('since'));
  await lmtp.quit();
  await ok(store, ['restore', '--mailbox', 'user/anna', '--replace']);
  const { INBOX } = await look(store, 'anna');
  expect(subjects(INBOX).sort()).toEqual(
    ['large', 'since', ...Array.from({ length: 12 }, (_, n) => `m${n}`)].sort(),
  );
  const uids = INBOX?.messages.map(({ uid }) => uid) ?? [];
  expect(uids.filter((uid) => uid <= 13)).toEqual([1, 6, 7, 8, 9, 10, 11, 12]);
  expect(uids.filter((uid) => uid > 13).length).toBe(6);
  const flags = Object.fromEntries(
    INBOX?.messages.map((message) => [
      /Subject: (\S+)/.exec(message.body)?.[1],
      message.flags,
    ]) ?? [],
  );
  expect(flags).toMatchObject({ m0: '\\Seen important', m1: '\\Seen important', m5: '', since: '' });
  await ok(store, ['restore', '--mailbox', 'user/anna', '--replace']);
  expect(await look(store, 'anna')).toMatchObject({ INBOX: { messages: INBOX?.messages } });
  await check();
});

test('a deleted mailbox', async () => {
  const before = await look(store, 'anna');
  const anna = await store.login('anna');
  await anna.ok('DELETE Work');
  await anna.logout();
  await ok(store, ['restore', '--mailbox', 'user/anna/Work', '--replace']);
  const after = await look(store, 'anna');
  expect(kept(after['Work'])).toEqual(kept(before['Work']));
  // A client that knows the old one sees that it is another.
  expect(after['Work']?.uidvalidity).toBeGreaterThan(before['Work']?.uidvalidity ?? 0);
  await check();
});

test('one message, by UID or Message-ID', async () => {
  const bert = await store.login('bert');
  await bert.ok('SELECT INBOX');
  await bert.ok('STORE 1:* +FLAGS.SILENT (\\Deleted)');
  await bert.ok('EXPUNGE');
  await bert.logout();
  await ok(store, ['restore', '--mailbox', 'user/bert', '--uid', '4']);
  expect(subjects((await look(store, 'bert'))['Restored/INBOX'])).toEqual(['m3']);
  await ok(store, ['restore', '--user', 'bert', '--message-id', '<m7@example.org>']);
  expect(subjects((await look(store, 'bert'))['Restored/INBOX'])).toEqual(['m3', 'm7']);
  const none = await tool(store, ['restore', '--user', 'bert', '--message-id', 'nobody@example.org']);
  expect([none.code, none.stderr]).toEqual([65, expect.stringContaining('no such message')]);
});

test('as of a moment between two runs, by the log', async () => {
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  await lmtp.deliver('x@example.org', ['bert'], letter('brief'));
  await lmtp.quit();
  // The clock of the log counts in seconds.
  await sleep(1100);
  const moment = Math.floor(Date.now() / 1000) - 1;
  await sleep(1100);
  const bert = await store.login('bert');
  await bert.ok('SELECT INBOX');
  await bert.ok('STORE 1:* +FLAGS.SILENT (\\Deleted)');
  await bert.ok('EXPUNGE');
  await bert.logout();
  const early = await tool(store, ['restore', '--user', 'bert', '--as-of', `@${moment}`]);
  expect([early.code, early.stderr]).toEqual([65, expect.stringContaining('make another one first')]);
  await ok(store, ['backup']);
  await ok(store, ['restore', '--user', 'bert', '--as-of', `@${moment}`]);
  expect(subjects((await look(store, 'bert'))['Restored/INBOX'])).toContain('brief');
});

test('killed in the midst and done again it doubles nothing', async () => {
  const ids = Array.from({ length: 150 }, (_, n) => `k${n}`);
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  for (const id of ids) await lmtp.deliver('x@example.org', ['bert'], letter(id, 4000));
  await lmtp.quit();
  await ok(store, ['backup']);
  const bert = await store.login('bert');
  await bert.ok('SELECT INBOX');
  await bert.ok('STORE 1:* +FLAGS.SILENT (\\Deleted)');
  await bert.ok('EXPUNGE');
  await bert.logout();
  let deaths = 0;
  // A machine at rest has done it before 100 ms are over.
  for (const after of [10, 20, 30, 40, 60, 80, 100, 150, 200, 250, 300]) {
    if (await killed(store, ['restore', '--user', 'bert'], after)) deaths++;
  }
  expect(deaths).toBeGreaterThan(0);
  await ok(store, ['restore', '--user', 'bert']);
  const restored = subjects((await look(store, 'bert'))['Restored/INBOX']).filter((id) => id.startsWith('k'));
  expect(restored.sort()).toEqual(ids.sort());
  await check();
});

test('a user who was purged, with password and subscriptions', async () => {
  const before = await look(store, 'anna');
  await ok(store, ['backup']);
  await ok(store, ['user', 'remove', '--purge', '--yes', 'anna']);
  await ok(store, ['restore', '--user', 'anna', '--replace']);
  const after = await look(store, 'anna');
  expect(Object.keys(after).sort()).toEqual(Object.keys(before).sort());
  for (const [name, mailbox] of Object.entries(before)) expect(kept(after[name])).toEqual(kept(mailbox));
  const anna = await store.login('anna');
  const subscribed = await anna.ok('LSUB "" *');
  expect(subscribed.untagged.some(({ text }) => text.includes('Work'))).toBe(true);
  await anna.logout();
  await check();
});

test('what does not go together is said before anything is done', async () => {
  const wrong = async (...args: string[]) => {
    const { code, stderr } = await tool(store, ['restore', ...args]);
    expect([args, code]).toEqual([args, 64]);
    return stderr;
  };
  expect(await wrong('--user', 'anna', '--force')).toContain('whole store');
  expect(await wrong('--uid', '4')).toContain('--user or --mailbox');
  expect(await wrong('--user', 'anna', '--uid', '4')).toContain('needs --mailbox');
  expect(await wrong('--as-of', 'yesterday')).toContain('is no time such as');
  expect(await wrong('--as-of', '@1', '--run', '2')).toContain('one is needed');
  const nobody = await tool(store, ['restore', '--user', 'nobody']);
  expect([nobody.code, nobody.stderr]).toEqual([67, expect.stringContaining('there was no user nobody')]);
});
