/** One page of rows of a mailbox: the living ones, and expunged ones within their grace where the living are missing. */
import type { NarrowRow, WideRow } from '../border.ts';
import type { UidSet } from '../uidset.ts';

/** Reads at most `limit` rows with UIDs `lo` to `hi` in ascending order, from the mailbox or from what was expunged. */
export type ReadRows<Row> = (lo: number, hi: number, limit: number, expunged: boolean) => Row[];

/** Rows of `uids` above `after`, in ascending order, at most `limit`. */
export function readPage<Row extends NarrowRow | WideRow>(
  uids: UidSet,
  after: number,
  limit: number,
  read: ReadRows<Row>,
): Row[] {
  const out: Row[] = [];
  const { runs } = uids;
  for (let at = firstRunAfter(runs, after); at < runs.length && out.length < limit; at += 2) {
    const lo = Math.max(runs[at] as number, after + 1);
    const hi = runs[at + 1] as number;
    const wanted = limit - out.length;
    let rows = read(lo, hi, wanted, false);
    // A full page ends at its last row; whatever is missing before that may be expunged.
    const end = rows.length === wanted ? (rows.at(-1) as Row)[0] : hi;
    if (rows.length < end - lo + 1) {
      const there = new Set(rows.map((row) => row[0]));
      // What was expunged between the two reads is in both.
      const gone = read(lo, end, wanted, true).filter((row) => !there.has(row[0]));
      if (gone.length > 0) rows = [...rows, ...gone].sort((a, b) => a[0] - b[0]).slice(0, wanted);
    }
    if (out.length === 0) out.push(...rows);
    else for (const row of rows) out.push(row);
  }
  return out;
}

/** Index of the first run that reaches beyond `after`. */
function firstRunAfter(runs: Uint32Array, after: number): number {
  let lo = 0;
  let hi = runs.length >> 1;
  while (lo < hi) {
    const middle = (lo + hi) >> 1;
    if ((runs[2 * middle + 1] as number) > after) hi = middle;
    else lo = middle + 1;
  }
  return lo * 2;
}
