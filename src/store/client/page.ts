/** One page of rows of a mailbox: the living ones, and expunged ones within their grace where the living are missing. */
import type { NarrowRow, WideRow } from '../border.ts';
import type { UidSet } from '../uidset.ts';

/** Reads at most `limit` rows with UIDs `lo` to `hi` in ascending order, from the mailbox or from what was expunged. */
export type ReadRows<Row> = (lo: number, hi: number, limit: number, expunged: boolean) => Row[];

/**
 * Runs are read together while of the UIDs from the first to the last at least one in so many is wanted: a row that is read in
 * vain costs a tenth of a query.
 */
const SPARSE = 8;

/** Rows of `uids` above `after`, in ascending order, at most `limit`. */
export function readPage<Row extends NarrowRow | WideRow>(
  uids: UidSet,
  after: number,
  limit: number,
  read: ReadRows<Row>,
): Row[] {
  const { runs } = uids;
  const out: Row[] = [];
  for (let at = firstRunAfter(runs, after); at < runs.length && out.length < limit;) {
    const lo = Math.max(runs[at] as number, after + 1);
    const wanted = limit - out.length;
    const { end, members } = together(runs, at, lo, wanted);
    if (end === at + 2) {
      addRun(out, lo, runs[at + 1] as number, wanted, read);
    } else {
      const hi = runs[end - 1] as number;
      const rows = inRuns(read(lo, hi, hi - lo + 1, false), runs, at);
      addWith(
        out,
        rows,
        rows.length < members ? inRuns(read(lo, hi, hi - lo + 1, true), runs, at) : [],
        wanted,
      );
    }
    at = end;
  }
  return out;
}

/**
 * The runs that are read together with the one at `at`, up to `end`, and how many UIDs they hold: as many as the page has room
 * for, and not too far apart.
 */
function together(
  runs: Uint32Array,
  at: number,
  lo: number,
  wanted: number,
): { end: number; members: number } {
  let members = (runs[at + 1] as number) - lo + 1;
  let end = at + 2;
  while (end < runs.length) {
    const hi = runs[end + 1] as number;
    const more = members + hi - (runs[end] as number) + 1;
    if (more > wanted || hi - lo + 1 > SPARSE * more) break;
    members = more;
    end += 2;
  }
  return { end, members };
}

/** The rows whose UIDs stand in the runs from `at` on. */
function inRuns<Row extends NarrowRow | WideRow>(rows: Row[], runs: Uint32Array, at: number): Row[] {
  let run = at;
  return rows.filter((row) => {
    while ((runs[run + 1] as number) < row[0]) run += 2;
    return (runs[run] as number) <= row[0];
  });
}

function addRun<Row extends NarrowRow | WideRow>(
  out: Row[],
  lo: number,
  hi: number,
  wanted: number,
  read: ReadRows<Row>,
): void {
  const rows = read(lo, hi, wanted, false);
  // A full page ends at its last row; whatever is missing before that may be expunged.
  const end = rows.length === wanted ? (rows.at(-1) as Row)[0] : hi;
  addWith(out, rows, rows.length < end - lo + 1 ? read(lo, end, wanted, true) : [], wanted);
}

/** Appends living rows and expunged ones in order, together at most `wanted`. */
function addWith<Row extends NarrowRow | WideRow>(
  out: Row[],
  living: Row[],
  expunged: Row[],
  wanted: number,
): void {
  let rows = living;
  if (expunged.length > 0) {
    // What was expunged between the two reads is in both.
    const there = new Set(living.map((row) => row[0]));
    const gone = expunged.filter((row) => !there.has(row[0]));
    if (gone.length > 0) rows = [...living, ...gone].sort((a, b) => a[0] - b[0]).slice(0, wanted);
  }
  for (const row of rows) out.push(row);
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
