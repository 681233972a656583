/**
 * The redo log: the durable truth of the store.
 *
 * Invariants
 * 1. `append` resolves only after the batch is on disk; one fdatasync per batch, off the main thread unless nobody waits
 *    and the disk is fast: handing a sync to another thread and back takes as long as a fast disk does (0.18 of 1.1 ms).
 * 2. After a failed write or sync this object refuses everything: the process answers a temporary failure and
 *    exits, and recovery opens a new segment that names the last valid LSN (DESIGN rule 1).
 * 3. Recovery makes the tail durable before anything of it is reported (DESIGN rule 2).
 * 4. LSNs are start counter * 2^32 + n: no LSN is ever used twice, whatever became of a torn tail (DESIGN rule 3).
 * 5. A segment is removed only below the checkpoint, which the janitor vouches for (DESIGN rule 7).
 */
import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  mkdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { MailError, serverError } from '../../errors.ts';
import { Ahead } from './ahead.ts';
import { encodeBatch } from './batch.ts';
import type { LogRecord } from './record.ts';
import { isAcceptedLoss, readLosses } from './losses.ts';
import {
  createSegment,
  isUnmade,
  listSegments,
  LOSS_REMEDY,
  readHeaderOf,
  readSegment,
  scanSegment,
  SEGMENT_HEADER,
  type SegmentHeader,
  syncFolder,
  syncTail,
  writeDurably,
} from './segment.ts';
import { removeSummary } from './summary.ts';
import { readSynced, SyncedMark } from './synced.ts';
import { step } from '../step.ts';

const START = 2 ** 32;

/** A sync that took longer is given to another thread the next time, milliseconds: the disk may be about to fail. */
const QUICK_SYNC = 2;

/** A segment that is complete: nothing is appended to it any more. */
export interface ClosedSegment {
  path: string;
  firstLsn: number;
  lastLsn: number;
  bytes: number;
}

/** A segment as it lies there. */
export interface Segment {
  readonly path: string;
  readonly header: SegmentHeader;
}

export interface RecoveredLog {
  log: RedoLog;
  /** LSN of the last record found. */
  lastLsn: number;
}

/** Writes all bytes, also when the kernel takes them in pieces. */
function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at);
}

export class RedoLog {
  private nextLsn: number;
  private failed: Error | null = null;
  private bytes = 0;
  /** What a replay would have to read, roughly: nothing is subtracted while a checkpoint is under way. */
  bytesSinceCheckpoint = 0;
  private syncing = false;
  /** Whether the last sync was quick. */
  private quick = false;
  private ahead: Ahead;
  /** Called when a segment is complete, before the next one exists. */
  onClosed: (segment: ClosedSegment, id: bigint) => void = () => {};

  private constructor(
    private readonly folder: string,
    private readonly segmentSize: number,
    private current: { fd: number; id: bigint; path: string },
    private firstLsn: number,
    private closed: ClosedSegment[],
    private readonly mark: SyncedMark,
  ) {
    this.nextLsn = firstLsn;
    this.ahead = new Ahead(current.fd, folder);
  }

