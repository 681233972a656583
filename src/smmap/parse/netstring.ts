/** Netstrings, the frames of the socketmap protocol: decimal length, ":", as many octets, ",". */

import { syntaxError } from '../../errors.ts';
import { limits } from '../../limits.ts';

/** Digits of the longest length there is. */
const DIGITS = String(limits.smmap_request.value).length;

const COLON = 0x3a;
const COMMA = 0x2c;

/** A frame cut out of bytes: its octets, and where the next begins; null where it is not whole yet. */
export interface Frame {
  readonly octets: Buffer;
  readonly end: number;
}

/**
 * The frame that begins at `from`.
 * @throws MailError 'badsyntax' for what is none: nothing behind it can be followed
 */
export function readNetstring(bytes: Buffer, from: number): Frame | null {
  const colon = bytes.subarray(from, from + DIGITS + 1).indexOf(COLON);
  const digits = bytes.toString(
    'latin1',
    from,
    colon < 0 ? Math.min(bytes.length, from + DIGITS + 1) : from + colon,
  );
  if (!/^(?:0|[1-9][0-9]*)?$/.test(digits) || (colon < 0 ? digits.length > DIGITS : digits === '')) {
    throw syntaxError('missing length');
  }
  if (colon < 0) return null;
  const length = Number(digits);
  if (length > limits.smmap_request.value) throw syntaxError('the request is too long');
  const start = from + colon + 1;
  const end = start + length;
  if (bytes.length <= end) return null;
  if (bytes[end] !== COMMA) throw syntaxError('missing terminator');
  return { octets: bytes.subarray(start, end), end: end + 1 };
}

/** A frame around text of one char per byte. */
export function netstring(text: string): string {
  return `${text.length}:${text},`;
}
