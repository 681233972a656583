/** Which indexes of owners a worker holds open. */

import { afterAll, expect, test } from 'bun:test';
import { readdirSync, readlinkSync } from 'node:fs';
import { limits } from '../../../src/limits.ts';
import { Readers } from '../../../src/store/client/readers.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import { openStore } from '../../../src/store/open.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { TestFolders } from '../teststore.ts';

const folders = new TestFolders({ autocreatequota: -1 });
afterAll(() => folders.remove());

/** Descriptors of this process that are indexes of this store. */
function descriptors(): number {
  let count = 0;
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`).startsWith(`${folders.root}/lib/user`)) count++;
    } catch {
      // The descriptor of the listing itself.
    }
  }
  return count;
}

test('an index nobody asks for is closed and can be had again; one in use stays', async () => {
  const store = await openStore(folders.settings, silentLog, 'direct');
  const names = Array.from({ length: 11 }, (_, index) => `user${index}`);
  for (const userid of names) await store.session({ userid, admin: false, groups: [] }).login();
  await store.close();

  const readers = new Readers(layoutOf(folders.settings), () => {});
  const owners = names.map((name) => readers.directory.owner(name)).filter((owner) => owner !== null);
  for (const owner of owners) readers.of(owner);
  const busy = readers.of(owners[0]!);
  expect(readers.openIndexes).toBe(11);
  expect(descriptors()).toBeGreaterThanOrEqual(11);
  // The first sweep lets all rest, those that follow close what nobody used.
  readers.sweep();
  expect(readers.openIndexes).toBe(11);
  for (let sweep = 0; sweep < 3; sweep++) {
    expect(readers.of(owners[0]!)).toBe(busy);
    readers.sweep();
  }
  expect(readers.openIndexes).toBe(1);
  expect(busy.mailbox('')?.path).toBe('');
  expect(readers.of(owners[5]!).mailbox('')?.path).toBe('');
  expect(readers.openIndexes).toBe(2);
  readers.close();
  expect(descriptors()).toBe(0);
});

test('those who read once and no more push out each other, not who comes back', async () => {
  const most = limits.store_first_indexes.value;
  const store = await openStore(folders.settings, silentLog, 'direct');
  const names = Array.from({ length: 2 * most + 2 }, (_, index) => `once${index}`);
  for (const userid of names) await store.session({ userid, admin: false, groups: [] }).login();
  await store.close();

  const readers = new Readers(layoutOf(folders.settings), () => {});
  const owners = names.map((name) => readers.directory.owner(name)!);
  for (const owner of owners.slice(0, most + 1)) readers.of(owner);
  expect(readers.openIndexes).toBe(most);
  // The first one was closed and comes back.
  const back = readers.of(owners[0]!);
  expect(readers.openIndexes).toBe(most + 1);
  for (const owner of owners.slice(most + 1)) readers.of(owner);
  expect(readers.openIndexes).toBe(most + 1);
  expect(readers.of(owners[0]!)).toBe(back);
  expect(back.mailbox('')?.path).toBe('');
  // All of them rest after a while, and are closed unless they are used.
  readers.sweep();
  expect(readers.openIndexes).toBe(most + 1);
  const used = readers.of(owners.at(-1)!);
  for (let sweep = 0; sweep < most / 4; sweep++) readers.sweep();
  expect(readers.openIndexes).toBe(1);
  expect(readers.of(owners.at(-1)!)).toBe(used);
  readers.close();
  expect(descriptors()).toBe(0);
});
