/**
 * A segment: one file of the redo log, named after the first LSN it can hold.
 *
 *     "MSLOG1\r\n" | u64 segment id (random) | u64 first LSN | u64 last LSN of the predecessor | u64 created (ms) | u64 checksum
 */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { randomBytes } from '../../crypto.ts';
import { BATCH_HEADER, decodeBatch, findBatchBehind } from './batch.ts';
import { decodeFrame } from './frame.ts';
import { type LogRecord, unpackHead } from './record.ts';
import { MailError } from '../../errors.ts';
import { step } from '../step.ts';

const MAGIC = Buffer.from('MSLOG1\r\n', 'latin1');
export const SEGMENT_HEADER = 48;

/** What an administrator can do where acknowledged records cannot be read. */
export const LOSS_REMEDY = 'Put the file back from a backup or restore the store; if there is none, ' +
  '"mailstore reconstruct --accept-log-loss" goes on without what cannot be read.';

export interface SegmentHeader {
  id: bigint;
  firstLsn: number;
  /** Everything the predecessor holds behind this LSN is dead for ever (DESIGN rule 1). */
  predecessorLast: number;
  created: number;
}

/** File name of the segment that starts at this LSN. */
export function segmentFile(firstLsn: number): string {
  return `${firstLsn.toString(16).padStart(14, '0')}.log`;
}

/** Paths of all segments in LSN order. */
export function listSegments(folder: string): string[] {
  return readdirSync(folder).filter((name) => /^[0-9a-f]{14}\.log$/.test(name)).sort().map((name) =>
    join(folder, name)
  );
}

/** Flushes a folder's entries: names made or removed in it are durable afterwards. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Writes a small file durably in place of an older one. */
export function writeDurably(path: string, contents: string | Uint8Array): void {
  const fd = openSync(`${path}.new`, 'w', 0o600);
  try {
    const bytes = typeof contents === 'string' ? Buffer.from(contents) : contents;
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    step('note.written');
    fsyncSync(fd);
    step('note.synced');
  } finally {
    closeSync(fd);
  }
  renameSync(`${path}.new`, path);
  step('note.renamed');
  syncFolder(dirname(path));
  step('note.named');
}

/** The bytes of a header. */
export function encodeHeader({ id, firstLsn, predecessorLast, created }: SegmentHeader): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER);
  MAGIC.copy(header);
  header.writeBigUInt64LE(id, 8);
  header.writeBigUInt64LE(BigInt(firstLsn), 16);
  header.writeBigUInt64LE(BigInt(predecessorLast), 24);
  header.writeBigInt64LE(BigInt(created), 32); // signed: clocks can be wrong in both directions
  header.writeBigUInt64LE(Bun.hash.xxHash64(header.subarray(0, 40), 1n), 40);
  return header;
}

/** The header of a segment, with a random id of its own. */
export function segmentHeader(firstLsn: number, predecessorLast: number): Buffer {
  const id = randomBytes(8).readBigUInt64LE(0);
  return encodeHeader({ id, firstLsn, predecessorLast, created: Date.now() });
}

/** Creates a segment file durably (contents and name) and returns it open for appending. */
export function createSegment(
  folder: string,
  firstLsn: number,
  predecessorLast: number,
): { fd: number; id: bigint; path: string } {
  const path = join(folder, segmentFile(firstLsn));
  const header = segmentHeader(firstLsn, predecessorLast);
  const fd = openSync(path, 'wx', 0o600);
  step('segment.created');
  writeSync(fd, header);
  step('segment.written');
  fsyncSync(fd);
  step('segment.synced');
  syncFolder(folder);
  step('segment.named');
  return { fd, id: header.readBigUInt64LE(8), path };
}

/** The header, or null where the file is too short or torn: a segment whose creation was never completed. */
export function readHeader(bytes: Buffer): SegmentHeader | null {
  if (bytes.length < SEGMENT_HEADER || !bytes.subarray(0, 8).equals(MAGIC)) return null;
  if (Bun.hash.xxHash64(bytes.subarray(0, 40), 1n) !== bytes.readBigUInt64LE(40)) return null;
  return {
    id: bytes.readBigUInt64LE(8),
    firstLsn: Number(bytes.readBigUInt64LE(16)),
    predecessorLast: Number(bytes.readBigUInt64LE(24)),
    created: Number(bytes.readBigInt64LE(32)),
  };
}

/**
 * The header of a segment file; only its first bytes are read. Null also where it is that of another segment: a header that was
 * never synced may be, after a loss of power, what stood on the disk before.
 */
export function readHeaderOf(path: string): SegmentHeader | null {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(SEGMENT_HEADER);
    const header = readHeader(bytes.subarray(0, readSync(fd, bytes, 0, SEGMENT_HEADER, 0)));
    return header?.firstLsn === firstLsnOf(path) ? header : null;
  } finally {
    closeSync(fd);
  }
}

