/** Lines of a mailbox's messages, read in ranges of UIDs whose positions go along with them. */
import type { Lines } from '../border.ts';
import type { UidSet } from '../uidset.ts';

/** Reads the lines of the messages `lo` to `hi`: their bytes, how many there are, their highest modseq. */
export type ReadLines = (lo: number, hi: number, shift: number) => RangeOfLines;

export type RangeOfLines = [bytes: Uint8Array<ArrayBuffer> | null, count: number, modseq: number | null];

/** A query of its own costs as much as so many rows in one that is under way. */
const WORTH = 8;

/**
 * Lines of `uids` above `after`, at most `limit`; `positions` holds all of them. Null where rows are the better way: the UIDs
 * lie scattered, or some of them are there no more.
 */
export function readLines(
  uids: UidSet,
  after: number,
  limit: number,
  positions: UidSet,
  read: ReadLines,
): Lines | null {
  const first = uids.rank(after) + 1;
  const page = uids.slice(first, first + limit - 1);
  if (page.runCount * WORTH > page.size) return null;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let highest = 0;
  const { runs } = page;
  for (let at = 0; at < runs.length; at += 2) {
    const [lo, hi] = [runs[at] as number, runs[at + 1] as number];
    const [bytes, count, modseq] = read(lo, hi, positions.positionOf(lo) - lo);
    if (bytes === null || modseq === null || count !== hi - lo + 1) return null;
    chunks.push(bytes);
    highest = Math.max(highest, modseq);
  }
  return { chunks, count: page.size, last: page.max, modseq: highest };
}
