/**
 * Letting the oldest segments of the log go (DESIGN rule 7): everything in them is durable elsewhere, every owner in them has a
 * verified snapshot at least as new, they are older than log_retention, and no backup waits for them.
 *
 * An owner that is closed for repair gets no snapshot: its index is not what it should be. Segments that it needs stay while there
 * are few; then its records are kept apart (log/closed.ts), so that it is healed exactly and the log does not grow with others' mail.
 */
import { rmSync, statSync } from 'node:fs';
import { MailError } from '../../errors.ts';
import type { Settings } from '../../config/settings.ts';
import type { Log } from '../../telemetry/log.ts';
import { releasedByBackup } from '../backup/hold.ts';
import type { SocketLink } from '../client/socketlink.ts';
import { isDamage } from '../index/damage.ts';
import type { OwnerRow } from '../index/directory.ts';
import type { DirectoryReader } from '../index/directoryreader.ts';
import { layoutOf } from '../layout.ts';
import { dropApart, keepApart, keptApart } from '../log/closed.ts';
import type { LogRecord } from '../log/record.ts';
import { type ClosedSegment, readLogFile } from '../log/redo.ts';
import {
  directorySnapshot,
  makeDirectorySnapshot,
  makeSnapshot,
  snapshotLsn,
  snapshotPath,
} from '../snapshot.ts';
import { errorText } from '../writer/errortext.ts';

/** So many complete segments may stay before snapshots are made to let the oldest go. */
const KEEP_SEGMENTS = 4;

/** So many may stay for owners that are closed for repair. */
const KEEP_FOR_CLOSED = 8;

/** What the writer says of a checkpoint: where it stands (0: held back), the complete segments, owners closed for repair. */
export interface Checkpointed {
  readonly checkpoint: number;
  readonly segments: readonly ClosedSegment[];
  readonly closed: readonly number[];
}

/** Returns how many segments were removed. */
export async function retire(
  settings: Settings,
  link: SocketLink,
  directory: DirectoryReader,
  log: Log,
  done: Checkpointed,
): Promise<number> {
  if (done.checkpoint === 0) return 0;
  const layout = layoutOf(settings);
  const owners = new Map(directory.owners().map((owner) => [owner.id, owner]));
  const closed = new Set(done.closed);
  const snapshots = new Snapshots(settings, link, directory);
  for (const id of keptApart(layout.log)) {
    const owner = owners.get(id);
    if (owner !== undefined && closed.has(id)) continue;
    // A checkpoint passed all of them.
    if (owner !== undefined) snapshots.atLeast(owner, directory.floor(id));
    dropApart(layout.log, id);
  }
  const most = done.segments.length - KEEP_SEGMENTS;
  if (most <= 0) return 0;
  const keepAfter = Date.now() - settings.log_retention * 1000;
  const released = done.segments.slice(0, Math.min(most, releasedByBackup(settings, log, done.segments)));
  const stages: string[] = [];
  let through = 0;
  let directoryLast = 0;
  let unreadable = false;
  for (const [at, segment] of released.entries()) {
    if (segment.lastLsn > done.checkpoint || statSync(segment.path).mtimeMs > keepAfter) break;
    const found = contentsOf(segment, closed);
    // What is in a damaged segment nobody can tell: with everybody's snapshot as new as a checkpoint knows, it is not missed.
    if (!found.readable) {
      unreadable = true;
      for (const id of owners.keys()) found.last.set(id, directory.floor(id));
    }
    const needed = [...found.last].flatMap(([id, last]) => {
      const owner = closed.has(id) ? owners.get(id) : undefined;
      return owner !== undefined && snapshots.lsn(owner) < last ? [owner] : [];
    });
    if (needed.length > 0 && (!found.readable || done.segments.length - at <= KEEP_FOR_CLOSED)) break;
    for (const owner of needed) {
      const records = found.records.get(owner.id) ?? [];
      keepApart(layout.log, owner.id, records);
      log.warn('records of a closed owner kept apart, the log goes on', {
        userid: owner.userid,
        records: records.length,
        through: segment.lastLsn,
      });
    }
    for (const [id, last] of found.last) {
      const owner = owners.get(id);
      if (owner === undefined || closed.has(id)) continue;
      snapshots.atLeast(owner, last);
      await new Promise((resolve) => setImmediate(resolve));
    }
    directoryLast = Math.max(directoryLast, found.directoryLast);
    stages.push(...found.stages);
    through = segment.lastLsn;
  }
  if (through === 0) return 0;
  if (directoryLast > 0 || unreadable) {
    try {
      makeDirectorySnapshot(layout.directory, directorySnapshot(settings), directoryLast);
    } catch (error) {
      if (isDamage(error)) link.suspect(0, errorText(error));
      throw error;
    }
  }
  const answer = await link.ask((n) => ({ t: 'retire', n, lsn: through, stages })) as { removed: number };
  return answer.removed;
}

