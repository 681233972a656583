/** A rebuild of an index that did not come to its end: what lies there is not the whole, and must not pass for it. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layoutOf } from '../../../src/store/layout.ts';
import { makeSnapshot, snapshotPath } from '../../../src/store/snapshot.ts';
import { damage, inbox, message, TestFolders, TestStore } from '../teststore.ts';

let folders: TestFolders;
let t: TestStore;
beforeEach(() => {
  folders = new TestFolders();
  t = new TestStore(folders);
});
afterEach(async () => {
  await t.close().catch(() => {});
  folders.remove();
});

const index = () => layoutOf(folders.settings).index('a/user/anna');

/** Anna has two messages, the second is not in her snapshot, and no record above the checkpoint speaks of her. */
async function prepare(): Promise<{ note: string; snapshot: string }> {
  await t.deliver(message(1), 'anna');
  await t.checkpoint();
  const snapshot = snapshotPath(folders.spool, 'a/user/anna');
  const owner = t.writer.state.directory.owner('anna')?.id as number;
  makeSnapshot(index(), snapshot, owner);
  await t.deliver(message(2), 'anna');
  await t.checkpoint();
  await t.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(index() + suffix, { force: true });
  return { note: join(folders.log, `rebuilding.${owner}`), snapshot };
}

test('killed after the old index was put aside', async () => {
  const { note } = await prepare();
  writeFileSync(note, '');
  t = new TestStore(folders);
  expect(t.as('anna').info(inbox('anna')).exists).toBe(2);
  expect(existsSync(note)).toBe(false);
});

test('killed after the snapshot was copied and before the log was replayed', async () => {
  const { note, snapshot } = await prepare();
  writeFileSync(note, '');
  copyFileSync(snapshot, index());
  t = new TestStore(folders);
  expect(t.as('anna').info(inbox('anna')).exists).toBe(2);
  expect(existsSync(note)).toBe(false);
  expect((await t.deliver(message(3), 'anna'))[0]?.uid).toBe(3);
  expect(damage(folders.settings)).toEqual([]);
});

test('a user who is gone since needs none', async () => {
  const { note } = await prepare();
  writeFileSync(`${note}9`, '');
  writeFileSync(note, '');
  t = new TestStore(folders);
  expect(existsSync(`${note}9`)).toBe(false);
  expect(t.lines.lines.filter((line) => line.startsWith('error'))).toEqual([]);
});

test('a rebuild that comes to its end leaves no note', async () => {
  await t.deliver(message(1), 'anna');
  const owner = t.writer.state.directory.owner('anna')?.id as number;
  await t.writer.rebuild(owner);
  expect(existsSync(join(folders.log, `rebuilding.${owner}`))).toBe(false);
  expect(t.as('anna').info(inbox('anna')).exists).toBe(1);
});

test('one that a failing disk ended is done again by itself', async () => {
  await t.deliver(message(1), 'anna');
  const owner = t.writer.state.directory.owner('anna')?.id as number;
  // Nothing can be put aside under this name.
  const obstacle = `${index()}.damaged-${t.writer.durableLsn.toString(16)}`;
  mkdirSync(obstacle);
  await expect(t.writer.rebuild(owner)).rejects.toThrow();
  expect(t.writer.state.owners.closed.has(owner)).toBe(true);
  rmSync(obstacle, { recursive: true });
  for (const end = Date.now() + 30_000; t.writer.state.owners.closed.has(owner);) {
    if (Date.now() > end) throw new Error('the owner was not opened again');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect((await t.deliver(message(2), 'anna'))[0]?.uid).toBe(2);
  expect(damage(folders.settings)).toEqual([]);
});
