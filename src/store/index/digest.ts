/**
 * Checksums of rows: SQLite's pages have none, so a bit that flipped on disk or in memory would be believed.
 *
 * - Rows that are written one by one carry `digest`: a hash of the table's name and of all other columns.
 * - Rows of `msg` and `expunged` are changed by the thousand in one statement and carry `chk`: a sum of their columns, each
 *   times a prime of its own. Any change of one column alone is found, whatever it is, for nothing wraps around. And
 *   because the sum is linear, statements add what *they* change and never make the sum anew: a row that was damaged before
 *   stays recognizable after STORE, COPY, MOVE and EXPUNGE.
 *
 * Rows that are lost or came from nowhere are found by counting: mailboxes count their messages, `state` the rest.
 */
import type { SqlValue } from './statements.ts';

/** The lower 53 bits: what a JavaScript number holds exactly. */
const DIGEST_BITS = 0x1f_ffff_ffff_ffffn;

/** Digest of a row: all columns but `digest`, in the order of the schema. */
export function digestOf(table: string, columns: readonly SqlValue[]): number {
  let text = table;
  let seed = 0n;
  for (const value of columns) {
    if (typeof value === 'string') text += `\u0000s${value.length}:${value}`;
    else if (typeof value === 'number') text += `\u0000i${value}`;
    else if (value === null) text += '\u0000n';
    else {
      seed = Bun.hash.xxHash64(value, seed);
      text += `\u0000b${value.length}`;
    }
  }
  return Number(Bun.hash.xxHash64(text, seed) & DIGEST_BITS);
}

/** Factors of `chk`, below 2^13: with 32-bit columns and dates before the year 10000 the sum stays far below 2^53. */
export const FACTOR = {
  mailbox: 8053,
  uid: 7927,
  lo: 7621,
  hi: 7333,
  modseq: 7103,
  size: 6803,
  internaldate: 6521,
  savedate: 6301,
  part: 6113,
  expungedat: 5879,
} as const;

/** So that a row of zeros is not right. */
const BASE = 376_001;

/** `chk` of a row of `msg` as an SQL expression over its columns. */
export const MSG_CHK = `${BASE} + mailbox * ${FACTOR.mailbox} + uid * ${FACTOR.uid} + ` +
  `(flags & 4294967295) * ${FACTOR.lo} + (flags >> 32) * ${FACTOR.hi} + modseq * ${FACTOR.modseq} + ` +
  `size * ${FACTOR.size} + internaldate * ${FACTOR.internaldate} + savedate * ${FACTOR.savedate} + ` +
  `part * ${FACTOR.part}`;

/** The same for `expunged`. */
export const EXPUNGED_CHK = `${MSG_CHK} + expungedat * ${FACTOR.expungedat}`;

/**
 * `chk` of a row of `msg`. Exact, like SQLite's, while it is a safe integer; what is not is a modseq, size or date that no
 * store reaches, or damage.
 */
export function messageChk(
  mailbox: number,
  uid: number,
  lo: number,
  hi: number,
  modseq: number,
  size: number,
  internaldate: number,
  savedate: number,
  part: number,
): number {
  return BASE + mailbox * FACTOR.mailbox + uid * FACTOR.uid + lo * FACTOR.lo + hi * FACTOR.hi +
    modseq * FACTOR.modseq + size * FACTOR.size + internaldate * FACTOR.internaldate +
    savedate * FACTOR.savedate + part * FACTOR.part;
}