/** What of a segment has to be elsewhere before it goes. */
interface Contents {
  /** False when it is damaged. */
  readonly readable: boolean;
  /** The last LSN of each owner in it. */
  readonly last: Map<number, number>;
  /** Of directory.db. */
  readonly directoryLast: number;
  /** Stage files of large bodies, but for those of closed owners: these may have to be linked again. */
  readonly stages: string[];
  /** Records with parts of closed owners, by owner. */
  readonly records: Map<number, LogRecord[]>;
}

function contentsOf(segment: ClosedSegment, closed: ReadonlySet<number>): Contents {
  const last = new Map<number, number>();
  const records = new Map<number, LogRecord[]>();
  const stages = new Set<string>();
  const wanted = new Set<string>();
  let directoryLast = 0;
  const readable = read(segment, (record) => {
    if (record.d !== undefined) directoryLast = record.l;
    for (const section of record.s) {
      last.set(section.o, record.l);
      const keep = closed.has(section.o);
      if (keep) records.set(section.o, [...records.get(section.o) ?? [], record]);
      for (const event of section.e) {
        if (event.k !== 'add') continue;
        for (const part of event.parts) {
          if ('stage' in part.source) (keep ? wanted : stages).add(part.source.stage);
        }
      }
    }
  });
  return {
    readable,
    last,
    directoryLast,
    stages: [...stages.difference(wanted)],
    records,
  };
}

/** Reads a closed segment; false when it is damaged. */
function read({ path, lastLsn }: ClosedSegment, each: (record: LogRecord) => void): boolean {
  try {
    return readLogFile(path, each) >= lastLsn;
  } catch (error) {
    if (error instanceof MailError && error.code === 'corruption') return false;
    throw error;
  }
}

/** The snapshots of owners. */
class Snapshots {
  constructor(
    private readonly settings: Settings,
    private readonly link: SocketLink,
    private readonly directory: DirectoryReader,
  ) {}

  private path(owner: OwnerRow): string {
    return snapshotPath(this.settings.partition[owner.partition] ?? '', owner.folder);
  }

  lsn(owner: OwnerRow): number {
    return snapshotLsn(this.path(owner), owner.id);
  }

  /** Makes one that reaches up to `lsn` unless there is one. Throws where the index cannot give it: the segment stays. */
  atLeast(owner: OwnerRow, lsn: number): void {
    const { id, folder } = owner;
    if (this.lsn(owner) >= lsn) return;
    try {
      makeSnapshot(layoutOf(this.settings).index(folder), this.path(owner), id, lsn);
    } catch (error) {
      // The owner is healed with the help of the segment.
      if (isDamage(error)) this.link.suspect(id, errorText(error));
      throw error;
    }
    // Removed meanwhile, with all its folders: what was made after that must not lie in those of a new owner of the name.
    if (this.directory.owner(owner.userid)?.id !== id) rmSync(this.path(owner), { force: true });
  }
}