  /**
   * Opens the log after whatever happened: checks the chain of segments, makes the tail durable, reports every
   * record above the checkpoint in order, and starts a new segment. Throws 'corruption' for damage that
   * is not a torn end, and for an end that lies before what is known to have been synced (synced.ts).
   * @param minimumStart a start counter known from elsewhere (directory.db), so that LSNs cannot repeat even if
   *   the log folder was lost
   * @param each gets each record with the first LSN of its batch and the path of its segment
   * @param known says of a closed segment that its records are not wanted: `skip`, it is not read, or `check`, only its batches
   *   are looked at
   */
  static recover(
    folder: string,
    segmentSize: number,
    minimumStart: number,
    each: (record: LogRecord, batch: number, segment: string) => void,
    known: (segment: Segment, last: number) => 'read' | 'check' | 'skip' = () => 'read',
  ): RecoveredLog {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // The folder itself may be new.
    syncFolder(dirname(folder));
    syncFolder(dirname(dirname(folder)));
    const stated = readCheckpoint(folder);
    const found = headersOf(folder, true, stated?.lsn ?? 0);
    // One that cannot be believed: everything there is gets replayed, databases skip what they have.
    const unreadable = stated === null && checkpointFiles(folder).some((path) => existsSync(path));
    const checkpoint = stated?.lsn ?? (unreadable ? found[0]?.header.predecessorLast : 0) ?? 0;
    const newest = found.at(-1);
    let tail: Buffer | undefined;
    if (newest !== undefined) {
      tail = syncTail(newest.path);
      syncFolder(folder);
      step('recovery.tail');
    }
    // Of the records, not of the checkpoint: the chain of segments must hold without it.
    let lastLsn = 0;
    const closed: ClosedSegment[] = [];
    for (const [index, segment] of found.entries()) {
      const next = found[index + 1];
      const limit = next === undefined ? Number.MAX_SAFE_INTEGER : next.header.predecessorLast;
      if (index === 0 && segment.header.predecessorLast > checkpoint) {
        throw new MailError(
          'server',
          'corruption',
          `redo log: the records up to ${segment.header.predecessorLast} are missing before ${segment.path}, ` +
            `but the checkpoint stands at ${checkpoint}. ${LOSS_REMEDY} If only ` +
            `the files "checkpoint" and "checkpoint.copy" were lost, make an empty file "checkpoint" beside the ` +
            `segments: everything there is gets replayed.`,
        );
      }
      const how = next === undefined ? 'read' : limit <= checkpoint ? 'skip' : known(segment, limit);
      if (how === 'skip') {
        // Nothing in it needs replaying: its contents are not even read.
        lastLsn = limit;
        closed.push({
          path: segment.path,
          firstLsn: segment.header.firstLsn,
          lastLsn: limit,
          bytes: statSync(segment.path).size,
        });
        continue;
      }
      const bytes = segment === newest && tail !== undefined ? tail : readFileSync(segment.path);
      const contents = scanSegment(
        segment.path,
        bytes,
        checkpoint,
        limit,
        how === 'check' ? null : (record, batch) => each(record, batch, segment.path),
      );
      const last = contents?.lastLsn ?? 0;
      if (next !== undefined && last < limit && limit > checkpoint) {
        throw endsEarly(segment.path, last, limit);
      }
      lastLsn = last;
      closed.push({
        path: segment.path,
        firstLsn: segment.header.firstLsn,
        lastLsn: last,
        bytes: contents?.end ?? 0,
      });
    }
    if (newest === undefined) lastLsn = checkpoint;
    const synced = readSynced(folder);
    const missing = synced > checkpoint ? earlyEnd(folder, lastLsn, synced) : null;
    if (missing !== null) throw new MailError('server', 'corruption', missing.text);
    const highest = Math.max(lastLsn, checkpoint, synced, newest?.header.firstLsn ?? 0, minimumStart * START);
    const firstLsn = (Math.floor(highest / START) + 1) * START + 1;
    // There were runs before, and nothing of their log is left.
    if (newest === undefined && minimumStart > 0) writeDurably(join(folder, LOST), `${firstLsn - 1}\n`);
    const current = createSegment(folder, firstLsn, lastLsn);
    const mark = new SyncedMark(folder);
    if (lastLsn > synced) mark.note(lastLsn);
    return { log: new RedoLog(folder, segmentSize, current, firstLsn, closed, mark), lastLsn };
  }

  /** The LSN that the next record will get; records of one batch take consecutive ones. */
  get next(): number {
    return this.nextLsn;
  }

  /** The start counter of this run, to be kept in directory.db as well. */
  get start(): number {
    return Math.floor(this.nextLsn / START);
  }

  get segments(): readonly ClosedSegment[] {
    return this.closed;
  }

  /** Bytes in the log as a whole, for the janitor's decision. */
  get totalBytes(): number {
    return this.closed.reduce((sum, segment) => sum + segment.bytes, this.bytes);
  }

  /**
   * Appends one batch of framed records with the LSNs from `next` on, and resolves when it is durable.
   * One call at a time. After a failure the object is dead (invariant 2).
   * @param alone there is nothing else that this process could do meanwhile
   */
  async append(records: readonly Buffer[], alone = false): Promise<void> {
    if (this.failed !== null) throw serverError('the redo log failed before and is closed', this.failed);
    if (this.syncing) throw new Error('append during append');
    this.syncing = true;
    try {
      // Before the batch, not after it: a rotation that fails must not fail what is durable already (DESIGN rule 4).
      if (this.bytes >= this.segmentSize) this.rotate();
      const batch = encodeBatch(records, this.nextLsn, this.current.id);
      step('log.writing');
      writeWhole(this.current.fd, batch);
      step('log.written');
      await this.sync(alone);
      step('log.synced');
      this.bytes += batch.length;
      this.bytesSinceCheckpoint += batch.length;
      this.nextLsn += records.length;
      this.mark.note(this.nextLsn - 1);
      step('log.marked');
    } catch (error) {
      this.failed = error instanceof Error ? error : new Error(String(error));
      throw serverError(
        `writing the redo log ${this.current.path} failed: ${this.failed.message}`,
        this.failed,
      );
    } finally {
      this.syncing = false;
    }
  }

