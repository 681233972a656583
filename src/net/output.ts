/**
 * The output of a connection: small writes of one turn are gathered into one system call, and how much waits is
 * known to the byte.
 *
 * Invariants:
 * 1. Bytes leave in the order of `push`.
 * 2. Nothing is given to the system while it is known to be full; `drained` says that it is not any more.
 * 3. A caller's buffer is never kept after `push` returns: what the system did not take of it was copied.
 * 4. An output that has sent everything holds no memory but itself.
 */

import { limits } from '../limits.ts';

/** Where the bytes go. */
export interface ByteSink {
  /** Gives bytes to the system; how many it took. Fewer than all: it is full, and `drained` will be called. */
  take(bytes: Uint8Array): number;
  /** Told at the end of a turn in which something left. */
  emptied?(): void;
}

/** A buffer at least this long goes to the system by itself instead of being copied to its neighbours. */
const LARGE = 16 * 1024;

/** Most bytes gathered into one system call. */
const PIECE = 256 * 1024;

/** Where the parts of a piece are put together. The system copies it before anybody else can use it. */
let scratch: Buffer | undefined;

/** Outputs that have something to send when the turn ends. */
let dirty: Output[] = [];

function flushDirty(): void {
  const outputs = dirty;
  dirty = [];
  for (const output of outputs) output.endTurn();
}

export class Output {
  readonly #sink: ByteSink;
  /** What waits, in order; undefined where nothing does. */
  #parts: (string | Uint8Array)[] | undefined;
  #pending = 0;
  #full = false;
  #dirty = false;
  #closed = false;
  #waiters: (() => void)[] | undefined;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Bytes the system has not taken. */
  get pending(): number {
    return this.#pending;
  }

  /** Everything has left, and nobody waits. */
  get empty(): boolean {
    return this.#pending === 0 && !this.#full && this.#waiters === undefined;
  }

  /** Sends what was gathered in this turn. */
  endTurn(): void {
    this.flush();
    this.#sink.emptied?.();
  }

  /** Queues bytes, a string as latin1; false above the high-water mark. */
  push(data: Uint8Array | string): boolean {
    if (this.#closed) return false;
    if (typeof data === 'string') this.#queue(data);
    else if (data.length >= LARGE && !this.#full) this.#pushLarge(data);
    else this.#queue(new Uint8Array(data));
    if (this.#pending >= PIECE) this.flush();
    else if (!this.#dirty && this.#pending > 0) {
      this.#dirty = true;
      if (dirty.push(this) === 1) setImmediate(flushDirty);
    }
    return this.#pending < limits.output_high_water.value;
  }

  #queue(part: string | Uint8Array): void {
    if (part.length === 0) return;
    if (this.#parts === undefined) this.#parts = [part];
    else this.#parts.push(part);
    this.#pending += part.length;
  }

  /** Sends from the caller's buffer and copies only what the system does not take. */
  #pushLarge(data: Uint8Array): void {
    let at = 0;
    if (this.#pending > 0) {
      // The head of an answer and the begin of its body leave together, for a copy of at most a piece.
      at = Math.min(data.length, Math.max(0, PIECE - this.#pending));
      this.#queue(data.subarray(0, at));
      this.flush();
      if (this.#full) this.#keep();
    }
    while (at < data.length && !this.#full) {
      const piece = data.subarray(at, at + PIECE);
      const taken = this.#sink.take(piece);
      at += taken;
      if (taken < piece.length) this.#full = true;
    }
    if (at < data.length) this.#queue(new Uint8Array(data.subarray(at)));
  }

  /** What waits may be a part of a caller's buffer: from here on it is ours. */
  #keep(): void {
    this.#parts = this.#parts?.map((part) => typeof part === 'string' ? part : new Uint8Array(part));
  }

  /** Gives what waits to the system, unless that is full. */
  flush(): void {
    this.#dirty = false;
    while (this.#parts !== undefined && !this.#full && !this.#closed) {
      const first = this.#parts[0] as string | Uint8Array;
      const alone = this.#parts.length === 1 || first.length >= PIECE;
      const piece = alone && typeof first !== 'string' ? first : gather(this.#parts);
      const taken = this.#sink.take(piece);
      if (taken < piece.length) this.#full = true;
      // The sink may have found out that the peer is gone.
      if (!this.#closed) this.#drop(taken);
    }
  }

  /** Forgets the first bytes of what waits. */
  #drop(count: number): void {
    this.#pending -= count;
    if (this.#pending === 0) {
      this.#parts = undefined;
      return;
    }
    const parts = this.#parts as (string | Uint8Array)[];
    let used = 0;
    let rest = count;
    while (rest > 0) {
      const part = parts[used] as string | Uint8Array;
      if (part.length > rest) {
        parts[used] = typeof part === 'string' ? part.slice(rest) : part.subarray(rest);
        break;
      }
      rest -= part.length;
      used++;
    }
    if (used > 0) parts.splice(0, used);
  }

  /** The system takes bytes again. */
  drained(): void {
    this.#full = false;
    this.flush();
    if (this.#pending < limits.output_high_water.value) this.#wake();
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = undefined;
    if (waiters !== undefined) { for (const wake of waiters) wake(); }
  }

  /** Resolves below the high-water mark, or when the connection is closed. */
  drain(): Promise<void> {
    if (this.#closed || this.#pending < limits.output_high_water.value) return Promise.resolve();
    return new Promise((resolve) => {
      if (this.#waiters === undefined) this.#waiters = [resolve];
      else this.#waiters.push(resolve);
    });
  }

  /** The connection is gone: what waits is dropped, whoever waits is woken. */
  close(): void {
    this.#closed = true;
    this.#parts = undefined;
    this.#pending = 0;
    this.#wake();
  }
}

/** The begin of what waits in one buffer, at most a piece of it. */
function gather(parts: readonly (string | Uint8Array)[]): Uint8Array {
  scratch ??= Buffer.allocUnsafeSlow(PIECE);
  let at = 0;
  for (const part of parts) {
    const room = PIECE - at;
    if (typeof part === 'string') at += scratch.write(part, at, 'latin1');
    else {
      scratch.set(part.length <= room ? part : part.subarray(0, room), at);
      at += Math.min(part.length, room);
    }
    if (part.length >= room) break;
  }
  return scratch.subarray(0, at);
}
