/**
 * Content-Type and Content-Disposition (RFC 2045 §5.1, RFC 2183) with RFC 2231 continuations put together. Lenient
 * where mail is commonly wrong: unquoted values with blanks, a lost semicolon, comments anywhere. One pass; total.
 */
import { limits } from '../limits.ts';
import { trimBlanks } from './header.ts';
import { upperAscii } from './nstring.ts';

/** Names in upper case and values, in turn: `['CHARSET', 'utf-8', 'NAME', 'a.txt']`. latin1. */
export type Parameters = string[];

/** A parsed Content-Type; type and subtype in upper case as they are compared and rendered. */
export interface ContentType {
  readonly type: string;
  readonly subtype: string;
  readonly parameters: Parameters;
}

/** A parsed Content-Disposition; the kind in upper case. */
export interface Disposition {
  readonly kind: string;
  readonly parameters: Parameters;
}

/** RFC 2045 §5.2: what a part without a usable Content-Type is. */
export const TEXT_PLAIN: ContentType = {
  type: 'TEXT',
  subtype: 'PLAIN',
  parameters: ['CHARSET', 'us-ascii'],
};

/** RFC 2046 §5.1.5: what a part of a multipart/digest without a Content-Type is. */
export const MESSAGE_RFC822: ContentType = { type: 'MESSAGE', subtype: 'RFC822', parameters: [] };

/**
 * Parses an unfolded Content-Type value. Null if it has no type and subtype: RFC 2045 §5.2 then suggests the default
 * text/plain, and so does Cyrus (Dovecot answers an empty subtype, which no client knows what to do with).
 */
export function parseContentType(value: string): ContentType | null {
  const at = { pos: 0 };
  const type = readToken(value, at);
  skipComments(value, at);
  if (type === '' || value.charCodeAt(at.pos) !== SLASH) return null;
  at.pos++;
  const subtype = readToken(value, at);
  if (subtype === '') return null;
  return {
    type: upperAscii(type),
    subtype: upperAscii(subtype),
    parameters: readParameters(value, at),
  };
}

/** Parses an unfolded Content-Disposition value; null if there is no disposition type in it. */
export function parseDisposition(value: string): Disposition | null {
  const at = { pos: 0 };
  const kind = readToken(value, at);
  if (kind === '') return null;
  return { kind: upperAscii(kind), parameters: readParameters(value, at) };
}

/** The value of a parameter by its name in upper case, or null. The first one counts. */
export function parameter(parameters: Parameters, name: string): string | null {
  for (let i = 0; i + 1 < parameters.length; i += 2) {
    if (parameters[i] === name) return parameters[i + 1] as string;
  }
  return null;
}

/** One RFC 2231 §3 piece: `name*index` or, percent-encoded, `name*index*`. */
interface Piece {
  readonly index: number;
  readonly encoded: boolean;
  readonly value: string;
}

interface Cursor {
  pos: number;
}

const SPACE = 32;
const TAB = 9;
const QUOTE = 34;
const OPEN = 40;
const CLOSE = 41;
const SLASH = 47;
const SEMICOLON = 59;
const EQUALS = 61;
const BACKSLASH = 92;

function readParameters(text: string, at: Cursor): Parameters {
  const out: Parameters = [];
  let pieces: Map<string, Piece[]> | null = null;
  while (out.length < 2 * limits.mime_parameters.value) {
    skipComments(text, at);
    while (text.charCodeAt(at.pos) === SEMICOLON) {
      at.pos++;
      skipComments(text, at);
    }
    if (at.pos >= text.length) break;
    const start = at.pos;
    const name = upperAscii(readToken(text, at));
    skipComments(text, at);
    if (name === '' || text.charCodeAt(at.pos) !== EQUALS) {
      // No parameter: go on behind the next semicolon.
      if (at.pos === start) at.pos++;
      const next = text.indexOf(';', at.pos);
      at.pos = next < 0 ? text.length : next;
      continue;
    }
    at.pos++;
    const value = readValue(text, at);
    const star = name.indexOf('*');
    const piece = star > 0 ? asPiece(name, star, value) : null;
    if (piece === null) {
      out.push(name, value);
    } else {
      pieces ??= new Map();
      const base = name.slice(0, star);
      const known = pieces.get(base);
      if (known === undefined) pieces.set(base, [piece]);
      else if (known.length < limits.mime_continuations.value) known.push(piece);
      // Each continued parameter takes the place of its first piece, so that the count is bounded by the loop.
      if (known === undefined) out.push(name, '');
    }
  }
  return pieces === null ? out : join(out, pieces);
}

