/** A message made ready for DATA: every line ended by CRLF, dots doubled at line starts, the last line ended (RFC 5321 §4.5.2). */

const CR = 13;
const LF = 10;
const DOT = 46;
const CRLF = Buffer.from('\r\n');
const LINE_FEED = Buffer.from('\n');
const ONE_DOT = Buffer.from('.');

export interface DataOptions {
  /**
   * What becomes of a CR without LF: `keep` for our own LMTP, which takes it as the byte it is; `end` makes it a line end as a
   * bare LF is, for servers that may take it for one (SMTP smuggling).
   */
  readonly bareCr: 'keep' | 'end';
}

export class DataEncoder {
  readonly #endsAtCr: boolean;
  #lineStart = true;
  /** The chunk before ended with a CR. */
  #afterCr = false;

  constructor({ bareCr }: DataOptions) {
    this.#endsAtCr = bareCr === 'end';
  }

  /** The next bytes for the connection. */
  push(bytes: Buffer): Buffer {
    if (bytes.length === 0) return bytes;
    const pieces: Buffer[] = [];
    let at = 0;
    if (this.#afterCr && bytes[0] === LF) {
      // The CR has gone already.
      pieces.push(LINE_FEED);
      this.#lineStart = true;
      at = 1;
    } else if (this.#afterCr && this.#endsAtCr) {
      pieces.push(LINE_FEED);
      this.#lineStart = true;
    }
    this.#afterCr = false;
    while (at < bytes.length) {
      if (this.#lineStart && bytes[at] === DOT) pieces.push(ONE_DOT);
      const end = this.#lineEnd(bytes, at);
      if (end < 0) {
        pieces.push(bytes.subarray(at));
        this.#lineStart = false;
        this.#afterCr = bytes[bytes.length - 1] === CR;
        break;
      }
      const crlf = bytes[end] === LF && end > at && bytes[end - 1] === CR;
      pieces.push(bytes.subarray(at, crlf ? end - 1 : end), CRLF);
      this.#lineStart = true;
      at = end + 1;
    }
    return pieces.length === 1 ? pieces[0] as Buffer : Buffer.concat(pieces);
  }

  /** The end of the data. */
  end(): Buffer {
    const pieces: Buffer[] = [];
    if (this.#afterCr && this.#endsAtCr) pieces.push(LINE_FEED);
    else if (!this.#lineStart) pieces.push(CRLF);
    return Buffer.concat([...pieces, Buffer.from('.\r\n')]);
  }

  /** Where a line that begins at `from` ends: the offset of its LF, or of a CR that ends one by itself; -1 if it does not. */
  #lineEnd(bytes: Buffer, from: number): number {
    const lf = bytes.indexOf(LF, from);
    if (!this.#endsAtCr) return lf;
    const stop = lf < 0 ? bytes.length : lf;
    for (let cr = bytes.indexOf(CR, from); cr >= 0 && cr < stop; cr = bytes.indexOf(CR, cr + 1)) {
      // The last byte of a chunk may be the first half of a CRLF.
      if (cr + 1 < bytes.length && bytes[cr + 1] !== LF) return cr;
    }
    return lf;
  }
}
