/** Going back to any second: the state that comes out is the one that was there at its end. */

import { afterAll, afterEach, expect, setSystemTime, test } from 'bun:test';
import { UidSet } from '../../../src/store/uidset.ts';
import { box, damage, inbox, message, type TestStore } from '../teststore.ts';
import { backup, cleanUp, contents, folders, populate, restore, targetFolder, withStore } from './saved.ts';

afterAll(cleanUp);

const BEGIN = 1_800_000_000;

afterEach(() => void setSystemTime());

function at(second: number): void {
  setSystemTime(new Date((BEGIN + second) * 1000));
}

const CHANGES: readonly ((store: TestStore) => Promise<unknown>)[] = [
  (store) => store.deliver(message('small'), 'anna', 'dora'),
  (store) => store.deliver(message('large', 200_000), 'anna'),
  async (store) => {
    const mailbox = await store.as('anna').select(inbox('anna'), false, () => {});
    await mailbox.store(UidSet.range(1, 9), 'add', ['\\Flagged', '\\Deleted']);
    mailbox.close();
  },
  async (store) => {
    const mailbox = await store.as('anna').select(inbox('anna'), false, () => {});
    await mailbox.expunge(null);
    mailbox.close();
  },
  (store) => store.as('anna').rename(box('anna', 'Work'), box('anna', 'Play')),
  (store) => store.as('anna').delete(box('anna', 'Play')),
  (store) => store.store.admin.purgeUser('bert'),
  (store) => store.deliver(message('bert again'), 'bert'),
  (store) => store.store.admin.expire({ expungeDays: 0, deleteDays: 0 }),
];

test('each of several moments between two runs and more', async () => {
  const from = folders();
  const path = targetFolder();
  at(0);
  await withStore(from, populate);
  at(10);
  await backup(from, path);
  const states = new Map<number, string>();
  let second = 20;
  for (const change of CHANGES) {
    at(second);
    await withStore(from, change);
    states.set(second, contents(from));
    second += 10;
    // Runs in the midst of it: some moments have one shortly before, some long before.
    if (second === 60) {
      await backup(from, path);
      second += 10;
    }
  }
  at(second);
  await backup(from, path);
  for (const [moment, state] of states) {
    const to = folders();
    const report = await restore(to, path, { asOf: BEGIN + moment });
    expect([moment, report.unsaved]).toEqual([moment, []]);
    expect([moment, contents(to)]).toEqual([moment, state]);
    expect([moment, damage(to.settings)]).toEqual([moment, []]);
    to.remove();
  }
});

test('a moment the backups do not reach is refused with what to do', async () => {
  const from = folders();
  const path = targetFolder();
  at(0);
  await withStore(from, populate);
  at(10);
  await backup(from, path);
  const to = folders();
  await expect(restore(to, path, { asOf: BEGIN + 11 })).rejects.toThrow('make another one first');
  await expect(restore(to, path, { asOf: BEGIN + 5 })).rejects.toThrow(
    'the first moment is 2027-01-15T08:00:10Z',
  );
});
