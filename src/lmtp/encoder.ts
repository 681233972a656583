/**
 * A message as local programs write it, made ready for DATA: without the mbox line in front, every line ended by CRLF,
 * dots doubled at line starts (RFC 5321 §4.5.2), the last line ended.
 */

const CR = 13;
const LF = 10;
const DOT = 46;
const CRLF = Buffer.from('\r\n');
const ONE_DOT = Buffer.from('.');
/** `From sender date`, as Postfix's pipe and mbox files put it in front of the header; no header field. */
const MBOX_LINE = Buffer.from('From ');

export class MessageEncoder {
  /** The bytes seen so far as long as they could begin an mbox line. */
  #first: Buffer | null = Buffer.alloc(0);
  #skipping = false;
  #lineStart = true;
  #lastByte = LF;

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
    return this.#encode(bytes);
  }

  /** The end of the data. */
  end(): Buffer {
    const left = this.#first ?? Buffer.alloc(0);
    this.#first = null;
    const last = this.#encode(left);
    return Buffer.concat([last, this.#lineStart ? Buffer.alloc(0) : CRLF, Buffer.from('.\r\n')]);
  }

  #encode(bytes: Buffer): Buffer {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length;) {
      if (this.#lineStart && bytes[at] === DOT) pieces.push(ONE_DOT);
      const lf = bytes.indexOf(LF, at);
      if (lf < 0) {
        pieces.push(bytes.subarray(at));
        this.#lineStart = false;
        this.#lastByte = bytes[bytes.length - 1] as number;
        break;
      }
      const before = lf > 0 && lf > at ? bytes[lf - 1] : lf === at && !this.#lineStart ? this.#lastByte : LF;
      if (before === CR) pieces.push(bytes.subarray(at, lf + 1));
      else pieces.push(bytes.subarray(at, lf), CRLF);
      this.#lineStart = true;
      this.#lastByte = LF;
      at = lf + 1;
    }
    return Buffer.concat(pieces);
  }
}