/** `NAME*3` and `NAME*3*` are pieces; `NAME*` is a whole value with a charset and keeps its name. */
function asPiece(name: string, star: number, value: string): Piece | null {
  const encoded = name.length > star + 1 && name.endsWith('*');
  const digits = name.slice(star + 1, encoded ? -1 : undefined);
  if (!/^\d{1,4}$/.test(digits)) return null;
  return { index: Number(digits), encoded, value };
}

/**
 * Puts pieces together as RFC 9051 §7.5.2 asks. `baz*0`, `baz*1` become `BAZ`; if a piece is percent-encoded the whole
 * becomes `BAZ*` in the form of one RFC 2231 §4 value (charset'language'percent-encoded), which is what clients decode
 * under that name, Dovecot's form too. Pieces behind a gap are dropped.
 */
function join(parameters: Parameters, pieces: Map<string, Piece[]>): Parameters {
  const out: Parameters = [];
  for (let i = 0; i < parameters.length; i += 2) {
    const name = parameters[i] as string;
    const star = name.indexOf('*');
    const base = name.slice(0, Math.max(star, 0));
    const parts = star > 0 && asPiece(name, star, '') !== null ? pieces.get(base) : undefined;
    if (parts === undefined) {
      out.push(name, parameters[i + 1] as string);
      continue;
    }
    const inOrder = parts.toSorted((a, b) => a.index - b.index);
    let end = 0;
    while (end < inOrder.length && inOrder[end]?.index === end) end++;
    if (end === 0) continue;
    const used = inOrder.slice(0, end);
    if (!used.some((piece) => piece.encoded)) {
      out.push(base, used.map((piece) => piece.value).join(''));
      continue;
    }
    const charset = used[0]?.encoded ? '' : "''";
    out.push(
      base + '*',
      charset + used.map((piece) => (piece.encoded ? piece.value : percentEncode(piece.value))).join(''),
    );
  }
  return out;
}

/** RFC 2231 §7 attribute-char stay, everything else becomes %XX. */
function percentEncode(value: string): string {
  return value.replace(
    /[^!#$&+\-.0-9A-Z^_`a-z{|}~]/g,
    (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0'),
  );
}

/** A token (RFC 2045 §5.1), behind blanks and comments; '' if there is none. */
function readToken(text: string, at: Cursor): string {
  skipComments(text, at);
  const start = at.pos;
  while (at.pos < text.length && isTokenChar(text.charCodeAt(at.pos))) at.pos++;
  return text.slice(start, at.pos);
}

/** A quoted string, or everything up to the semicolon or a comment. */
function readValue(text: string, at: Cursor): string {
  skipComments(text, at);
  if (text.charCodeAt(at.pos) === QUOTE) return readQuoted(text, at);
  const start = at.pos;
  while (at.pos < text.length) {
    const c = text.charCodeAt(at.pos);
    if (c === SEMICOLON) break;
    // `name=a(1).txt` is common; only a parenthesis behind a blank begins a comment.
    if (c === OPEN && isBlank(text.charCodeAt(at.pos - 1))) break;
    at.pos++;
  }
  return trimBlanks(text.slice(start, at.pos));
}

function readQuoted(text: string, at: Cursor): string {
  let start = ++at.pos;
  let done = '';
  while (at.pos < text.length) {
    const c = text.charCodeAt(at.pos);
    if (c === QUOTE) {
      done += text.slice(start, at.pos++);
      return done;
    }
    if (c === BACKSLASH && at.pos + 1 < text.length) {
      done += text.slice(start, at.pos);
      start = ++at.pos;
    }
    at.pos++;
  }
  return done + text.slice(start);
}

/** Skips blanks and comments (RFC 5322 §3.2.2). */
function skipComments(text: string, at: Cursor): void {
  while (at.pos < text.length) {
    const c = text.charCodeAt(at.pos);
    if (isBlank(c)) {
      at.pos++;
      continue;
    }
    if (c !== OPEN) return;
    let depth = 0;
    do {
      const inner = text.charCodeAt(at.pos++);
      if (inner === BACKSLASH) at.pos++;
      else if (inner === OPEN) depth++;
      else if (inner === CLOSE) depth--;
    } while (depth > 0 && at.pos < text.length);
  }
}

function isBlank(c: number): boolean {
  return c === SPACE || c === TAB;
}

function isTokenChar(c: number): boolean {
  if (c <= 32 || c === 127) return false;
  switch (c) {
    case QUOTE:
    case OPEN:
    case CLOSE:
    case 44: // ,
    case SLASH:
    case 58: // :
    case SEMICOLON:
    case 60: // <
    case EQUALS:
    case 62: // >
    case 63: // ?
    case 64: // @
    case 91: // [
    case BACKSLASH:
    case 93: // ]
      return false;
    default:
      return true;
  }
}
