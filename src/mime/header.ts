/**
 * The header block as fields with byte offsets. A field runs from its name to the end of its last continuation
 * line (RFC 5322 §2.2.3). CRLF and a bare LF both end a line; bytes are never changed. A line that is no field
 * (an mbox "From " line, garbage) is a field without a name, so that nothing of the header gets lost.
 */
import { limits } from '../limits.ts';

/**
 * Called for one field with offsets in its header block, ends exclusive; false ends the walk. `nameEnd` leaves out
 * blanks before the colon (RFC 5322 §4.5.8 allows them), `valueStart` is behind the colon; both equal `start` where there
 * is no name. `end` is behind the line end of the last continuation line.
 */
export type FieldVisitor = (
  start: number,
  nameEnd: number,
  valueStart: number,
  end: number,
) => boolean | void;

const LF = 10;
const CR = 13;

/** ASCII lower case per byte: the comparison of field names (RFC 9051 §6.4.5) is without regard to ASCII case only. */
const LOWER = Uint8Array.from({ length: 256 }, (_, c) => (c >= 65 && c <= 90 ? c + 32 : c));

/**
 * Calls `visit` for each field in order until it returns false, the empty line or the end is reached. Returns the
 * offset of the empty line, or the length of the header if there is none.
 */
export function eachField(header: Uint8Array, visit: FieldVisitor): number {
  const size = header.length;
  let pos = 0;
  while (pos < size) {
    const first = header[pos];
    if (first === LF || (first === CR && header[pos + 1] === LF)) return pos;
    let end = lineEnd(header, pos);
    const firstLineEnd = end;
    while (end < size && (header[end] === 32 || header[end] === 9)) end = lineEnd(header, end);
    let colon = pos;
    while (colon < firstLineEnd && isNameByte(header[colon] as number)) colon++;
    let nameEnd = colon;
    while (colon < firstLineEnd && (header[colon] === 32 || header[colon] === 9)) colon++;
    let valueStart = colon + 1;
    if (nameEnd === pos || header[colon] !== 58) nameEnd = valueStart = pos;
    if (visit(pos, nameEnd, valueStart, end) === false) break;
    pos = end;
  }
  return pos;
}

/**
 * BODY[HEADER.FIELDS (...)] and, with `not`, BODY[HEADER.FIELDS.NOT (...)] (RFC 9051 §6.4.5): the fields with their
 * bytes and folding as they are, and the empty line where the header has one. `header` is a whole header block.
 */
export function selectHeaderFields(header: Uint8Array, names: readonly string[], not: boolean): Uint8Array {
  const out = new Uint8Array(header.length);
  let length = 0;
  const blank = eachField(header, (start, nameEnd, _, end) => {
    if (isOneOf(header, start, nameEnd, names) === not) return;
    out.set(header.subarray(start, end), length);
    length += end - start;
  });
  out.set(header.subarray(blank), length);
  return out.subarray(0, length + header.length - blank);
}

/**
 * The unfolded value of the first field of this name, without the blanks around it; null if there is none.
 * latin1; see `decodeHeader` for encoded-words.
 */
export function headerField(header: Uint8Array, name: string): string | null {
  let value: string | null = null;
  eachField(header, (start, nameEnd, valueStart, end) => {
    if (!sameName(header, start, nameEnd, name)) return true;
    value = unfold(latin1(header, valueStart, end));
    return false;
  });
  return value;
}

/**
 * The value of a field on one line (RFC 5322 §2.2.3): line ends go, a tab that continued a line becomes the space it
 * was before, other stray CR and NUL become spaces, blanks at both ends go.
 */
export function unfold(value: string): string {
  let text = value;
  // Mostly the only line end is the last one.
  if (text.endsWith('\n')) text = text.slice(0, text.endsWith('\r\n') ? -2 : -1);
  if (text.includes('\n')) text = text.replace(/\r?\n\t?/g, (fold) => (fold.endsWith('\t') ? ' ' : ''));
  if (text.includes('\r')) text = text.replaceAll('\r', ' ');
  if (text.includes('\0')) text = text.replaceAll('\0', ' ');
  return trimBlanks(text);
}

/** Without spaces and tabs at both ends. (String.trim would also take 0xA0, which here is a byte of some charset.) */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return end - start === text.length ? text : text.slice(start, end);
}

/** Bytes [start, end) as a string of one char per byte. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  const buffer = bytes instanceof Buffer
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('latin1', start, end);
}

/** How many header bytes of a block may be looked at (`limits.mime_header_block`). */
export function headerBudget(size: number, left: number): number {
  return Math.min(size, limits.mime_header_block.value, left);
}

function isBlank(c: number): boolean {
  return c === 32 || c === 9;
}

/** RFC 5322 §2.2 ftext: printable ASCII except the colon. */
function isNameByte(c: number): boolean {
  return c > 32 && c < 127 && c !== 58;
}

/** Offset behind the LF that ends the line at `from`, or the end of the header. */
function lineEnd(header: Uint8Array, from: number): number {
  const lf = header.indexOf(LF, from);
  return lf < 0 ? header.length : lf + 1;
}

function isOneOf(header: Uint8Array, start: number, end: number, names: readonly string[]): boolean {
  for (let i = 0; i < names.length; i++) if (sameName(header, start, end, names[i] as string)) return true;
  return false;
}

function sameName(header: Uint8Array, start: number, end: number, name: string): boolean {
  if (end - start !== name.length || end === start) return false;
  for (let i = 0; i < name.length; i++) {
    if (LOWER[header[start + i] as number] !== LOWER[name.charCodeAt(i)]) return false;
  }
  return true;
}
