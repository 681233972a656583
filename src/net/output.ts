/**
 * The output of a connection: small writes of one turn are gathered into one system call, and how much waits is
 * known to the byte.
 *
 * Invariants:
 * 1. Bytes leave in the order of `push`.
 * 2. At most one write is with the stream at a time; what comes meanwhile waits here, copied.
 * 3. A caller's buffer is never kept after `push` returns.
 */

import { limits } from '../limits.ts';

/** The part of a stream that is used. `done` is called when the system has taken the bytes. */
export interface ByteSink {
  write(bytes: Uint8Array, done: () => void): unknown;
}

/** A buffer at least this long goes to the system by itself instead of being copied to its neighbours. */
const LARGE = 16 * 1024;

/** Most bytes handed to the stream in one piece: a slow peer's progress shows after each. */
const PIECE = 256 * 1024;

/** Outputs that have something to send when the turn ends. */
let dirty: Output[] = [];

function flushDirty(): void {
  const outputs = dirty;
  dirty = [];
  for (const output of outputs) output.flush();
}

export class Output {
  #sink: ByteSink;
  #parts: (string | Uint8Array)[] = [];
  #queued = 0;
  #flying = 0;
  #dirty = false;
  #closed = false;
  #waiters: (() => void)[] = [];
  #emptyWaiters: (() => void)[] = [];
  /** Called whenever the system has taken something. */
  readonly #progress: () => void;

  constructor(sink: ByteSink, progress: () => void) {
    this.#sink = sink;
    this.#progress = progress;
  }

  /** Bytes that are here or with the stream. */
  get pending(): number {
    return this.#queued + this.#flying;
  }

  /** Queues bytes, a string as latin1; false above the high-water mark. */
  push(data: Uint8Array | string): boolean {
    if (this.#closed) return false;
    if (data.length === 0) return this.pending < limits.output_high_water.value;
    if (typeof data === 'string') {
      this.#parts.push(data);
      this.#queued += data.length;
    } else if (data.length >= LARGE) {
      this.#pushLarge(data);
    } else {
      this.#parts.push(new Uint8Array(data));
      this.#queued += data.length;
    }
    if (this.#queued >= PIECE) this.flush();
    else if (!this.#dirty && this.#queued > 0) {
      this.#dirty = true;
      if (dirty.push(this) === 1) setImmediate(flushDirty);
    }
    return this.pending < limits.output_high_water.value;
  }

  /** Sends the first piece from the caller's buffer where nothing stands before it; the stream copies its rest. */
  #pushLarge(data: Uint8Array): void {
    let start = 0;
    if (this.#flying === 0) {
      if (this.#queued > 0) {
        // The head of an answer and its body leave together with one copy of at most a piece.
        start = Math.min(data.length, Math.max(0, PIECE - this.#queued));
        this.#parts.push(data.subarray(0, start));
        this.#queued += start;
        this.flush();
      } else {
        start = Math.min(data.length, PIECE);
        this.#send(data.subarray(0, start));
      }
    }
    if (start < data.length) {
      this.#parts.push(new Uint8Array(data.subarray(start)));
      this.#queued += data.length - start;
    }
  }

  /** Gives what waits to the stream, unless that is still busy. */
  flush(): void {
    this.#dirty = false;
    if (this.#closed || this.#flying > 0 || this.#queued === 0) return;
    this.#send(this.#gather());
  }

  /** The next piece of what waits, in one buffer. */
  #gather(): Uint8Array {
    const size = Math.min(this.#queued, PIECE);
    this.#queued -= size;
    const first = this.#parts[0] as string | Uint8Array;
    if (first.length === size) {
      this.#parts.shift();
      return typeof first === 'string' ? Buffer.from(first, 'latin1') : first;
    }
    const bytes = Buffer.allocUnsafe(size);
    let at = 0;
    let used = 0;
    for (const part of this.#parts) {
      const room = size - at;
      const fits = part.length <= room;
      if (typeof part === 'string') at += bytes.write(fits ? part : part.slice(0, room), at, 'latin1');
      else {
        bytes.set(fits ? part : part.subarray(0, room), at);
        at += Math.min(part.length, room);
      }
      if (!fits) {
        this.#parts[used] = typeof part === 'string' ? part.slice(room) : part.subarray(room);
        break;
      }
      used++;
    }
    this.#parts.splice(0, used);
    return bytes;
  }

  #send(bytes: Uint8Array): void {
    this.#flying = bytes.length;
    this.#sink.write(bytes, () => {
      this.#flying = 0;
      if (this.#closed) return;
      this.#progress();
      this.flush();
      if (this.pending < limits.output_high_water.value) this.#wake();
    });
  }

  #wake(): void {
    const waiters = this.#waiters;
    if (waiters.length > 0) {
      this.#waiters = [];
      for (const wake of waiters) wake();
    }
    if (this.#emptyWaiters.length > 0 && this.pending === 0) {
      const empty = this.#emptyWaiters;
      this.#emptyWaiters = [];
      for (const wake of empty) wake();
    }
  }

  /** Resolves below the high-water mark, or when the connection is closed. */
  drain(): Promise<void> {
    if (this.#closed || this.pending < limits.output_high_water.value) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Resolves when nothing is pending, or the connection is closed. */
  empty(): Promise<void> {
    this.flush();
    if (this.#closed || this.pending === 0) return Promise.resolve();
    return new Promise((resolve) => this.#emptyWaiters.push(resolve));
  }

  /** From here on bytes go to another stream (TLS). Only when nothing is pending. */
  redirect(sink: ByteSink): void {
    this.#sink = sink;
  }

  /** The connection is gone: what waits is dropped, whoever waits is woken. */
  close(): void {
    this.#closed = true;
    this.#parts = [];
    this.#queued = 0;
    this.#flying = 0;
    this.#wake();
  }
}
