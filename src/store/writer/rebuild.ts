/**
 * Building an owner's index anew, exactly: the newest snapshot, then everything the log has after it (promise 4). The damaged
 * files are kept beside it under another name.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MailError, serverError } from '../../errors.ts';
import { checkIndex } from '../check/index.ts';
import { applyOwnerEvent } from '../index/apply.ts';
import type { OwnerRow } from '../index/directory.ts';
import type { OwnerIndex } from '../index/owner.ts';
import type { Layout } from '../layout.ts';
import { closedOwners, readLogOf } from '../log/closed.ts';
import type { OwnerEvent } from '../log/events.ts';
import { isAcceptedLoss, readLosses } from '../log/losses.ts';
import type { LogRecord } from '../log/record.ts';
import { lostThrough } from '../log/redo.ts';
import { identify } from '../index/salvage.ts';
import { errorText } from './errortext.ts';
import { isSnapshot, snapshotPath } from '../snapshot.ts';
import { syncFileSystem } from '../lock.ts';
import { syncFolder } from '../log/segment.ts';
import type { OwnerPool } from './owners.ts';
import type { Spool } from '../spool/spool.ts';
import { step } from '../step.ts';

const REMEDY =
  'restore the log or the snapshot from a backup; or run "mailstore reconstruct --from-snapshot", which goes on with what ' +
  'there is, or "mailstore reconstruct --from-spool", which makes a new index from the message files';

export interface Rebuilt {
  /** LSN of the snapshot it started from; 0 when the log reaches back to the owner's beginning. */
  snapshot: number;
  records: number;
  filesRemade: number;
  /** Records that could not be applied for what is missing before them; only where a loss is accepted. */
  skipped: number;
  /** Set when nothing is wrong with the index and it stays, for it cannot be built anew: why not. */
  kept?: string;
}

/** Name of the note in the log folder that an owner's index is being built: what lies there until the end is not the whole. */
const NOTE = 'rebuilding.';

/** Owners whose rebuild a crash or a failure ended: their indexes must not be used before another one succeeds. */
export function unfinishedRebuilds(logFolder: string): number[] {
  if (!existsSync(logFolder)) return [];
  return readdirSync(logFolder).filter((name) => name.startsWith(NOTE)).map((name) =>
    Number(name.slice(NOTE.length))
  );
}

/**
 * Closes the owners whose indexes a new writer must not use as they are. Returns those that only lack records: they get them
 * after recovery (reopen.ts); the others are built anew.
 */
export function closeUnfinished(logFolder: string, owners: OwnerPool): Set<number> {
  const behind = new Set(closedOwners(logFolder));
  for (const id of behind) owners.quarantine(id, 'it was closed for repair');
  for (const id of unfinishedRebuilds(logFolder)) {
    behind.delete(id);
    owners.quarantine(id, 'its index was being rebuilt');
  }
  return behind;
}

/** The owner's index is whole again, or the owner is gone. */
export function endRebuild(logFolder: string, owner: number): void {
  rmSync(join(logFolder, NOTE + owner), { force: true });
}

/**
 * Rebuilds while nothing else touches the owner. Throws 'corruption' when records are missing; nothing is lost then.
 * @param acceptLoss go on with what there is where records are missing. The caller raises UIDNEXT and modseqs then
 */
