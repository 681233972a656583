/**
 * A set of numbers as runs: UIDs of a mailbox, sequence numbers of a command, positions in a view.
 *
 * Invariants
 * 1. `runs` holds inclusive pairs lo, hi, lo, hi, ...: ascending, disjoint and not adjacent, so a set has exactly
 *    one form and a mailbox without gaps is one run whatever its size.
 * 2. Members are 1 to 4,294,967,295 (RFC 9051 §2.3.1.1: UIDs are non-zero 32-bit numbers).
 * 3. A set never changes; every operation returns a new one, or one of its operands where that is the answer.
 *    So a set may be shared between connections.
 * 4. Position p (1-based) of a mailbox's UID set is the message with sequence number p: this class is both the
 *    set and the map between UIDs and sequence numbers. The counts behind it are built on first use.
 */

import { MailError, syntaxError } from '../errors.ts';

/** Largest member: the largest UID (RFC 9051 §2.3.1.1). */
export const MAX_UID = 0xffffffff;

/** An immutable set of numbers 1 to 4,294,967,295 stored as runs. */
export class UidSet {
  static readonly empty: UidSet = new UidSet(new Uint32Array(0));

  /** Inclusive pairs lo, hi; see invariant 1. Not to be written to. */
  readonly runs: Uint32Array;

  /** Number of members. */
  readonly size: number;

  /** Members before each run, built when a position is first asked for. */
  #before: Float64Array | undefined;

  /** `size` is given where it is known: a mailbox may have half a million runs, and few of them change. */
  private constructor(runs: Uint32Array, size = sizeOf(runs)) {
    this.runs = runs;
    this.size = size;
  }

  /** The set of these numbers, in any order, repeated or not. */
  static of(...uids: number[]): UidSet {
    const pairs: number[] = [];
    for (const uid of uids) pairs.push(uid, uid);
    return UidSet.fromRuns(pairs);
  }

  /** All numbers from `lo` to `hi`, both included; empty when `hi < lo`. */
  static range(lo: number, hi: number): UidSet {
    if (hi < lo) return UidSet.empty;
    return new UidSet(Uint32Array.of(member(lo), member(hi)));
  }

  /**
   * A set from a flat list lo, hi, lo, hi, ... in any order, overlapping or not (each hi >= its lo).
   * O(n) when the pairs come ascending, else O(n log n).
   */
  static fromRuns(pairs: ArrayLike<number>): UidSet {
    const count = pairs.length >> 1;
    if (count === 0) return UidSet.empty;
    let ascending = true;
    for (let i = 0; i < count; i++) {
      const lo = member(pairs[2 * i] as number);
      const hi = member(pairs[2 * i + 1] as number);
      if (hi < lo) throw new MailError('server', 'serverbug', `UID run ${lo}:${hi} is reversed`);
      if (i > 0 && lo < (pairs[2 * i - 2] as number)) ascending = false;
    }
    let order: Uint32Array | undefined;
    if (!ascending) {
      order = new Uint32Array(count);
      for (let i = 0; i < count; i++) order[i] = i;
      order.sort((a, b) => (pairs[2 * a] as number) - (pairs[2 * b] as number));
    }
    const sink = new RunSink(count);
    for (let i = 0; i < count; i++) {
      const k = 2 * (order === undefined ? i : at(order, i));
      sink.add(pairs[k] as number, pairs[k + 1] as number);
    }
    return UidSet.#wrap(sink.finish());
  }

  /** A set from an ascending list of numbers; repeats are allowed. The cheapest way in from a query's column. */
  static fromSorted(uids: ArrayLike<number>): UidSet {
    const sink = new RunSink(16);
    for (let i = 0; i < uids.length; i++) {
      const uid = member(uids[i] as number);
      if (uid < sink.hi) throw new MailError('server', 'serverbug', `UID ${uid} follows ${sink.hi}`);
      sink.add(uid, uid);
    }
    return UidSet.#wrap(sink.finish());
  }

  /**
   * The set written as `1:5,7`, the form of `toString`. Any order and reversed ranges are read too; the empty text is
   * the empty set. Throws a syntax error otherwise. (A client's sequence-set is read by imap/sequence.ts.)
   */
  static parse(text: string): UidSet {
    if (text === '') return UidSet.empty;
    const pairs: number[] = [];
    for (const element of text.split(',')) {
      const colon = element.indexOf(':');
      const a = parseUid(colon < 0 ? element : element.slice(0, colon));
      const b = colon < 0 ? a : parseUid(element.slice(colon + 1));
      pairs.push(Math.min(a, b), Math.max(a, b));
    }
    return UidSet.fromRuns(pairs);
  }

