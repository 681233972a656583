/**
 * The bytes of a connection that are not read yet. A chunk that arrives while nothing waits is used in place; only a
 * line or literal cut by a chunk's end is copied, into a buffer that grows by doubling.
 */

const LF = 10;
const CR = 13;

/** What a queue holds that has nothing: one for all connections. */
const NOTHING: Buffer = Buffer.alloc(0);

/** A queue of bytes with line ends. Text is latin1: one char per byte. */
export class ByteQueue {
  #buffer: Buffer = NOTHING;
  /** The buffer is ours to write to, not a chunk. */
  #owned = false;
  #start = 0;
  #end = 0;
  /** No line end lies before this offset, so a line that comes byte by byte is searched once. */
  #scanned = 0;

  /** Bytes waiting. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Adds bytes. The chunk belongs to the queue from now on. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.#start === this.#end) {
      this.#buffer = Buffer.isBuffer(chunk)
        ? chunk
        : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      this.#owned = false;
      this.#start = 0;
      this.#scanned = 0;
      this.#end = chunk.length;
      return;
    }
    if (!this.#owned || this.#buffer.length - this.#end < chunk.length) {
      const kept = this.length;
      const grown = Buffer.allocUnsafe(Math.max(1024, 2 * (kept + chunk.length)));
      this.#buffer.copy(grown, 0, this.#start, this.#end);
      this.#scanned -= this.#start;
      this.#buffer = grown;
      this.#owned = true;
      this.#start = 0;
      this.#end = kept;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Bytes before the next LF, or -1 when there is none yet. */
  lineLength(): number {
    const found = this.#scanned >= this.#end ? -1 : this.#buffer.indexOf(LF, this.#scanned);
    // A buffer of ours may hold old bytes behind #end.
    if (found < 0 || found >= this.#end) {
      this.#scanned = this.#end;
      return -1;
    }
    this.#scanned = found;
    return found - this.#start;
  }

  /** Takes a line of `length` bytes and its LF; a CR before the LF is not part of the text. */
  takeLine(length: number): string {
    const end = this.#start + length;
    const hasCr = length > 0 && this.#buffer[end - 1] === CR;
    const text = this.#buffer.toString('latin1', this.#start, hasCr ? end - 1 : end);
    this.drop(length + 1);
    return text;
  }

  /** Takes `length` bytes as text. */
  takeText(length: number): string {
    const text = this.text(0, length);
    this.drop(length);
    return text;
  }

  /** Takes `length` bytes as a view that the next `push` may overwrite. */
  takeView(length: number): Uint8Array {
    const view = this.#buffer.subarray(this.#start, this.#start + length);
    this.drop(length);
    return view;
  }

  /** The bytes from `from` to `to` as text, left in place. */
  text(from: number, to: number): string {
    return this.#buffer.toString(
      'latin1',
      this.#start + Math.max(from, 0),
      Math.min(this.#start + to, this.#end),
    );
  }

  /** Drops `length` bytes, which are there. */
  drop(length: number): void {
    this.#start += length;
    this.#scanned = this.#start;
    if (this.#start < this.#end) return;
    // An idle connection holds no buffer.
    this.#buffer = NOTHING;
    this.#owned = false;
    this.#start = this.#end = this.#scanned = 0;
  }
}