export function rebuildOwner(
  owner: OwnerRow,
  owners: OwnerPool,
  spool: Spool,
  layout: Layout,
  durableLsn: number,
  acceptLoss = false,
): Rebuilt {
  const path = layout.index(owner.folder);
  writeFileSync(join(layout.log, NOTE + owner.id), '', { mode: 0o600 });
  syncFolder(layout.log);
  // Of an index that was open it is known that nothing is missing.
  const had = owners.peek(owner.id)?.lsn ?? null;
  owners.drop(owner.id);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.damaged-${durableLsn.toString(16)}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  step('rebuild.aside');
  const snapshot = snapshotPath(spool.partition(owner.partition), owner.folder);
  if (isSnapshot(snapshot, owner.id)) copyFileSync(snapshot, path);
  else owners.allowNew(owner);
  step('rebuild.copied');
  owners.release(owner.id);
  const report: Rebuilt = { snapshot: 0, records: 0, filesRemade: 0, skipped: 0 };
  try {
    const index = owners.open(owner, true);
    report.snapshot = index.lsn;
    replay(index, layout, owners, durableLsn, report, acceptLoss);
    const lost = lostThrough(layout.log);
    if (!acceptLoss && report.snapshot > 0 && report.snapshot < lost) {
      throw new MailError(
        'server',
        'corruption',
        `${path}: the log was lost, so nobody knows what came after the snapshot (${report.snapshot}); ${REMEDY}`,
      );
    }
    const floor = owners.floor(owner.id);
    if (!acceptLoss && index.lsn < floor) {
      throw new MailError(
        'server',
        'corruption',
        `${path}: snapshot and log end at ${index.lsn}, but changes up to ${floor} were acknowledged; ${REMEDY}`,
      );
    }
    step('rebuild.replayed');
    index.commit();
    // A checkpoint vouched for what was there before: without the note nobody would look whether the new one is whole.
    syncFileSystem(layout.configdirectory);
    if (report.filesRemade > 0) { for (const partition of spool.folders) syncFileSystem(partition); }
    step('rebuild.done');
    endRebuild(layout.log, owner.id);
    return report;
  } catch (error) {
    owners.drop(owner.id);
    // Half of an index must not pass for the whole one later. The old one comes back only if nothing is wrong with it.
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
    const whole = had !== null && existsSync(aside) && identify(aside)?.lsn === had &&
      checkIndex(aside, owner.userid).every(({ severity }) => severity !== 'damage');
    for (const suffix of ['', '-wal', '-shm']) {
      if (whole && existsSync(aside + suffix)) renameSync(aside + suffix, path + suffix);
    }
    if (!whole) throw error;
    syncFolder(dirname(path));
    endRebuild(layout.log, owner.id);
    return { snapshot: 0, records: 0, filesRemade: 0, skipped: 0, kept: errorText(error) };
  }
}

function replay(
  index: OwnerIndex,
  layout: Layout,
  owners: OwnerPool,
  durableLsn: number,
  report: Rebuilt,
  acceptLoss: boolean,
): void {
  const losses = readLosses(layout.log);
  let bridged = false;
  readLogOf(layout.log, index.id, index.lsn, (record) => {
    if (record.l > durableLsn) return;
    const placed = new Map<string, string>();
    for (const section of record.s) {
      if (section.o !== index.id || record.l <= index.lsn) continue;
      if (index.lsn < section.p) {
        if (!acceptLoss && !isAcceptedLoss(losses, index.id, section.p)) {
          throw new MailError(
            'server',
            'corruption',
            `${index.path}: the log continues at ${section.p} but the snapshot ends at ${index.lsn}; ${REMEDY}`,
          );
        }
        bridged = true;
      }
      if (bridged) index.commit();
      index.begin();
      try {
        for (const event of section.e) applyAgain(index, event, record, placed, owners, report);
      } catch (error) {
        if (!bridged) throw error;
        // It cannot be done without what is missing before it.
        report.skipped++;
        index.rollback();
        index.begin();
      }
      index.applied(record.l);
      report.records++;
    }
  });
  if (index.lsn === 0) {
    throw serverError(`${index.path}: the log has nothing of this user and there is no snapshot; ${REMEDY}`);
  }
}

function applyAgain(
  index: OwnerIndex,
  event: OwnerEvent,
  record: LogRecord,
  placed: Map<string, string>,
  owners: OwnerPool,
  report: Rebuilt,
): void {
  if (event.k === 'add') {
    for (const part of event.parts) {
      const path = owners.partPath(index, part);
      if (owners.intact(path, part, false)) continue;
      try {
        owners.place(path, part, record.blobs, placed);
        report.filesRemade++;
      } catch {
        // Purged since: a later record takes the message away again. "mailstore check" tells otherwise.
      }
    }
  }
  applyOwnerEvent(index, event, record.blobs);
}