/** The first LSN a segment can hold, as its name says. */
export function firstLsnOf(path: string): number {
  return parseInt(basename(path), 16);
}

/**
 * Whether the newest segment, whose header cannot be read, was never completed: a header is synced before anything is appended.
 * @param synced records up to this LSN were durable (synced.ts)
 */
export function isUnmade(path: string, synced: number): boolean {
  return statSync(path).size <= SEGMENT_HEADER && firstLsnOf(path) > synced;
}

/** Whether a segment's first batch is whole. No more than that is read. */
export function holdsBatch(path: string): boolean {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const begin = Buffer.alloc(SEGMENT_HEADER + BATCH_HEADER);
    const header = readHeader(begin.subarray(0, readSync(fd, begin, 0, begin.length, 0)));
    const end = begin.length + begin.readUInt32LE(SEGMENT_HEADER + 4);
    if (header === null || end > size) return false;
    const bytes = Buffer.alloc(end);
    return readSync(fd, bytes, 0, end, 0) === end && decodeBatch(bytes, SEGMENT_HEADER, header.id) !== null;
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes the end of a segment durable (DESIGN rule 2). The last batch is written again, byte for byte: if its sync failed in the
 * last run, the kernel holds its pages for clean although the disk never got them, and a sync alone would do nothing.
 * @returns the segment's bytes
 */
export function syncTail(path: string): Buffer {
  const bytes = readFileSync(path);
  const header = readHeader(bytes);
  let start = -1;
  let end = SEGMENT_HEADER;
  while (header !== null) {
    const batch = decodeBatch(bytes, end, header.id);
    if (batch === null) break;
    start = end;
    end = batch.end;
  }
  const fd = openSync(path, 'r+');
  try {
    for (let at = start; at !== -1 && at < end;) at += writeSync(fd, bytes, at, end - at, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  return bytes;
}

/** What a segment holds: its valid records up to `limit` (an LSN) and where they end. */
export interface SegmentContents {
  header: SegmentHeader;
  lastLsn: number;
  /** Offset behind the last valid batch. */
  end: number;
  bytes: Buffer;
}

/**
 * Reads and checks a segment. An invalid last batch is the end of the log; an invalid batch with a valid one
 * behind it is damage and throws 'corruption' naming file and offset (DESIGN rule 5). `each` gets every record.
 * @param after records up to this LSN are checked but not reported
 * @param limit records with a higher LSN are dead and not reported
 * @param each gets the first LSN of the record's batch, too; null where it is enough that the batches are whole
 */
export function readSegment(
  path: string,
  after: number,
  limit: number,
  each: ((record: LogRecord, batch: number) => void) | null,
): SegmentContents | null {
  return scanSegment(path, readFileSync(path), after, limit, each);
}

/** The same of a segment's bytes. */
export function scanSegment(
  path: string,
  bytes: Buffer,
  after: number,
  limit: number,
  each: ((record: LogRecord, batch: number) => void) | null,
): SegmentContents | null {
  const header = readHeader(bytes);
  if (header === null) {
    return null;
  }
  let at = SEGMENT_HEADER;
  let lastLsn = header.predecessorLast;
  while (at < bytes.length) {
    const batch = decodeBatch(bytes, at, header.id);
    if (batch === null) {
      const expected = Math.max(lastLsn + 1, header.firstLsn);
      const behind = findBatchBehind(bytes, at, header.id, expected);
      // LSNs of a segment have no gaps: what is damaged was not wanted.
      if (behind !== -1 && Number(bytes.readBigUInt64LE(behind + 8)) - 1 <= after) {
        at = behind;
        continue;
      }
      if (behind !== -1 && Number(bytes.readBigUInt64LE(behind + 8)) <= limit) {
        throw new MailError(
          'server',
          'corruption',
          `redo log ${path} is damaged at offset ${at}: a valid batch follows at ${behind}. ` +
            `Nothing was changed. ${LOSS_REMEDY}`,
        );
      }
      break;
    }
    if (batch.firstLsn > limit) break;
    const batchLast = batch.firstLsn + batch.count - 1;
    if (batchLast <= after || each === null && batchLast <= limit) {
      lastLsn = batchLast;
      at = batch.end;
      continue;
    }
    let offset = 0;
    for (let i = 0; i < batch.count; i++) {
      const frame = decodeFrame(batch.payload, offset);
      offset = frame.end;
      const head = unpackHead(frame.head);
      if (head.l > limit) break;
      if (head.l > after) each?.({ ...head, blobs: frame.blobs }, batch.firstLsn);
      lastLsn = head.l;
    }
    at = batch.end;
  }
  return { header, lastLsn, end: at, bytes };
}
