/**
 * Collects an answer of many small pieces in one piece of memory: what it holds is one write to the socket, not one per line,
 * and what comes from a file is read to where it leaves from. Text is latin1, one char per byte.
 *
 * Invariant: what `take` returns is valid until the buffer is used again. The connection copies what it cannot send at once
 * (net/output.ts, invariant 3), so one piece of memory serves for an answer of any length.
 */

/** Memory at first; it grows to the largest answer between two `take`s. */
const INITIAL = 64 * 1024;

/** An answer under construction. */
export class ResponseBuffer {
  #memory: Buffer | undefined;
  #size = 0;

  /** Bytes gathered and not taken yet. */
  get size(): number {
    return this.#size;
  }

  /** Appends latin1 text. */
  text(text: string): this {
    const memory = this.#room(text.length);
    this.#size += memory.write(text, this.#size, 'latin1');
    return this;
  }

  /** Appends bytes, copied: the caller may overwrite them afterwards. */
  bytes(bytes: Uint8Array): this {
    const memory = this.#room(bytes.length);
    memory.set(bytes, this.#size);
    this.#size += bytes.length;
    return this;
  }

  /** Appends `size` bytes, which the caller writes into what it gets before anything else is done here. */
  claim(size: number): Uint8Array {
    const memory = this.#room(size);
    const start = this.#size;
    this.#size += size;
    return memory.subarray(start, this.#size);
  }

  /** What was gathered; the buffer is empty afterwards. */
  take(): Uint8Array {
    const size = this.#size;
    this.#size = 0;
    return size === 0 ? NOTHING : (this.#memory as Buffer).subarray(0, size);
  }

  #room(size: number): Buffer {
    const needed = this.#size + size;
    let memory = this.#memory;
    if (memory !== undefined && needed <= memory.length) return memory;
    let length = memory?.length ?? INITIAL;
    while (length < needed) length *= 2;
    const larger = Buffer.allocUnsafeSlow(length);
    memory?.copy(larger, 0, 0, this.#size);
    memory = this.#memory = larger;
    return memory;
  }
}

const NOTHING = new Uint8Array(0);
