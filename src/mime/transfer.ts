/** Transfer encodings undone (RFC 2045 §6). Total: whatever is not valid is taken as far as it makes sense. */
import { decodeCharset } from './charset.ts';
import { latin1 } from './header.ts';

const EQUALS = 61;
const CR = 13;
const LF = 10;

/**
 * The content of a part as text: transfer encoding by its name (any case; unknown ones leave the bytes as they are,
 * RFC 2045 §6.4), then charset (null: us-ascii, in practice UTF-8 or latin1). Never throws.
 */
export function decodeText(bytes: Uint8Array, encoding: string | null, charset: string | null): string {
  return decodeCharset(decodeTransfer(bytes, encoding), charset ?? 'us-ascii');
}

/** The content of a part as bytes; identity encodings return the same array. */
export function decodeTransfer(bytes: Uint8Array, encoding: string | null): Uint8Array {
  switch (encoding?.toUpperCase()) {
    case 'BASE64':
      return decodeBase64(bytes);
    case 'QUOTED-PRINTABLE':
      return decodeQuotedPrintable(bytes);
    default:
      return bytes;
  }
}

/** RFC 2045 §6.8 by the runtime, which ignores chars outside the alphabet; padding ends the data. */
export function decodeBase64(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(EQUALS);
  return Buffer.from(latin1(bytes, 0, end < 0 ? bytes.length : end), 'base64');
}

/**
 * RFC 2045 §6.7: `=XX`, soft line breaks, blanks before a line end dropped; a `=` that begins neither stays. With
 * `header` the Q encoding of RFC 2047 §4.2: `_` is a space, lines do not occur.
 */
export function decodeQuotedPrintable(bytes: Uint8Array, header = false): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let length = 0;
  // Where blanks that may turn out to stand before a line end begin in `out`.
  let blanks = 0;
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i] as number;
    if (c === EQUALS) {
      const high = hexDigit(bytes[i + 1]);
      const low = hexDigit(bytes[i + 2]);
      if (high >= 0 && low >= 0) {
        out[length++] = high * 16 + low;
        blanks = length;
        i += 2;
        continue;
      }
      const after = softBreak(bytes, i + 1);
      if (after > 0 && !header) {
        blanks = length;
        i = after - 1;
        continue;
      }
    } else if (header && c === 95) {
      out[length++] = 32;
      continue;
    } else if (!header && (c === 32 || c === 9)) {
      out[length++] = c;
      continue;
    } else if (!header && (c === LF || (c === CR && bytes[i + 1] === LF))) {
      length = blanks;
    }
    out[length++] = c;
    blanks = length;
  }
  return out.subarray(0, length);
}

/** Behind the line end after the blanks at `pos`, or 0 if something else follows. The end of the data counts. */
function softBreak(bytes: Uint8Array, pos: number): number {
  let at = pos;
  while (bytes[at] === 32 || bytes[at] === 9) at++;
  if (at >= bytes.length) return at;
  if (bytes[at] === CR) at++;
  return bytes[at] === LF ? at + 1 : 0;
}

function hexDigit(c: number | undefined): number {
  if (c === undefined) return -1;
  if (c >= 48 && c <= 57) return c - 48;
  const letter = c | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