  private async sync(alone: boolean): Promise<void> {
    const { fd } = this.current;
    const from = performance.now();
    if (alone && this.quick) fdatasyncSync(fd);
    else await syncData(fd);
    this.quick = performance.now() - from < QUICK_SYNC;
  }

  /** To be called when nobody waits: gives the log space for changes that come one by one. */
  prepare(): void {
    if (this.failed === null && !this.syncing && this.bytes < this.segmentSize) {
      this.ahead.extend(SEGMENT_HEADER + this.bytes);
    }
  }

  /** The disk is full: lets go of what was prepared. */
  relinquish(): void {
    if (this.failed === null) this.ahead.giveBack(SEGMENT_HEADER + this.bytes);
  }

  /** Closes the current segment and opens the next one. */
  private rotate(): void {
    const last = this.nextLsn - 1;
    this.ahead.giveBack(SEGMENT_HEADER + this.bytes);
    closeSync(this.current.fd);
    step('segment.closed');
    const closed = { path: this.current.path, firstLsn: this.firstLsn, lastLsn: last, bytes: this.bytes };
    this.closed.push(closed);
    this.onClosed(closed, this.current.id);
    this.current = createSegment(this.folder, this.nextLsn, last);
    this.ahead = new Ahead(this.current.fd, this.folder);
    this.firstLsn = this.nextLsn;
    this.bytes = 0;
  }

  /** Records durably that every database has everything up to `lsn`, directory.db up to `directory`; replay starts behind it. */
  checkpoint(lsn: number, directory: number): void {
    if (lsn <= (readCheckpoint(this.folder)?.lsn ?? 0)) return; // never back: segments below it may be gone
    this.bytesSinceCheckpoint = 0;
    for (const path of checkpointFiles(this.folder)) writeDurably(path, checkpointText({ lsn, directory }));
  }

  /** Removes the oldest segments that end at or below `lsn`, which must not be above the checkpoint. */
  removeThrough(lsn: number): ClosedSegment[] {
    const limit = Math.min(lsn, readCheckpoint(this.folder)?.lsn ?? 0);
    const gone: ClosedSegment[] = [];
    while (this.closed.length > 0 && (this.closed[0] as ClosedSegment).lastLsn <= limit) {
      const segment = this.closed.shift() as ClosedSegment;
      unlinkSync(segment.path);
      removeSummary(segment.path);
      step('segment.unlinked');
      // On the disk in this order, too: an older one that came back without those behind it would be a gap to a rebuild.
      syncFolder(this.folder);
      gone.push(segment);
    }
    return gone;
  }

  close(): void {
    if (this.failed === null) this.ahead.giveBack(SEGMENT_HEADER + this.bytes);
    closeSync(this.current.fd);
    this.mark.close();
    this.failed ??= new Error('closed');
  }
}

/** Note in the log folder: records up to the LSN in it were lost together with the whole folder. */
const LOST = 'lost';

/** Up to which LSN records were lost with the whole folder; 0 if that never happened. What is older cannot be rebuilt exactly. */
export function lostThrough(folder: string): number {
  const path = join(folder, LOST);
  return existsSync(path) ? Number(readFileSync(path, 'utf8').trim()) || 0 : 0;
}

/** Two, so that a damaged one costs nothing. */
export function checkpointFiles(folder: string): string[] {
  return [join(folder, 'checkpoint'), join(folder, 'checkpoint.copy')];
}

/** What the file `checkpoint` says. */
export interface Checkpoint {
  /** Nothing up to this LSN needs replaying. */
  readonly lsn: number;
  /** directory.db has at least this LSN, or it lost its journal. */
  readonly directory: number;
}

function checkpointText({ lsn, directory }: Checkpoint): string {
  const text = `${lsn} ${directory}`;
  return `${text} ${Bun.hash.xxHash64(text, 2n).toString(16)}\n`;
}

