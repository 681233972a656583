/** A message as local programs write it, made ready for DATA: without the mbox line in front, encoded (outgoing/smtp/data.ts). */

import { DataEncoder } from '../outgoing/smtp/data.ts';

const LF = 10;
/** `From sender date`, as Postfix's pipe and mbox files put it in front of the header; no header field. */
const MBOX_LINE = Buffer.from('From ');

export class MessageEncoder {
  readonly #data = new DataEncoder({ bareCr: 'keep' });
  /** The bytes seen so far as long as they could begin an mbox line. */
  #first: Buffer | null = Buffer.alloc(0);
  #skipping = false;

  /** The next bytes for the connection. */
  push(chunk: Uint8Array): Buffer {
    let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#first !== null) {
      bytes = Buffer.concat([this.#first, bytes]);
      const known = Math.min(bytes.length, MBOX_LINE.length);
      const matches = bytes.subarray(0, known).equals(MBOX_LINE.subarray(0, known));
      if (matches && known < MBOX_LINE.length) {
        this.#first = bytes;
        return Buffer.alloc(0);
      }
      this.#first = null;
      this.#skipping = matches;
    }
    if (this.#skipping) {
      const end = bytes.indexOf(LF);
      if (end < 0) return Buffer.alloc(0);
      this.#skipping = false;
      bytes = bytes.subarray(end + 1);
    }
    return this.#data.push(bytes);
  }

  /** The end of the data. */
  end(): Buffer {
    const left = this.#first ?? Buffer.alloc(0);
    this.#first = null;
    return Buffer.concat([this.#data.push(left), this.#data.end()]);
  }
}
