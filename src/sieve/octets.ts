/**
 * Text inside the language is a string of one char per octet, as everywhere in mime/ (RFC 5228 §2.1: strings are octets,
 * normally UTF-8; i;octet compares them). What crosses `host.ts` and `result.ts` is ordinary Unicode.
 */

const BEYOND_ASCII = /[^\x00-\x7f]/;
const CAPITALS = /[A-Z]+/g;
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** True if every char is below 128; such a text is the same as octets and as Unicode. */
export function isAscii(text: string): boolean {
  return !BEYOND_ASCII.test(text);
}

/** Unicode to the octets of its UTF-8. */
export function toOctets(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** Octets to Unicode; sequences that are no UTF-8 become U+FFFD. */
export function fromOctets(octets: string): string {
  return isAscii(octets) ? octets : Buffer.from(octets, 'latin1').toString('utf8');
}

/** Octets to Unicode, or null where they are no UTF-8. */
export function strictFromOctets(octets: string): string | null {
  if (isAscii(octets)) return octets;
  try {
    return strictUtf8.decode(Buffer.from(octets, 'latin1'));
  } catch {
    return null;
  }
}

/** The bytes that octets stand for. */
export function octetBytes(octets: string): Uint8Array {
  return Buffer.from(octets, 'latin1');
}

/** Bytes as octets. */
export function bytesToOctets(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** A-Z to a-z and nothing else: String.toLowerCase would change octets of UTF-8 sequences. */
export function lowerAscii(octets: string): string {
  if (isAscii(octets)) return octets.toLowerCase();
  return octets.length < LARGE
    ? octets.replace(CAPITALS, (letters) => letters.toLowerCase())
    : withCase(octets, 65, 32);
}

/** a-z to A-Z and nothing else. */
export function upperAscii(octets: string): string {
  if (isAscii(octets)) return octets.toUpperCase();
  return octets.length < LARGE
    ? octets.replace(/[a-z]+/g, (letters) => letters.toUpperCase())
    : withCase(octets, 97, -32);
}

/** Bodies take a tenth of the time as bytes. */
const LARGE = 4096;

/** The 26 letters from `first` on moved by `by`. */
function withCase(octets: string, first: number, by: number): string {
  const bytes = Buffer.from(octets, 'latin1');
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i] as number;
    if (c >= first && c < first + 26) bytes[i] = c + by;
  }
  return bytes.toString('latin1');
}
