/**
 * Removing old runs, then everything no run that stays names.
 *
 * Invariants
 * 1. Nothing that a complete manifest names is removed: manifests go first, and nothing at all goes while one that stays
 *    cannot be read.
 * 2. No backup runs meanwhile: it would count on a message that is about to go (the lock of the target).
 */
import { userError } from '../../errors.ts';
import type { Layout } from '../layout.ts';
import { type Manifest, readManifest, runNames, runOf } from './manifest.ts';
import { namedBy } from './named.ts';
import type { Target } from './target.ts';
import { makeWork, removeWork } from './work.ts';

/** How many runs stay: the newest ones, and the newest of each of so many days, weeks and months that have one. */
export interface KeepPolicy {
  readonly newest: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
}

export interface PruneReport {
  readonly kept: readonly string[];
  readonly removed: readonly string[];
  /** Files beside the manifests. */
  readonly files: number;
  readonly bytes: number;
}

/** Day, week (from Monday) or month of a time in UTC, as a number that grows. */
function periodOf(seconds: number, kind: 'daily' | 'weekly' | 'monthly'): number {
  const day = Math.floor(seconds / 86_400);
  if (kind === 'daily') return day;
  if (kind === 'weekly') return Math.floor((day + 3) / 7);
  const date = new Date(seconds * 1000);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** Which of the runs stay; times in unix seconds. The newest one always does. */
export function keptTimes(times: readonly number[], policy: KeepPolicy): Set<number> {
  const sorted = [...times].sort((a, b) => b - a);
  const kept = new Set(sorted.slice(0, Math.max(1, policy.newest)));
  for (const kind of ['daily', 'weekly', 'monthly'] as const) {
    const seen = new Set<number>();
    for (const time of sorted) {
      const period = periodOf(time, kind);
      if (seen.has(period)) continue;
      if (seen.size === policy[kind]) break;
      seen.add(period);
      kept.add(time);
    }
  }
  return kept;
}

/** Prunes a target. Throws 'inuse' while a backup runs, 'corruption' where a manifest or an index that stays is damaged. */
export async function pruneTarget(target: Target, layout: Layout, policy: KeepPolicy): Promise<PruneReport> {
  const lock = await target.lock();
  try {
    const runs: Manifest[] = [];
    for (const name of await runNames(target)) runs.push(await readManifest(target, name));
    if (runs.length === 0) throw userError('nonexistent', `there is no complete backup in ${target.text}`);
    const times = keptTimes(runs.map(({ head }) => head.time), policy);
    // Of two within a second the later one.
    const kept = runs.filter(({ head: { time } }, at) => times.has(time) && runs[at + 1]?.head.time !== time);
    const removed = runs.filter((run) => !kept.includes(run));
    const work = makeWork(layout);
    try {
      const { files, contents } = await namedBy(target, kept, work);
      for (const { name } of removed) await target.remove(name);
      await target.settle();
      let [count, bytes] = [0, 0];
      for (const prefix of ['objects/', 'index/', 'log/']) {
        for await (const { name, size } of target.list(prefix)) {
          const wanted = prefix === 'objects/'
            ? contents.has(name.slice(name.lastIndexOf('/') + 1))
            : files.has(name);
          if (wanted) continue;
          await target.remove(name);
          count++;
          bytes += size;
        }
      }
      contents.close();
      const names = (of: readonly Manifest[]) => of.map(({ name }) => runOf(name));
      return { kept: names(kept), removed: names(removed), files: count, bytes };
    } finally {
      removeWork(work);
    }
  } finally {
    await lock.release();
  }
}
