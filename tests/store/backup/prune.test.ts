/** Pruning: what stays is what was asked for, and everything that stays can be restored. */

import { afterAll, afterEach, expect, setSystemTime, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DirectoryTarget } from '../../../src/store/backup/directory.ts';
import { runOf } from '../../../src/store/backup/manifest.ts';
import { type KeepPolicy, keptTimes, pruneTarget } from '../../../src/store/backup/prune.ts';
import { verifyTarget } from '../../../src/store/backup/verify.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import { Random } from '../../harness/random.ts';
import { inbox, message } from '../teststore.ts';
import { backup, cleanUp, contents, folders, populate, restore, targetFolder, withStore } from './saved.ts';

afterAll(cleanUp);

afterEach(() => void setSystemTime());

/** The slow and obvious way: for each period the newest run in it. */
function model(times: readonly number[], policy: KeepPolicy): Set<number> {
  const sorted = [...times].sort((a, b) => b - a);
  const kept = new Set(sorted.slice(0, Math.max(policy.newest, 1)));
  const day = (time: number) => new Date(time * 1000).toISOString().slice(0, 10);
  const monday = (time: number) => {
    const date = new Date(time * 1000);
    return day(time - ((date.getUTCDay() + 6) % 7) * 86_400);
  };
  const kinds: [number, (time: number) => string][] = [
    [policy.daily, day],
    [policy.weekly, monday],
    [policy.monthly, (time) => day(time).slice(0, 7)],
  ];
  for (const [count, period] of kinds) {
    const periods = [...new Set(sorted.map(period))].slice(0, count);
    for (const wanted of periods) kept.add(sorted.find((time) => period(time) === wanted) as number);
  }
  return kept;
}

test('what a policy keeps', () => {
  const random = new Random(7);
  for (let round = 0; round < 300; round++) {
    const times = Array.from(
      { length: 1 + random.below(60) },
      () => 1_700_000_000 + random.below(200 * 86_400),
    );
    const policy = {
      newest: random.below(5),
      daily: random.below(8),
      weekly: random.below(6),
      monthly: random.below(5),
    };
    expect(keptTimes(times, policy)).toEqual(model(times, policy));
  }
});

test('runs that stay are whole, what nobody names is gone', async () => {
  const from = folders();
  const path = targetFolder();
  const target = new DirectoryTarget(path);
  const layout = layoutOf(from.settings);
  const states = new Map<string, string>();
  const base = 1_800_000_000;
  setSystemTime(new Date(base * 1000));
  await withStore(from, populate);
  for (let day = 0; day < 5; day++) {
    setSystemTime(new Date((base + day * 86_400) * 1000));
    await withStore(from, async (store) => {
      await store.deliver(message(`day ${day}`, 2_000), 'anna');
      // What came yesterday goes for good today: only yesterday's run has it.
      const mailbox = await store.as('anna').select(inbox('anna'), false, () => {});
      await mailbox.store(UidSet.range(22, 21 + day), 'add', ['\\Deleted']);
      await mailbox.expunge(null);
      mailbox.close();
    });
    setSystemTime(new Date((base + day * 86_400 + 60) * 1000));
    await withStore(from, (store) => store.store.admin.expire({ expungeDays: 0, deleteDays: 0 }));
    const { name } = await backup(from, path);
    states.set(runOf(name), contents(from));
  }
  const objects = () =>
    readdirSync(join(path, 'objects'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.includes('/')
    );
  const before = objects().length;
  const report = await pruneTarget(target, layout, { newest: 2, daily: 0, weekly: 0, monthly: 0 });
  expect(report.kept).toEqual([...states.keys()].slice(-2));
  expect(report.removed).toEqual([...states.keys()].slice(0, 3));
  expect(objects().length).toBeLessThan(before);
  expect((await verifyTarget(target, layout, { quick: false })).findings).toEqual([]);
  for (const run of report.kept) {
    const to = folders();
    expect((await restore(to, path, { run })).unsaved).toEqual([]);
    expect(contents(to)).toBe(states.get(run) as string);
  }
  // Again there is nothing to do, and the next run goes on.
  expect(await pruneTarget(target, layout, { newest: 2, daily: 0, weekly: 0, monthly: 0 })).toMatchObject({
    removed: [],
    files: 0,
  });
  expect((await backup(from, path)).figures.objects).toBe(0);
});

test('waits for no backup and none for it: whoever comes second is told', async () => {
  const from = folders();
  const path = targetFolder();
  await withStore(from, populate);
  await backup(from, path);
  const held = await new DirectoryTarget(path).lock();
  try {
    const policy = { newest: 1, daily: 0, weekly: 0, monthly: 0 };
    await expect(pruneTarget(new DirectoryTarget(path), layoutOf(from.settings), policy)).rejects.toThrow(
      'another backup or prune works on',
    );
    await expect(backup(from, path)).rejects.toThrow('another backup or prune works on');
  } finally {
    await held.release();
  }
});
