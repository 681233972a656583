/**
 * The order of SORT (RFC 5256 §3). Pure: messages are added with the columns the criteria need, in the order of their
 * sequence numbers, which decides between equals. Each key becomes a column of numbers, a text its rank among all texts of
 * its column, so that sorting compares numbers only.
 */

import { compareTexts } from './collate.ts';
import type { SortCriterion, SortKey } from './criterion.ts';

/** One message to be sorted. Only what the criteria name is asked. */
export interface SortMessage {
  readonly uid: number;
  /** Unix seconds. */
  readonly internaldate: number;
  /** Bytes. */
  readonly size: number;
  /** Unix seconds, UTC (RFC 5256 §2.2). */
  readonly sent: number;
  /** Texts as `sortText` makes them; empty where there is none. */
  readonly subject: string;
  readonly from: string;
  readonly to: string;
  readonly cc: string;
}

type Column =
  | { readonly text: false; readonly sign: number; readonly values: number[]; readonly of: Reader<number> }
  | { readonly text: true; readonly sign: number; readonly values: string[]; readonly of: Reader<string> };
type Reader<Value> = (message: SortMessage) => Value;

/** Length of a run that is sorted in one go, and steps of a merge between two yields. */
const SLICE = 8192;

/** Messages to be sorted by the same criteria. */
export class SortTable {
  readonly #columns: Column[];
  readonly #uids: number[] = [];

  constructor(criteria: readonly SortCriterion[]) {
    const seen = new Set<SortKey>();
    this.#columns = [];
    for (const { key, reverse } of criteria) {
      // Messages that a key holds for equal are equal when it is named again.
      if (!seen.has(key)) this.#columns.push(column(key, reverse ? -1 : 1));
      seen.add(key);
    }
  }

  /** Adds the message with the next higher sequence number. */
  add(message: SortMessage): void {
    this.#uids.push(message.uid);
    for (const each of this.#columns) {
      if (each.text) each.values.push(each.of(message));
      else each.values.push(each.of(message));
    }
  }

  /** The UIDs in order. Yields now and then, so that others get their turn however many there are. */
  *order(): Generator<void, number[]> {
    const columns: { sign: number; values: ArrayLike<number> }[] = [];
    for (const each of this.#columns) {
      columns.push({ sign: each.sign, values: each.text ? yield* ranks(each.values) : each.values });
    }
    const [only, second] = columns;
    const sorted = only !== undefined && second === undefined
      ? yield* numericOrder(only.values, only.sign)
      : yield* mergeSort(Array.from(this.#uids.keys()), (a, b) => {
        for (const { sign, values } of columns) {
          const difference = (values[a] as number) - (values[b] as number);
          if (difference !== 0) return sign * difference;
        }
        return a - b;
      });
    return sorted.map((index) => this.#uids[index] as number);
  }
}

function column(key: SortKey, sign: number): Column {
  switch (key) {
    case 'ARRIVAL':
      return { text: false, sign, values: [], of: (message) => message.internaldate };
    case 'DATE':
      return { text: false, sign, values: [], of: (message) => message.sent };
    case 'SIZE':
      return { text: false, sign, values: [], of: (message) => message.size };
    case 'SUBJECT':
      return { text: true, sign, values: [], of: (message) => message.subject };
    case 'FROM':
      return { text: true, sign, values: [], of: (message) => message.from };
    case 'TO':
      return { text: true, sign, values: [], of: (message) => message.to };
    case 'CC':
      return { text: true, sign, values: [], of: (message) => message.cc };
  }
}

/** Values that the runtime sorts in one go, as numbers: a few milliseconds. */
const AT_ONCE = 1 << 16;

/** Values below this leave room for their index in one exact number. */
const EXACT = Number.MAX_SAFE_INTEGER / AT_ONCE;

/** The indices of whole numbers in the order of `sign` times their value, equal ones in their own. Yields as sorting does. */
export function* numericOrder(values: ArrayLike<number>, sign: number): Generator<void, number[]> {
  const { length } = values;
  const keys = new Float64Array(length <= AT_ONCE ? length : 0);
  let exact = keys.length === length;
  for (let i = 0; exact && i < length; i++) {
    const value = sign * (values[i] as number);
    exact = Math.abs(value) < EXACT;
    keys[i] = value * AT_ONCE + i;
  }
  if (exact) return Array.from(keys.sort(), (key) => key - Math.floor(key / AT_ONCE) * AT_ONCE);
  const indices = Array.from({ length }, (_, index) => index);
  return yield* mergeSort(indices, (a, b) => sign * ((values[a] as number) - (values[b] as number)) || a - b);
}

/** The place of each text among the different ones. */
function* ranks(texts: readonly string[]): Generator<void, number[]> {
  const different = yield* mergeSort([...new Set(texts)], compareTexts);
  const places = new Map<string, number>();
  for (const text of different) places.set(text, places.size);
  return texts.map((text) => places.get(text) as number);
}

/** A stable sort that yields between runs and within long merges. */
export function* mergeSort<Item>(
  items: readonly Item[],
  compare: (a: Item, b: Item) => number,
): Generator<void, Item[]> {
  let runs: Item[][] = [];
  for (let at = 0; at < items.length; at += SLICE) {
    runs.push(items.slice(at, at + SLICE).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: Item[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const [left, right] = [runs[i] as Item[], runs[i + 1]];
      merged.push(right === undefined ? left : yield* merge(left, right, compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge<Item>(
  left: readonly Item[],
  right: readonly Item[],
  compare: (a: Item, b: Item) => number,
): Generator<void, Item[]> {
  const out: Item[] = [];
  let [i, j] = [0, 0];
  while (i < left.length && j < right.length) {
    const [a, b] = [left[i] as Item, right[j] as Item];
    if (compare(b, a) < 0) {
      out.push(b);
      j++;
    } else {
      out.push(a);
      i++;
    }
    if (out.length % SLICE === 0) yield;
  }
  for (; i < left.length; i++) out.push(left[i] as Item);
  for (; j < right.length; j++) out.push(right[j] as Item);
  return out;
}
