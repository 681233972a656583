/**
 * directory.db anew, when it is lost or damaged. Exactly from its snapshot and the log where they reach; else derived from the
 * owners (DESIGN rule 8): their indexes and snapshots say who they are, what their mailboxes are called and who may see
 * them. What only directory.db holds is taken over row by row from the damaged one and from the log: secrets, owner ids
 * that may not be used again.
 *
 * Numbers that never may repeat (owner ids, UIDVALIDITYs) go on with a distance: more than anybody can have used up since.
 */
import { copyFileSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../config/settings.ts';
import type { Log } from '../../telemetry/log.ts';
import { checkDirectory } from '../check/index.ts';
import { isDamage } from '../index/damage.ts';
import { Directory, type OwnerRow } from '../index/directory.ts';
import type { OwnerIndex } from '../index/owner.ts';
import { identify, intactRows } from '../index/salvage.ts';
import { activeScript } from '../index/scripts.ts';
import type { SqlValue } from '../index/statements.ts';
import { DIRECTORY_TABLES } from '../index/tables.ts';
import type { Layout } from '../layout.ts';
import { syncFileSystem } from '../lock.ts';
import { readCheckpoint, readLog } from '../log/redo.ts';
import { listSegments, readHeaderOf } from '../log/segment.ts';
import { directorySnapshot, SNAPSHOT } from '../snapshot.ts';
import { breakClaim } from './committed.ts';
import type { WriterState } from './context.ts';
import {
  endRemaking,
  isDirectoryNoted,
  keptDirectories,
  noteDerived,
  putDirectoryAside,
  resumeRemaking,
  SUFFIXES,
} from './directorynote.ts';
import { errorText } from './errortext.ts';
import { step } from '../step.ts';

/** How far ids and UIDVALIDITYs go on behind the highest that is known. */
const DISTANCE = 1_000_000;

/**
 * Opens directory.db, making it anew where it is missing or damaged although there is a store.
 * @param complete what records that were lost may have told it is taken from the owners themselves
 */
export function openDirectory(
  layout: Layout,
  settings: Settings,
  log: Log,
  complete = false,
): { directory: Directory; derived: boolean } {
  const path = layout.directory;
  resumeRemaking(layout);
  if (!existsSync(path) && !storeExists(layout, settings)) {
    return { directory: new Directory(path, true), derived: false };
  }
  const checkpoint = readCheckpoint(layout.log) ?? { lsn: 0, directory: 0 };
  let problem: string | null = existsSync(path) ? null : 'it is missing';
  if (problem === null && isDirectoryNoted(layout)) {
    problem = checkDirectory(path).find(({ severity }) => severity === 'damage')?.text ?? null;
  }
  if (problem === null) {
    try {
      const directory = new Directory(path, !storeExists(layout, settings));
      if (directory.lsn >= checkpoint.directory) {
        if (complete) completeDirectory(directory, layout, settings);
        return { directory, derived: complete };
      }
      problem = `it is at ${directory.lsn} but had ${checkpoint.directory}: its journal was lost`;
      directory.close();
    } catch (error) {
      if (!isDamage(error)) throw error;
      problem = errorText(error);
    }
  }
  breakClaim(layout);
  // A loss of power before the first checkpoint leaves any part of it or nothing: the log has all.
  const young = readCheckpoint(layout.log) === null && reachesBack(layout, settings);
  if (!young) log.error('directory.db is damaged and made anew', { path, reason: problem });
  putDirectoryAside(layout, problem);
  const exact = young ? new Directory(path, true) : fromSnapshot(layout, settings, checkpoint.lsn, log);
  const directory = exact ?? derive(layout, settings, checkpoint.lsn, log);
  if (complete && exact !== null) completeDirectory(exact, layout, settings);
  directory.raiseFloors(floorsOf(layout, settings, checkpoint.lsn, log));
  step('directory.made');
  return { directory, derived: complete || exact === null };
}

/** Whether there was a store here before: only then is an empty directory a loss. */
function storeExists(layout: Layout, settings: Settings): boolean {
  if (existsSync(layout.log) && listSegments(layout.log).length > 0) return true;
  return ownersExist(layout, settings);
}

/** Whether any owner left a trace. */
function ownersExist(layout: Layout, settings: Settings): boolean {
  // The supervisor makes the folder before the first start.
  const users = join(layout.configdirectory, 'user');
  if (existsSync(users) && readdirSync(users).length > 0) return true;
  return snapshotsOf(settings).next().done !== true;
}

/**
 * Whether the log has everything since the store began. A segment whose header is torn never held anything: where there is no
 * other, and no owner, the power went in the first start.
 */
function reachesBack(layout: Layout, settings: Settings): boolean {
  const segments = existsSync(layout.log) ? listSegments(layout.log) : [];
  const first = segments.map(readHeaderOf).find((header) => header !== null);
  return first === undefined ? !ownersExist(layout, settings) : first.predecessorLast === 0;
}

/** The directory's snapshot and what the log has after it, up to the checkpoint; null where they do not meet. */
function fromSnapshot(layout: Layout, settings: Settings, checkpoint: number, log: Log): Directory | null {
  const snapshot = directorySnapshot(settings);
  const whole = existsSync(snapshot) &&
    !checkDirectory(snapshot).some(({ severity }) => severity === 'damage');
  // Without one the log may still reach back to the beginning.
  if (!whole && !reachesBack(layout, settings)) return null;
  if (whole) copyFileSync(snapshot, layout.directory);
  const directory = new Directory(layout.directory, !whole);
  try {
    const from = directory.lsn;
    readLog(layout.log, from, (record) => {
      if (record.d === undefined || record.l > checkpoint) return;
      if (record.d.p !== directory.lsn) {
        throw new Error(`records between ${directory.lsn} and ${record.d.p} are missing`);
      }
      directory.begin();
      for (const event of record.d.e) directory.apply(event);
      directory.applied(record.l);
    });
    directory.commit();
    if (directory.lsn < (readCheckpoint(layout.log)?.directory ?? 0)) {
      throw new Error('the log ends too early');
    }
    log.warn('directory.db rebuilt from snapshot and log', { snapshot: from, lsn: directory.lsn });
    return directory;
  } catch (error) {
    log.warn('directory.db: snapshot and log do not meet', { reason: errorText(error) });
    directory.close();
    for (const suffix of SUFFIXES) rmSync(layout.directory + suffix, { force: true });
    return null;
  }
}

/** A directory of what can be found. Its mailboxes follow when every owner has been recovered (`reconcileDirectory`). */
function derive(
  layout: Layout,
  settings: Settings,
  checkpoint: number,
  log: Log,
): Directory {
  noteDerived(layout);
  const directory = new Directory(layout.directory, true);
  directory.begin();
  let highest = checkpoint;
  const take = (id: number): void => {
    if (id >= directory.nextOwner) directory.nextOwner = id + 1;
  };
  // What the damaged ones still say: nobody else knows the secrets, and who is gone.
  const damaged = keptDirectories(layout);
  const rows = (table: string): SqlValue[][] =>
    damaged.flatMap((path) => intactRows(path, DIRECTORY_TABLES, table));
  for (const row of rows('owner')) {
    const [id, userid, folder, partition, created, gone, hash] = row as [
      number,
      string,
      string,
      string,
      number,
      number | null,
      string | null,
    ];
    directory.apply({ k: 'owner', id, userid, folder, partition, created });
    directory.apply({ k: 'script', o: id, hash });
    if (gone !== null) directory.apply({ k: 'ownergone', id, at: gone });
  }
  const secrets = rows('secret');
  for (const [userid, secret, at] of secrets as [string, string, number][]) {
    directory.apply({ k: 'secret', userid, secret, at });
  }
  for (const row of rows('state')) {
    const [, , , start, uidvalidity, nextOwner] = row as [number, number, number, number, number, number];
    directory.start = Math.max(directory.start, start);
    directory.uidvalidity = Math.max(directory.uidvalidity, uidvalidity);
    take(nextOwner);
  }
  try {
    readLog(layout.log, 0, (record) => {
      for (const section of record.s) take(section.o);
      if (record.l > checkpoint) return;
      for (const event of record.d?.e ?? []) directory.apply(event);
    });
  } catch (error) {
    log.warn('the log cannot tell all of directory.db', { reason: errorText(error) });
  }
  highest = Math.max(highest, addFound(directory, layout, settings));
  directory.start = Math.max(directory.start, Math.floor(highest / 2 ** 32));
  directory.applied(checkpoint);
  directory.commit();
  log.warn('directory.db derived from its owners', {
    users: directory.owners().length,
    secrets: secrets.length,
  });
  return directory;
}

/** Adds owners whose index or snapshot is found; numbers go on with a distance. Returns the highest LSN among them. */
function addFound(directory: Directory, layout: Layout, settings: Settings): number {
  let highest = 0;
  for (const { path, folder } of foundIndexes(layout, settings)) {
    const found = identify(path);
    if (found === null) continue;
    highest = Math.max(highest, found.lsn);
    directory.nextOwner = Math.max(directory.nextOwner, found.owner + 1);
    directory.uidvalidity = Math.max(directory.uidvalidity, found.uidvalidity);
    if (directory.anyOwner(found.owner) !== null || directory.owner(found.userid) !== null) continue;
    directory.apply({
      k: 'owner',
      id: found.owner,
      userid: found.userid,
      folder,
      partition: found.partition ?? settings.defaultpartition,
      created: found.created,
    });
  }
  directory.uidvalidity = Math.max(directory.uidvalidity, Math.floor(Date.now() / 1000)) + DISTANCE;
  directory.nextOwner += DISTANCE;
  return highest;
}

/**
 * What a checkpoint vouched for, which stands in no log: owners' records below it, and snapshots. An index that is older has lost its
 * journal.
 */
function floorsOf(layout: Layout, settings: Settings, checkpoint: number, log: Log): Map<number, number> {
  const floors = new Map<number, number>();
  const raise = (owner: number, lsn: number): void => {
    if (lsn <= checkpoint && lsn > (floors.get(owner) ?? 0)) floors.set(owner, lsn);
  };
  for (const { path } of snapshotsOf(settings)) {
    const found = identify(path);
    if (found !== null) raise(found.owner, found.lsn);
  }
  try {
    readLog(layout.log, 0, (record) => {
      for (const { o } of record.s) raise(o, record.l);
    });
  } catch (error) {
    log.warn('the log cannot tell how far all indexes were', { reason: errorText(error) });
  }
  return floors;
}

/** The new directory.db has everything: it becomes durable, and the note about it goes. */
export function finishDirectory(layout: Layout): void {
  if (!isDirectoryNoted(layout)) return;
  syncFileSystem(layout.configdirectory);
  step('directory.synced');
  endRemaking(layout);
  step('directory.done');
}

function completeDirectory(directory: Directory, layout: Layout, settings: Settings): void {
  directory.begin();
  addFound(directory, layout, settings);
  directory.commit();
}

/** Indexes first, then the snapshots of those whose index is lost. */
export function* foundIndexes(
  layout: Layout,
  settings: Settings,
): IterableIterator<{ path: string; folder: string }> {
  const root = join(layout.configdirectory, 'user');
  if (existsSync(root)) {
    for (const entry of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
      if (entry.endsWith('/index.db')) {
        yield { path: join(root, entry), folder: entry.slice(0, -'/index.db'.length) };
      }
    }
  }
  yield* snapshotsOf(settings);
}

function* snapshotsOf(settings: Settings): IterableIterator<{ path: string; folder: string }> {
  for (const partition of Object.values(settings.partition)) {
    if (!existsSync(partition)) continue;
    for (const entry of readdirSync(partition, { recursive: true, encoding: 'utf8' })) {
      if (entry.endsWith(`/${SNAPSHOT}`)) {
        yield { path: join(partition, entry), folder: entry.slice(0, -SNAPSHOT.length - 1) };
      }
    }
  }
}

/** Makes a derived directory say of every mailbox, and of the active script, what its owner's index says. Owners that are closed keep what is known. */
export function reconcileDirectory({ directory, owners }: WriterState, log: Log): void {
  directory.begin();
  for (const owner of directory.owners()) {
    if (owners.closed.has(owner.id)) continue;
    try {
      reconcile(directory, owners.open(owner), owner);
    } catch (error) {
      log.error('mailboxes not listed', { userid: owner.userid, reason: errorText(error) });
    }
  }
  directory.commit();
}

function reconcile(directory: Directory, index: OwnerIndex, owner: OwnerRow): void {
  directory.forgetMailboxes(owner.id);
  for (const row of index.byPath.values()) directory.apply(eventOf(owner, row));
  directory.apply({ k: 'script', o: owner.id, hash: activeScript(index) });
}

function eventOf(
  owner: OwnerRow,
  row: {
    id: number;
    path: string;
    mailboxid: string;
    specialUse: string[];
    acl: Extract<Parameters<Directory['apply']>[0], { k: 'mb' }>['acl'];
    uidvalidity: number;
  },
): Parameters<Directory['apply']>[0] {
  const { id, path, mailboxid, specialUse, acl, uidvalidity } = row;
  return { k: 'mb', o: owner.id, m: id, path, mailboxid, specialUse, acl, uidvalidity };
}
