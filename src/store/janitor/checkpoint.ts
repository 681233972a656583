/** One checkpoint run: sync the file systems, let the log go on from there, fold the journals back. */
import { Database } from 'bun:sqlite';
import { existsSync, statSync } from 'node:fs';
import { MailError } from '../../errors.ts';
import type { Settings } from '../../config/settings.ts';
import { type Log, silentLog } from '../../telemetry/log.ts';
import type { SocketLink } from '../client/socketlink.ts';
import type { DirectoryReader } from '../index/directoryreader.ts';
import { layoutOf } from '../layout.ts';
import { type ClosedSegment, readLogFile } from '../log/redo.ts';
import type { LogRecord } from '../log/record.ts';
import { errorText } from '../writer/errortext.ts';
import { isDamage } from '../index/damage.ts';
import { syncEverything } from './sync.ts';
import { releasedByBackup } from '../backup/hold.ts';
import {
  directorySnapshot,
  makeDirectorySnapshot,
  makeSnapshot,
  snapshotLsn,
  snapshotPath,
} from '../snapshot.ts';
import { step } from '../step.ts';

/** Journals larger than this are folded back into their database (DESIGN rule 16). */
const JOURNAL_BYTES = 1024 * 1024;

/** A journal this long is begun anew, which the writer has to do itself. */
const JOURNAL_LONG = 16 * 1024 * 1024;

/** So many complete segments may stay before snapshots are made to let the oldest go. */
const KEEP_SEGMENTS = 4;

export interface CheckpointReport {
  /** The LSN replay would begin after; 0 when it was held back. */
  checkpoint: number;
  /** Segments removed. */
  removed: number;
  /** Journals folded back. */
  folded: number;
}

/** Runs one checkpoint over the writer's connection. */
export async function runCheckpoint(
  settings: Settings,
  link: SocketLink,
  directory: DirectoryReader,
  log: Log = silentLog,
): Promise<CheckpointReport> {
  const layout = layoutOf(settings);
  const dirty = await link.ask((n) => ({ t: 'dirty', n })) as {
    lsn: number;
    owners: { id: number; folder: string }[];
  };
  syncEverything([layout.configdirectory, ...Object.values(settings.partition)], layout.log);
  step('checkpoint.synced');
  const done = await link.ask((n) => ({ t: 'checkpointed', n, lsn: dirty.lsn })) as {
    checkpoint: number;
    segments: ClosedSegment[];
  };
  let folded = 0;
  const long: number[] = [];
  for (const { id, folder } of [{ id: 0, folder: '' }, ...dirty.owners]) {
    const path = id === 0 ? layout.directory : layout.index(folder);
    if (!foldJournal(path)) continue;
    folded++;
    if (statSync(`${path}-wal`).size > JOURNAL_LONG) long.push(id);
    // One database at a time: others may be waiting for this process's turn of the disk.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (long.length > 0) await link.ask((n) => ({ t: 'shorten', n, owners: long }));
  const removed = await retire(settings, link, directory, log, done);
  return { checkpoint: done.checkpoint, removed, folded };
}

/** A passive checkpoint never waits for readers or the writer; what it cannot do now is done next time. */
function foldJournal(path: string): boolean {
  const journal = `${path}-wal`;
  if (!existsSync(journal) || statSync(journal).size < JOURNAL_BYTES) return false;
  const db = new Database(path, { readwrite: true, create: false });
  try {
    db.run('PRAGMA wal_checkpoint(PASSIVE)');
    step('journal.folded');
  } finally {
    db.close();
  }
  return true;
}

/** Reads a closed segment; false when it is damaged. */
function readable({ path, lastLsn }: ClosedSegment, each: (record: LogRecord) => void): boolean {
  try {
    return readLogFile(path, each) >= lastLsn;
  } catch (error) {
    if (error instanceof MailError && error.code === 'corruption') return false;
    throw error;
  }
}

/**
 * Lets the oldest segments go: everything in them is durable elsewhere, every owner in them has a verified snapshot at
 * least as new, they are older than log_retention (DESIGN rule 7), and no backup waits for them.
 */
async function retire(
  settings: Settings,
  link: SocketLink,
  directory: DirectoryReader,
  log: Log,
  done: { checkpoint: number; segments: readonly ClosedSegment[] },
): Promise<number> {
  const layout = layoutOf(settings);
  const keepAfter = Date.now() - settings.log_retention * 1000;
  const folders = new Map(directory.owners().map((owner) => [owner.id, owner]));
  const stages: string[] = [];
  let through = 0;
  let directoryLast = 0;
  const most = done.segments.length - KEEP_SEGMENTS;
  if (most <= 0) return 0;
  for (
    const segment of done.segments.slice(0, Math.min(most, releasedByBackup(settings, log, done.segments)))
  ) {
    if (segment.lastLsn > done.checkpoint || statSync(segment.path).mtimeMs > keepAfter) break;
    const last = new Map<number, number>();
    const read = readable(segment, (record) => {
      if (record.d !== undefined) directoryLast = record.l;
      for (const section of record.s) {
        last.set(section.o, record.l);
        for (const event of section.e) {
          if (event.k !== 'add') continue;
          for (const part of event.parts) if ('stage' in part.source) stages.push(part.source.stage);
        }
      }
    });
    // What is in a damaged segment nobody can tell: everybody gets a snapshot, then it is not missed.
    if (!read) {
      directoryLast = segment.lastLsn;
      for (const id of folders.keys()) last.set(id, segment.lastLsn);
    }
    for (const [id, lsn] of last) {
      const owner = folders.get(id);
      if (owner === undefined) continue;
      const path = snapshotPath(settings.partition[owner.partition] ?? '', owner.folder);
      try {
        if (snapshotLsn(path, id) < lsn) makeSnapshot(layout.index(owner.folder), path, id);
      } catch (error) {
        // The segment stays: the owner is healed with its help.
        if (isDamage(error)) link.suspect(id, errorText(error));
        throw error;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    through = segment.lastLsn;
  }
  if (through === 0) return 0;
  if (directoryLast > 0) makeDirectorySnapshot(layout.directory, directorySnapshot(settings));
  const answer = await link.ask((n) => ({ t: 'retire', n, lsn: through, stages })) as { removed: number };
  return answer.removed;
}
