/**
 * Opening a store on a disk as a loss of power left it, as the first start after the machine comes back does, and comparing it with
 * the states it may be in. The current folder of the process is the disk.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, type Stats, statSync } from 'node:fs';
import type { Settings } from '../../../src/config/settings.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import { isDirectoryNoted } from '../../../src/store/writer/directorynote.ts';
import { unfinishedRebuilds } from '../../../src/store/writer/rebuild.ts';
import { checkStore } from '../../../src/store/check/store.ts';
import { Spool } from '../../../src/store/spool/spool.ts';
import { type Lines, message, type TestFolders, TestStore } from '../../store/teststore.ts';
import { type Contents, type PartFile, readContents } from './contents.ts';
import { findAll } from './found.ts';
import { difference, type State } from './reference.ts';
import { type Told, verifySaved } from './saved.ts';
import { HERE } from './workload.ts';

/** What an opened disk may hold. */
export interface Expectation {
  readonly states: readonly State[];
  /** Index of the oldest state that is right. */
  readonly oldest: number;
  /** Highest LSN that was ever written before the power went, durable or not. */
  readonly highestLsn: number;
  /** SHA-256 of a file, where it is known without reading it. */
  readonly digestOf: (stat: Stats) => string | undefined;
  /** What was said of backups and a restore. */
  readonly told: Told;
  /** Contents by their hash in which `mailstore check` found nothing: the same rows need not be checked again. */
  readonly checked: Set<string>;
}

export interface Verdict {
  /** Everything that must not be. */
  readonly wrong: readonly string[];
  /** Index of the state it was in; -1 for none. */
  readonly state: number;
}

/** What is done beyond comparing. */
export interface Further {
  /** Checks also what was checked before. */
  readonly check: boolean;
  /** Takes one more message for each user. */
  readonly deliver: boolean;
  /** Opens once more, which must change nothing. */
  readonly again: boolean;
  /** Reads the backup, opens the restored store. */
  readonly saved: boolean;
  /** Throws all indexes away and opens once more: snapshots and log must bring them back as they were. */
  readonly rebuilt: boolean;
}

/** Opens, compares and checks. */
export async function verify(
  settings: Settings,
  expectation: Expectation,
  folder: string,
  further: Further,
): Promise<Verdict> {
  const wrong: string[] = [];
  process.chdir(folder);
  let state = -1;
  try {
    const layout = layoutOf(settings);
    for (
      const path of [layout.configdirectory, layout.log, layout.sockets, ...Object.values(settings.partition)]
    ) {
      mkdirSync(path, { recursive: true, mode: 0o750 });
    }
    const rebuilding = unfinishedRebuilds(layout.log).length > 0;
    const remaking = isDirectoryNoted(layout) || isDamaged(layout.directory);
    const store = open(settings);
    try {
      complaints(store, wrong, { rebuilding, remaking });
      const contents = readContents(settings, true);
      wrong.push(...contents.broken);
      state = expectation.states.findLastIndex((one) => one.hash === contents.hash);
      if (state === -1) {
        const how = difference(contents, expectation.states);
        wrong.push(`holds what no state holds: ${JSON.stringify(summary(settings))}: ${how}`);
      } else if (state < expectation.oldest) {
        const { states, oldest } = expectation;
        wrong.push(`is at ${states[state]?.lsn}, but ${states[oldest]?.lsn} was acknowledged`);
      }
      wrong.push(...checkBodies(settings, contents.parts, expectation.digestOf));
      if (further.check || !expectation.checked.has(contents.hash)) {
        const found = check(settings);
        if (found.length === 0) expectation.checked.add(contents.hash);
        wrong.push(...found);
      }
      if (store.writer.redo.next <= expectation.highestLsn) {
        wrong.push(`the next LSN, ${store.writer.redo.next}, was used before`);
      }
      if (wrong.length === 0 && further.deliver) await deliverOne(store, settings, wrong);
    } finally {
      store.abandon();
    }
    if (wrong.length === 0 && further.saved) {
      wrong.push(...await verifySaved(settings, HERE, expectation.told));
    }
    if (wrong.length === 0 && further.again) await reopen(settings, wrong, false);
    if (wrong.length === 0 && further.rebuilt) await reopen(settings, wrong, true);
  } catch (error) {
    wrong.push(`does not open: ${error instanceof Error ? error.stack ?? error.message : String(error)}`);
  }
  return { wrong, state };
}

