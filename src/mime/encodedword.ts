/**
 * Header text to Unicode: encoded-words (RFC 2047), extended parameter values (RFC 2231 §4) and raw UTF-8 (RFC 6532).
 * Total and linear: what cannot be decoded stays as it is.
 */
import { decodeCharset, decodeRawText, knownCharset } from './charset.ts';
import { decodeBase64, decodeQuotedPrintable } from './transfer.ts';

/** An encoded-word found in a text. */
interface EncodedWord {
  readonly charset: string;
  readonly encoding: 'b' | 'q';
  readonly content: string;
  readonly end: number;
}

/** Charset names are short; a longer one makes no encoded-word. */
const LONGEST_CHARSET = 64;

/**
 * Decodes an unfolded header value (latin1) to Unicode. Blanks between encoded-words go (§6.2). Neighbouring words of
 * one charset are joined as bytes first, since senders split multi-byte chars across words. Words in an unknown charset
 * stay as they were sent.
 */
export function decodeHeader(value: string): string {
  let next = value.indexOf('=?');
  if (next < 0) return decodeRawText(value);
  const lastEnd = value.lastIndexOf('?=');
  let out = '';
  let plain = 0;
  while (next >= 0) {
    const word = readWord(value, next, lastEnd);
    if (word === null) {
      next = value.indexOf('=?', next + 2);
      continue;
    }
    out += decodeRawText(value.slice(plain, next));
    let { charset, end } = word;
    const chunks: Uint8Array[] = [decodeContent(word)];
    for (;;) {
      const begin = skipBlanks(value, end);
      const following = value.startsWith('=?', begin) ? readWord(value, begin, lastEnd) : null;
      if (following === null) break;
      if (following.charset !== charset) {
        out += decodeCharset(Buffer.concat(chunks), charset);
        chunks.length = 0;
        charset = following.charset;
      }
      chunks.push(decodeContent(following));
      end = following.end;
    }
    out += decodeCharset(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks), charset);
    plain = end;
    next = value.indexOf('=?', end);
  }
  return out + decodeRawText(value.slice(plain));
}

/**
 * A parameter value to Unicode. `extended` is true for a name that ends in `*`: charset'language'percent-encoded. A
 * plain value is taken as a header value, since many senders put encoded-words there against RFC 2047 §5.
 */
export function decodeParameter(value: string, extended: boolean): string {
  if (!extended) return decodeHeader(value);
  const first = value.indexOf("'");
  const second = first < 0 ? -1 : value.indexOf("'", first + 1);
  const charset = second < 0 ? '' : value.slice(0, first);
  const text = second < 0 ? value : value.slice(second + 1);
  const bytes = Buffer.from(
    text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  );
  return decodeCharset(bytes, charset);
}

/**
 * `=?charset[*language]?B or Q?content?=` at `start`, or null. The content reaches to the first `?=`; the last one of
 * the value is at `lastEnd`.
 */
function readWord(value: string, start: number, lastEnd: number): EncodedWord | null {
  let at = start + 2;
  const longest = at + LONGEST_CHARSET;
  let star = 0;
  while (at < longest && isCharsetChar(value.charCodeAt(at))) {
    if (star === 0 && value.charCodeAt(at) === 42) star = at;
    at++;
  }
  if (value.charCodeAt(at) !== 63 || value.charCodeAt(at + 2) !== 63) return null;
  const letter = value.charCodeAt(at + 1) | 32;
  if (letter !== 98 && letter !== 113) return null;
  const charset = value.slice(start + 2, star || at).toLowerCase();
  if (charset === '' || !knownCharset(charset)) return null;
  const content = at + 3;
  // There is an end, so the search costs no more than the word's length.
  if (content > lastEnd) return null;
  const end = value.indexOf('?=', content);
  return { charset, encoding: letter === 98 ? 'b' : 'q', content: value.slice(content, end), end: end + 2 };
}

function decodeContent(word: EncodedWord): Uint8Array {
  const bytes = Buffer.from(word.content, 'latin1');
  return word.encoding === 'b' ? decodeBase64(bytes) : decodeQuotedPrintable(bytes, true);
}

function skipBlanks(value: string, at: number): number {
  let pos = at;
  while (value.charCodeAt(pos) === 32 || value.charCodeAt(pos) === 9) pos++;
  return pos;
}

/** RFC 2047 §2 token chars, and `*` for RFC 2231 §5. */
function isCharsetChar(c: number): boolean {
  return (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) ||
    c === 45 || c === 95 || c === 46 || c === 58 || c === 43 || c === 40 || c === 41 || c === 42;
}
