/**
 * A message as POP3 sends it (RFC 1939 §3): a dot before every line that begins with one, and CRLF "." CRLF at the end.
 * Chunks are stuffed as they come; where they are cut makes no difference.
 */

const CR = 13;
const LF = 10;
const DOT = 46;
const LINE_DOT = Buffer.from('\r\n.');

export class DotEncoder {
  /** How much of CR LF the bytes so far end with; a message begins like a line. */
  #seen: 0 | 1 | 2 = 2;
  #any = false;

  /** The chunk with dots doubled where lines begin; the chunk itself where nothing has to be. */
  push(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return chunk;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const places = this.#places(bytes);
    this.#any = true;
    this.#seen = tail(bytes, this.#seen);
    if (places.length === 0) return chunk;
    const out = Buffer.allocUnsafe(bytes.length + places.length);
    let from = 0;
    let at = 0;
    for (const place of places) {
      at += bytes.copy(out, at, from, place);
      out[at++] = DOT;
      from = place;
    }
    bytes.copy(out, at, from);
    return out;
  }

  /** What ends the message: the end of its last line, if it has none, and the dot. */
  end(): string {
    return this.#seen === 2 && this.#any ? '.\r\n' : '\r\n.\r\n';
  }

  /** Offsets of dots that begin a line. */
  #places(bytes: Buffer): number[] {
    const places: number[] = [];
    if (this.#seen === 2 && bytes[0] === DOT) places.push(0);
    // CR in the last chunk, LF and dot in this one.
    if (this.#seen === 1 && bytes[0] === LF && bytes[1] === DOT) places.push(1);
    for (let at = bytes.indexOf(LINE_DOT); at !== -1; at = bytes.indexOf(LINE_DOT, at + 2)) {
      places.push(at + 2);
    }
    return places;
  }
}

function tail(bytes: Buffer, before: 0 | 1 | 2): 0 | 1 | 2 {
  const last = bytes[bytes.length - 1];
  if (last === CR) return 1;
  if (last !== LF) return 0;
  const previous = bytes.length > 1 ? bytes[bytes.length - 2] === CR : before === 1;
  return previous ? 2 : 0;
}