  get isEmpty(): boolean {
    return this.runs.length === 0;
  }

  /** Number of runs: what the set costs, and how many elements its text has. */
  get runCount(): number {
    return this.runs.length >> 1;
  }

  /** Smallest member, 0 when empty. */
  get min(): number {
    return this.runs.length === 0 ? 0 : at(this.runs, 0);
  }

  /** Largest member, 0 when empty. */
  get max(): number {
    return this.runs.length === 0 ? 0 : at(this.runs, this.runs.length - 1);
  }

  has(uid: number): boolean {
    const i = this.#runFrom(uid);
    return i < this.runs.length && at(this.runs, i) <= uid;
  }

  equals(other: UidSet): boolean {
    const a = this.runs;
    const b = other.runs;
    if (a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
    return true;
  }

  /** This set and the run `lo:hi`; cheap when the run lies at or behind the end, as a new message's UID does. */
  add(lo: number, hi: number = lo): UidSet {
    if (hi < lo) return this;
    const { runs } = this;
    if (runs.length === 0) return UidSet.range(lo, hi);
    const last = this.max;
    if (lo > last) return UidSet.#join(this, UidSet.range(lo, hi));
    if (lo >= at(runs, runs.length - 2)) {
      if (hi <= last) return this;
      const grown = runs.slice();
      grown[runs.length - 1] = member(hi);
      return new UidSet(grown, this.size + hi - last);
    }
    return this.union(UidSet.range(lo, hi));
  }

  union(other: UidSet): UidSet {
    if (other.runs.length === 0) return this;
    if (this.runs.length === 0) return other;
    if (other.min > this.max) return UidSet.#join(this, other);
    if (this.min > other.max) return UidSet.#join(other, this);
    const a = this.runs;
    const b = other.runs;
    const sink = new RunSink((a.length + b.length) >> 1);
    let i = 0;
    let j = 0;
    while (i < a.length || j < b.length) {
      if (j >= b.length || (i < a.length && at(a, i) <= at(b, j))) {
        sink.add(at(a, i), at(a, i + 1));
        i += 2;
      } else {
        sink.add(at(b, j), at(b, j + 1));
        j += 2;
      }
    }
    return UidSet.#wrap(sink.finish());
  }

  intersect(other: UidSet): UidSet {
    const a = this.runs;
    const b = other.runs;
    if (a.length === 0 || b.length === 0) return UidSet.empty;
    // Both begin where the other does: a few UIDs against a large mailbox cost a binary search, not a walk.
    let i = this.#runFrom(other.min);
    let j = other.#runFrom(this.min);
    const sink = new RunSink(8);
    while (i < a.length && j < b.length) {
      const lo = Math.max(at(a, i), at(b, j));
      const hi = Math.min(at(a, i + 1), at(b, j + 1));
      if (lo <= hi) sink.add(lo, hi);
      if (at(a, i + 1) < at(b, j + 1)) i += 2;
      else j += 2;
    }
    return UidSet.#wrap(sink.finish());
  }

  /** Members of this set that are not in `other`. */
  subtract(other: UidSet): UidSet {
    const a = this.runs;
    const b = other.runs;
    if (a.length === 0 || b.length === 0 || this.max < other.min || other.max < this.min) return this;
    let i = this.#runFrom(other.min);
    let j = other.#runFrom(this.min);
    const sink = new RunSink((a.length + b.length) >> 1);
    sink.copy(a, 0, i);
    let removed = 0;
    while (i < a.length && j < b.length) {
      let lo = at(a, i);
      const hi = at(a, i + 1);
      while (j < b.length && at(b, j) <= hi) {
        removed += Math.max(0, Math.min(hi, at(b, j + 1)) - Math.max(lo, at(b, j)) + 1);
        if (at(b, j) > lo) sink.add(lo, at(b, j) - 1);
        lo = Math.max(lo, at(b, j + 1) + 1);
        if (at(b, j + 1) > hi) break;
        j += 2;
      }
      if (lo <= hi) sink.add(lo, hi);
      i += 2;
    }
    sink.copy(a, i, a.length);
    const left = sink.finish();
    return left.length === 0 ? UidSet.empty : new UidSet(left, this.size - removed);
  }

  /** Members from `lo` to `hi`, both included. */
  clip(lo: number, hi: number): UidSet {
    if (this.runs.length === 0 || (lo <= this.min && this.max <= hi)) return this;
    const first = this.#runFrom(lo);
    let end = this.#runFrom(hi);
    if (end < this.runs.length && at(this.runs, end) <= hi) end += 2;
    if (hi < lo || first >= end) return UidSet.empty;
    const runs = this.runs.slice(first, end);
    runs[0] = Math.max(at(runs, 0), lo);
    runs[runs.length - 1] = Math.min(at(runs, runs.length - 1), hi);
    return new UidSet(runs);
  }

  /** The member at this position, counted from 1; 0 when there is none. */
  at(position: number): number {
    if (position < 1 || position > this.size) return 0;
    const before = this.#counts();
    const i = this.#runAtPosition(position);
    return at(this.runs, 2 * i) + (position - 1 - (before[i] as number));
  }

  /** How many members are <= `uid`. */
  rank(uid: number): number {
    const i = this.#runFrom(uid);
    if (i >= this.runs.length) return this.size;
    const before = this.#counts()[i >> 1] as number;
    const lo = at(this.runs, i);
    return lo <= uid ? before + uid - lo + 1 : before;
  }

  /** The position of `uid` counted from 1, or 0 when it is no member: its sequence number. */
  positionOf(uid: number): number {
    const i = this.#runFrom(uid);
    if (i >= this.runs.length || at(this.runs, i) > uid) return 0;
    return (this.#counts()[i >> 1] as number) + uid - at(this.runs, i) + 1;
  }

  /** The members at the positions `from` to `to`, both included and counted from 1. */
  slice(from: number, to: number): UidSet {
    const first = Math.max(from, 1);
    const last = Math.min(to, this.size);
    if (last < first) return UidSet.empty;
    return this.clip(this.at(first), this.at(last));
  }

  /** The positions of those `uids` that are members: UIDs to sequence numbers. */
  positions(uids: UidSet): UidSet {
    const common = this.intersect(uids);
    if (common.runs.length === 0) return common;
    const before = this.#counts();
    const sink = new RunSink(common.runCount);
    let i = this.#runFrom(common.min);
    for (let k = 0; k < common.runs.length; k += 2) {
      // Every common run lies inside exactly one of ours, and they ascend together.
      const lo = at(common.runs, k);
      if (at(this.runs, i + 1) < lo) i = this.#runFrom(lo);
      const shift = (before[i >> 1] as number) + 1 - at(this.runs, i);
      sink.add(lo + shift, at(common.runs, k + 1) + shift);
    }
    return UidSet.#wrap(sink.finish());
  }

  /** The members at these positions: sequence numbers to UIDs. Positions that do not exist are left out. */
  atPositions(positions: UidSet): UidSet {
    const wanted = positions.clip(1, this.size);
    if (wanted.runs.length === 0 || this.size === 0) return UidSet.empty;
    const { runs } = this;
    const before = this.#counts();
    const sink = new RunSink(wanted.runCount);
    let i = 0;
    for (let k = 0; k < wanted.runs.length; k += 2) {
      let from = at(wanted.runs, k);
      const to = at(wanted.runs, k + 1);
      if (from > (before[i] as number) + at(runs, 2 * i + 1) - at(runs, 2 * i) + 1) {
        i = this.#runAtPosition(from);
      }
      while (from <= to) {
        const lo = at(runs, 2 * i);
        const length = at(runs, 2 * i + 1) - lo + 1;
        const offset = from - 1 - (before[i] as number);
        const taken = Math.min(length - offset, to - from + 1);
        sink.add(lo + offset, lo + offset + taken - 1);
        from += taken;
        if (from <= to) i++;
      }
    }
    return UidSet.#wrap(sink.finish());
  }

  /** Calls `each` with the inclusive ends of every run, ascending. */
  forEachRun(each: (lo: number, hi: number) => void): void {
    for (let i = 0; i < this.runs.length; i += 2) each(at(this.runs, i), at(this.runs, i + 1));
  }

  /** Every member, ascending. */
  *[Symbol.iterator](): IterableIterator<number> {
    for (let i = 0; i < this.runs.length; i += 2) {
      const hi = at(this.runs, i + 1);
      for (let uid = at(this.runs, i); uid <= hi; uid++) yield uid;
    }
  }

  /** The set as an IMAP sequence-set or uid-set, `1:5,7`; the empty set is the empty text. */
  toString(): string {
    let text = '';
    for (let i = 0; i < this.runs.length; i += 2) {
      const lo = at(this.runs, i);
      const hi = at(this.runs, i + 1);
      text += (i === 0 ? '' : ',') + (lo === hi ? `${lo}` : `${lo}:${hi}`);
    }
    return text;
  }

  /** The runs of two sets that are not empty, all of `a` before `b`: copied whole, as when new messages arrive. */
  static #join(low: UidSet, high: UidSet): UidSet {
    const [a, b] = [low.runs, high.runs];
    const touch = at(a, a.length - 1) + 1 === at(b, 0) ? 1 : 0;
    const runs = new Uint32Array(a.length + b.length - 2 * touch);
    runs.set(a);
    // Where the two touch, the last end of `a` gives way to the first end of `b`.
    runs.set(b.subarray(touch), a.length - touch);
    const joined = new UidSet(runs, low.size + high.size);
    if (low.#before !== undefined) {
      const before = new Float64Array(runs.length >> 1);
      before.set(low.#before);
      for (let i = low.#before.length; i < before.length; i++) {
        before[i] = (before[i - 1] as number) + at(runs, 2 * i - 1) - at(runs, 2 * i - 2) + 1;
      }
      joined.#before = before;
    }
    return joined;
  }

  /** Wraps runs that already keep invariant 1. */
  static #wrap(runs: Uint32Array): UidSet {
    return runs.length === 0 ? UidSet.empty : new UidSet(runs);
  }

  /** Index into `runs` of the first run whose hi >= uid, or `runs.length`. */
  #runFrom(uid: number): number {
    const { runs } = this;
    let low = 0;
    let high = runs.length >> 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at(runs, 2 * middle + 1) < uid) low = middle + 1;
      else high = middle;
    }
    return 2 * low;
  }

  /** Number of the run that holds this position, which exists. */
  #runAtPosition(position: number): number {
    const before = this.#counts();
    let low = 0;
    let high = before.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((before[middle] as number) < position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #counts(): Float64Array {
    if (this.#before !== undefined) return this.#before;
    const before = new Float64Array(this.runs.length >> 1);
    let count = 0;
    for (let i = 0; i < before.length; i++) {
      before[i] = count;
      count += at(this.runs, 2 * i + 1) - at(this.runs, 2 * i) + 1;
    }
    this.#before = before;
    return before;
  }
}