/** The checkpoint: the newer of both files; null when there is none, or none that can be believed. */
export function readCheckpoint(folder: string): Checkpoint | null {
  let newest: Checkpoint | null = null;
  for (const path of checkpointFiles(folder)) {
    const found = existsSync(path) ? parseCheckpoint(readFileSync(path, 'latin1')) : null;
    if (found !== null && found.lsn > (newest?.lsn ?? -1)) newest = found;
  }
  return newest;
}

function parseCheckpoint(text: string): Checkpoint | null {
  // Format 1 wrote the LSN alone.
  const old = /^([0-9]{1,16})\n$/.exec(text);
  if (old !== null) return { lsn: Number(old[1]), directory: 0 };
  const [lsn, directory] = text.split(' ').map(Number);
  const checkpoint = { lsn: lsn ?? 0, directory: directory ?? 0 };
  return text === checkpointText(checkpoint) ? checkpoint : null;
}

/** @param checkpoint segments that end at or below it are needed by recovery only for their place in the chain */
export function headersOf(
  folder: string,
  removeTorn: boolean,
  checkpoint = 0,
): Segment[] {
  const found: Segment[] = [];
  const paths = listSegments(folder);
  for (const [index, path] of paths.entries()) {
    const header = readHeaderOf(path);
    if (header !== null) found.push({ path, header });
    else if (index === paths.length - 1 && isUnmade(path, readSynced(folder))) {
      if (removeTorn) unlinkSync(path);
    } else if (!endsAtOrBelow(paths[index + 1], checkpoint)) {
      throw new MailError(
        'server',
        'corruption',
        `redo log ${path} has a damaged header. ${LOSS_REMEDY}`,
      );
    }
  }
  return found;
}

/** Whether what came before this segment is not above the checkpoint. */
function endsAtOrBelow(next: string | undefined, checkpoint: number): boolean {
  const header = next === undefined ? null : readHeaderOf(next);
  return header !== null && header.predecessorLast <= checkpoint;
}

function syncData(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(fd, (error) => error === null || error === undefined ? resolve() : reject(error));
  });
}

/** What is missing at the end of the log. */
export interface EarlyEnd {
  /** LSN of the last record there is. */
  readonly last: number;
  /** Records went on up to here. */
  readonly synced: number;
  /** Says so. */
  readonly text: string;
}

/**
 * Whether a log that ends with this LSN went on: null where nobody knows, or where the loss was accepted.
 * @param synced what the mark (synced.ts) said before the log was read
 */
export function earlyEnd(folder: string, last: number, synced: number): EarlyEnd | null {
  if (synced <= last || isAcceptedLoss(readLosses(folder), null, synced)) return null;
  const newest = listSegments(folder).findLast((path) => readHeaderOf(path) !== null);
  const end = newest === undefined ? null : readSegment(newest, Infinity, Infinity, () => {})?.end;
  const place = newest === undefined
    ? `${folder} has no segment`
    : `${newest} ends at ${last}, offset ${end},`;
  const text = `redo log ${place} but went on to ${synced}: acknowledged changes are missing. ${LOSS_REMEDY}`;
  return { last, synced, text };
}

/**
 * Reads the records above an LSN for those who follow the log (check, rebuild of one owner). Returns the LSN of the last one. Throws
 * 'corruption' where records are missing between two of them; whether some are missing at the end only the mark knows (synced.ts).
 */
export function readLog(folder: string, afterLsn: number, each: (record: LogRecord) => void): number {
  const found = headersOf(folder, false, afterLsn);
  let lastLsn = 0;
  for (const [index, segment] of found.entries()) {
    const next = found[index + 1];
    const limit = next === undefined ? Number.MAX_SAFE_INTEGER : next.header.predecessorLast;
    if (limit <= afterLsn) continue;
    lastLsn = readSegment(segment.path, afterLsn, limit, each)?.lastLsn ?? 0;
    if (next !== undefined && lastLsn < limit) throw endsEarly(segment.path, lastLsn, limit);
  }
  return lastLsn;
}

function endsEarly(path: string, last: number, limit: number): MailError {
  return new MailError(
    'server',
    'corruption',
    `redo log ${path} ends at ${last} but its successor continues from ${limit}: ` +
      `acknowledged changes are missing. ${LOSS_REMEDY}`,
  );
}

/**
 * Reads all records of one closed segment. Returns the LSN of the last one, 0 when the header is damaged; throws 'corruption'
 * for damage before the last record.
 */
export function readLogFile(path: string, each: (record: LogRecord) => void): number {
  return readSegment(path, 0, Number.MAX_SAFE_INTEGER, each)?.lastLsn ?? 0;
}
