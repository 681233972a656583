/**
 * Pieces of the log for those who keep it elsewhere: the records between two LSNs, segment by segment, each piece in the form
 * of a segment itself (its header, then whole batches), so that the same code reads both.
 */
import { readFileSync } from 'node:fs';
import { MailError } from '../../errors.ts';
import { decodeBatch } from './batch.ts';
import type { LogRecord } from './record.ts';
import { headersOf } from './redo.ts';
import { readHeader, scanSegment, SEGMENT_HEADER } from './segment.ts';

export interface LogPiece {
  readonly bytes: Buffer;
  /** LSNs of its first and last record. */
  readonly first: number;
  readonly last: number;
}

/** A place in the log: a record, and the random id of the segment it lies in ('' where that segment is gone). */
export interface LogPlace {
  readonly lsn: number;
  readonly segment: string;
}

/** How a log continues from a place: with what follows it; without it, as segments are gone; or it is another log. */
export type Continuation = 'whole' | 'gap' | 'foreign';

interface Range {
  readonly id: string;
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  readonly first: number;
  readonly last: number;
}

/** The batches of a segment with records above `after` and not above `upTo`; null where there are none. */
function rangeOf(path: string, after: number, upTo: number): Range | null {
  const bytes = readFileSync(path);
  const header = readHeader(bytes);
  if (header === null) return null;
  let [from, to, first, last] = [0, 0, 0, 0];
  for (let at = SEGMENT_HEADER;;) {
    const batch = decodeBatch(bytes, at, header.id);
    if (batch === null) break;
    const end = batch.firstLsn + batch.count - 1;
    if (end > upTo) break;
    if (batch.firstLsn > after) {
      if (from === 0) [from, first] = [at, batch.firstLsn];
      [to, last] = [batch.end, end];
    }
    at = batch.end;
  }
  return from === 0 ? null : { id: header.id.toString(16), bytes, from, to, first, last };
}

/**
 * The records above `after` up to `upTo`, which must both be ends of batches: a cut made before, and the published durable LSN
 * (DESIGN rule 9). Holds one segment in memory at a time.
 */
export function* logPieces(folder: string, after: number, upTo: number): IterableIterator<LogPiece> {
  const found = headersOf(folder, false);
  for (const [index, { path, header }] of found.entries()) {
    const dead = found[index + 1]?.header.predecessorLast ?? Number.MAX_SAFE_INTEGER;
    if (dead <= after || header.firstLsn > upTo) continue;
    const end = Math.min(upTo, dead);
    const range = rangeOf(path, after, end);
    if (end > after && end >= header.firstLsn && range?.last !== end) {
      const last = range?.last ?? 'its header';
      throw new MailError('server', 'corruption', `redo log ${path} ends at ${last} instead of ${end}`);
    }
    if (range === null) continue;
    const { bytes, from, to, first, last } = range;
    yield {
      bytes: Buffer.concat([bytes.subarray(0, SEGMENT_HEADER), bytes.subarray(from, to)]),
      first,
      last,
    };
  }
}

/** The place of the last record not above `upTo`. */
export function logEnd(folder: string, upTo: number): LogPlace {
  const found = headersOf(folder, false);
  let limit = upTo;
  for (const { path, header } of found.toReversed()) {
    const range = header.firstLsn > limit ? null : rangeOf(path, 0, limit);
    if (range !== null) return { lsn: range.last, segment: range.id };
    limit = Math.min(limit, header.predecessorLast);
  }
  return { lsn: Math.min(limit, found[0]?.header.predecessorLast ?? 0), segment: '' };
}

/** Whether the log holds everything behind a place, and is the log of that place at all. */
export function continuation(folder: string, place: LogPlace): Continuation {
  const found = headersOf(folder, false);
  const at = found.findIndex(({ header }) => header.id.toString(16) === place.segment);
  if (at !== -1) {
    const dead = found[at + 1]?.header.predecessorLast ?? Number.MAX_SAFE_INTEGER;
    return dead >= place.lsn ? 'whole' : 'foreign';
  }
  const before = found[0]?.header.predecessorLast ?? 0;
  if (before === place.lsn) return 'whole';
  return before > place.lsn ? 'gap' : 'foreign';
}

/** The records of a piece above `after`, in order. Throws 'corruption' where it is not what was written. */
export function readPiece(
  name: string,
  bytes: Buffer,
  after: number,
  each: (record: LogRecord) => void,
): void {
  const contents = scanSegment(name, bytes, after, Number.MAX_SAFE_INTEGER, each);
  if (contents === null || contents.end !== bytes.length) {
    throw new MailError('server', 'corruption', `${name} does not hold whole batches of the log`);
  }
}