/** Collects ascending runs, joining what overlaps or touches. */
class RunSink {
  /** End of the run that is still open, 0 before the first. */
  hi = 0;
  #runs: Uint32Array;
  #length = 0;

  constructor(expected: number) {
    this.#runs = new Uint32Array(2 * Math.max(expected, 1));
  }

  /** Takes the numbers [from, to) of runs that lie, with a gap, behind all that was taken. */
  copy(runs: Uint32Array, from: number, to: number): void {
    if (from >= to) return;
    while (this.#runs.length < this.#length + to - from) this.#grow();
    this.#runs.set(runs.subarray(from, to), this.#length);
    this.#length += to - from;
    this.hi = at(runs, to - 1);
  }

  add(lo: number, hi: number): void {
    if (this.#length > 0 && lo <= this.hi + 1) {
      if (hi > this.hi) {
        this.hi = hi;
        this.#runs[this.#length - 1] = hi;
      }
      return;
    }
    if (this.#length === this.#runs.length) this.#grow();
    this.#runs[this.#length++] = lo;
    this.#runs[this.#length++] = hi;
    this.hi = hi;
  }

  /** The runs, in the form of invariant 1. */
  finish(): Uint32Array {
    return this.#runs.slice(0, this.#length);
  }

  #grow(): void {
    const grown = new Uint32Array(2 * this.#runs.length);
    grown.set(this.#runs);
    this.#runs = grown;
  }
}

function sizeOf(runs: Uint32Array): number {
  let size = 0;
  for (let i = 0; i < runs.length; i += 2) size += at(runs, i + 1) - at(runs, i) + 1;
  return size;
}

function at(numbers: Uint32Array, index: number): number {
  return numbers[index] as number;
}

function member(uid: number): number {
  if (Number.isInteger(uid) && uid >= 1 && uid <= MAX_UID) return uid;
  throw new MailError('server', 'serverbug', `${uid} is no UID: it must be 1 to ${MAX_UID}`);
}

function parseUid(text: string): number {
  const uid = /^[0-9]{1,10}$/.test(text) ? Number(text) : 0;
  if (uid < 1 || uid > MAX_UID) {
    throw syntaxError('a UID set holds numbers from 1 to 4294967295, as in 1:5,7');
  }
  return uid;
}
