/**
 * A header for clients that have not said UTF8 (RFC 6856 §2.1): what is not ASCII in it becomes encoded-words (RFC 2047), in
 * the simplified manner of RFC 6858. The body stays as it is: 8 bit content needs no extension there.
 */

/** Longest encoded-word is 75 characters (RFC 2047 §2): so many bytes of text fit. */
const WORD_BYTES = 45;

/** The header itself where it is ASCII, which is nearly always. */
export function asciiHeader(header: Uint8Array): Uint8Array {
  if (!hasHighBytes(header)) return header;
  const text = Buffer.from(header.buffer, header.byteOffset, header.length).toString('latin1');
  // Words between blanks; a run of words that are not ASCII becomes one, so that the blanks between are kept.
  const fixed = text.replace(
    /[^\s]*[\x80-\xff][^\s]*(?:[ \t]+[^\s]*[\x80-\xff][^\s]*)*/g,
    (words) => encoded(Buffer.from(words, 'latin1')),
  );
  return Buffer.from(fixed, 'latin1');
}

function hasHighBytes(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if ((bytes[at] as number) > 0x7f) return true;
  return false;
}

/** Bytes as encoded-words; what is not UTF-8 was ISO 8859-1 or something that nobody told. */
function encoded(bytes: Buffer): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    text = bytes.toString('latin1');
  }
  const words: string[] = [];
  let piece = '';
  for (const character of text) {
    if (Buffer.byteLength(piece + character) > WORD_BYTES) {
      words.push(piece);
      piece = '';
    }
    piece += character;
  }
  words.push(piece);
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ');
}
