/**
 * Collects an answer of many small pieces into few large blocks: one block is one write to the socket, not one per line.
 * Text is latin1, one char per byte.
 */

/** Text gathered before it becomes a block. */
const BLOCK = 64 * 1024;

/** Bytes below this are worth copying into the text around them rather than being a block of their own. */
const SMALL = 2048;

/** An answer under construction. */
export class ResponseBuffer {
  #text = '';
  #blocks: Uint8Array[] = [];
  #blockBytes = 0;

  /** Bytes gathered and not taken yet. */
  get size(): number {
    return this.#blockBytes + this.#text.length;
  }

  /** Appends latin1 text. */
  text(text: string): this {
    this.#text += text;
    if (this.#text.length >= BLOCK) this.#close();
    return this;
  }

  /** Appends bytes, copied: the caller may overwrite them afterwards. */
  bytes(bytes: Uint8Array): this {
    if (bytes.length === 0) return this;
    if (bytes.length < SMALL) {
      return this.text(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'));
    }
    return this.block(Buffer.from(bytes));
  }

  /** Appends bytes that belong to the buffer from now on. */
  block(bytes: Uint8Array): this {
    this.#close();
    if (bytes.length > 0) {
      this.#blocks.push(bytes);
      this.#blockBytes += bytes.length;
    }
    return this;
  }

  /** What was gathered, in order; the buffer is empty afterwards. */
  take(): Uint8Array[] {
    this.#close();
    const blocks = this.#blocks;
    this.#blocks = [];
    this.#blockBytes = 0;
    return blocks;
  }

  #close(): void {
    if (this.#text === '') return;
    const block = Buffer.from(this.#text, 'latin1');
    this.#blocks.push(block);
    this.#blockBytes += block.length;
    this.#text = '';
  }
}