async function reopen(settings: Settings, wrong: string[], withoutIndexes: boolean): Promise<void> {
  const before = readContents(settings, false);
  const owners = [...findAll(settings).owners.values()];
  if (withoutIndexes) {
    for (const { folder } of owners) {
      rmSync(layoutOf(settings).userFolder(folder), { recursive: true });
    }
  }
  const store = open(settings);
  try {
    if (!withoutIndexes) complaints(store, wrong, { rebuilding: false, remaking: false });
    // Recovery mends those it has records of; of the others `mailstore check` tells, and `mailstore reconstruct` mends them.
    for (const { id, folder } of withoutIndexes ? owners : []) {
      if (!existsSync(layoutOf(settings).index(folder))) await store.writer.rebuild(id);
    }
    const after = readContents(settings, false);
    if (after.hash === before.hash) return;
    const other = newRows(before, after).slice(0, 3);
    wrong.push(
      `${
        withoutIndexes
          ? 'snapshots and log do not bring the indexes back'
          : 'a second recovery changes something'
      }: ` +
        `${other.join('; ')}; ${(store.lines as Lines).lines.join('; ')}`,
    );
  } finally {
    store.abandon();
  }
}

function newRows(before: Contents, after: Contents): string[] {
  const rows = new Set(before.rows);
  return after.rows.filter((row) => !rows.has(row));
}

/** What `mailstore check` does. */
function check(settings: Settings): string[] {
  return checkStore(settings, { users: [], deep: false }).findings
    .filter(({ severity }) => severity === 'damage')
    .map(({ userid, place, text }) => `check: ${userid} ${place}: ${text}`);
}

/** And what `--deep` adds to it; a file whose digest is known is not read again. */
function checkBodies(
  settings: Settings,
  parts: readonly PartFile[],
  digestOf: Expectation['digestOf'],
): string[] {
  const spool = new Spool(settings.partition);
  return parts.flatMap(({ partition, folder, file, hash }) => {
    const path = spool.path(partition, folder, file);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return [`${path} is missing`];
    const digest = digestOf(stat) ?? new Bun.CryptoHasher('sha256').update(readFileSync(path)).digest('hex');
    return digest === hash ? [] : [`${path}: the bytes are not those that were stored`];
  });
}

function open(settings: Settings): TestStore {
  return new TestStore({ settings } as TestFolders, true);
}

/** Nobody may be closed, not even for a moment. What was being made anew when the power went is made once more. */
function complaints(
  store: TestStore,
  wrong: string[],
  { rebuilding, remaking }: { rebuilding: boolean; remaking: boolean },
): void {
  for (const line of (store.lines as Lines).lines) {
    if (rebuilding && line.startsWith('warn index rebuilt ')) continue;
    if (remaking && /^(error directory.db is damaged|warn directory.db rebuilt)/.test(line)) continue;
    wrong.push(`log: ${line}`);
  }
  if (store.fatal !== null) wrong.push(`fatal: ${store.fatal.message}`);
}

/** Whether the workload damaged this database, or its journal: then it is said, and made anew exactly. */
function isDamaged(path: string): boolean {
  return [path, `${path}-wal`].some((file) =>
    existsSync(file) && readFileSync(file).subarray(0, 512).includes('damaged on purpose')
  );
}

let counter = 0;

/** One more message to each user: it gets the UID that comes next, and is there. */
async function deliverOne(store: TestStore, settings: Settings, wrong: string[]): Promise<void> {
  const before = findAll(settings);
  const users = [...before.owners.keys()];
  if (users.length === 0) return;
  const id = `after.${++counter}`;
  const results = await store.deliver(message(id), ...users);
  for (const [index, user] of users.entries()) {
    if (results[index] === undefined || 'error' in results[index]) wrong.push(`mail for ${user} was refused`);
  }
  const after = findAll(settings);
  for (const user of users) {
    const expected = before.owners.get(user)?.folders.get('')?.uidnext ?? 1;
    const there = after.owners.get(user)?.folders.get('')?.messages.get(expected);
    if (there?.id !== `${id}@example.org`) {
      wrong.push(`${user}: uid ${expected} is ${there?.id} instead of the new message`);
    }
  }
}

/** For the report of a state that is none. */
function summary(settings: Settings): unknown {
  const { owners, lsn } = findAll(settings);
  return { lsn, owners: [...owners].map(([user, { lsn: own, folders }]) => [user, own, folders.size]) };
}
