/**
 * Dot-stuffing undone, and the one end of DATA found (RFC 5321 §4.5.2).
 *
 * Invariants:
 * 1. Only CR LF "." CR LF ends the data, the first CR LF being the end of a line or of the DATA command itself.
 *    A bare CR or LF on either side of the dot ends nothing (SMTP smuggling, CVE-2023-51747).
 * 2. A dot that begins a line is dropped, whatever follows it; every other byte goes through unchanged.
 * 3. How the bytes are cut into chunks changes neither the answer nor the bytes.
 */

const CR = 13;
const LF = 10;
const DOT = 46;
const LINE_DOT = Buffer.from('\r\n.');
const ONE_CR = Buffer.from('\r');

/** What the bytes seen so far end with. */
const enum At {
  Middle,
  Cr,
  LineStart,
  Dot,
  DotCr,
}

/** Takes what follows the 354 chunk by chunk. One per DATA command. */
export class DotDecoder {
  #at: At = At.LineStart;

  /**
   * Decodes from `start`, and hands the bytes of the message to `sink`, at most one piece per call and one CR held
   * back from before. The chunk is compacted in place, so it must belong to the caller.
   *
   * @returns the offset behind the end of data, or -1 if it has not come yet
   */
  push(chunk: Buffer, start: number, sink: (bytes: Buffer) => void): number {
    const length = chunk.length;
    let at = start;
    // [from, at) is not handed on yet; [pieceStart, pieceEnd) is decoded.
    let from = start;
    let pieceStart = start;
    let pieceEnd = start;
    const keep = (to: number): void => {
      if (to > from) {
        if (pieceEnd === pieceStart) pieceStart = pieceEnd = from;
        if (pieceEnd !== from) chunk.copyWithin(pieceEnd, from, to);
        pieceEnd += to - from;
      }
    };

    let end = -1;
    let state = this.#at;
    while (at < length) {
      if (state === At.Middle) {
        const found = chunk.indexOf(LINE_DOT, at);
        if (found < 0) {
          if (chunk[length - 1] === CR) state = At.Cr;
          else if (length - 2 >= at && chunk[length - 1] === LF && chunk[length - 2] === CR) {
            state = At.LineStart;
          }
          at = length;
          break;
        }
        keep(found + 2);
        at = from = found + 3;
        state = At.Dot;
      } else if (state === At.Cr) {
        if (chunk[at] === LF) {
          at++;
          state = At.LineStart;
        } else state = At.Middle;
      } else if (state === At.LineStart) {
        if (chunk[at] === DOT) {
          keep(at);
          from = ++at;
          state = At.Dot;
        } else state = At.Middle;
      } else if (state === At.Dot) {
        if (chunk[at] === CR) {
          at++;
          state = At.DotCr;
        } else state = At.Middle;
      } else {
        if (chunk[at] === LF) {
          end = at + 1;
          break;
        }
        // The CR behind the dot was the message's own.
        if (at === start) sink(ONE_CR);
        state = At.Cr;
      }
    }
    // A CR behind a dot that ends the chunk is held back: only the next byte tells whose it is.
    if (end < 0) keep(state === At.DotCr ? from : length);
    this.#at = end < 0 ? state : At.LineStart;
    if (pieceEnd > pieceStart) sink(chunk.subarray(pieceStart, pieceEnd));
    return end;
  }
}
