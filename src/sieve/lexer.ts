/**
 * Octets of a script to tokens (RFC 5228 §8.1). Total: what is no token is reported once and becomes an 'error' token, so that
 * the parser goes on behind it. A line may end in a bare LF, as scripts in files do; inside strings it becomes CRLF.
 */
import { limits } from '../limits.ts';
import type { Position } from './diagnostic.ts';

export type TokenKind =
  | 'identifier'
  | 'tag'
  | 'number'
  | 'string'
  | 'error'
  | 'garbage'
  | 'end'
  | Punctuation;
export type Punctuation = ';' | ',' | '(' | ')' | '[' | ']' | '{' | '}';

export interface Token {
  readonly kind: TokenKind;
  /** Of identifiers and tags the name in lower case, of strings the octets. */
  readonly text: string;
  /** Of numbers; 0 else. */
  readonly number: number;
  readonly position: Position;
}

const PUNCTUATION = ';,()[]{}';
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const DIGITS = /[0-9]+/y;
/** What is skipped after an octet that begins no token. */
const GARBAGE = /[^\s;,()[\]{}"#]+/y;
const QUOTED_RUN = /[^"\\\r\n\0]+/y;
/** RFC 5228 §2.4.1 asks for 2^31-1. Beyond 2^53 a number is only known to be that large, which no message is. */
const LARGEST_NUMBER = 2n ** 64n - 1n;
const SHIFTS: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

export class Lexer {
  readonly #source: string;
  readonly #report: (position: Position, text: string) => void;
  #at = 0;
  #line = 1;
  #lineStart = 0;
  /** Octets since the beginning of the line that continue a character of UTF-8: they have no column of their own. */
  #continuations = 0;

  /** `report` is called for every error, in order. */
  constructor(source: string, report: (position: Position, text: string) => void) {
    this.#source = source;
    this.#report = report;
    if (source.startsWith('\xef\xbb\xbf')) this.#at = this.#lineStart = 3;
  }

  /** The next token; at the end 'end', again and again. */
  next(): Token {
    const source = this.#source;
    if (!this.#skipBlanks()) return this.#token('error', this.#position());
    const position = this.#position();
    const c = source[this.#at];
    if (c === undefined) return this.#token('end', position);
    if (PUNCTUATION.includes(c)) {
      this.#at++;
      return this.#token(c as Punctuation, position);
    }
    if (c === '"') return this.#quoted(position);
    if (c === ':') return this.#tag(position);
    if (c >= '0' && c <= '9') return this.#number(position);
    const name = this.#take(NAME);
    if (name === null) return this.#garbage(position);
    if (name.length === 4 && source[this.#at] === ':' && name.toLowerCase() === 'text') {
      this.#at++;
      return this.#multiline(position);
    }
    return this.#named('identifier', name, position);
  }

  #token(kind: TokenKind, position: Position, text = '', number = 0): Token {
    return { kind, text, number, position };
  }

  #position(): Position {
    return { line: this.#line, column: this.#at - this.#lineStart - this.#continuations + 1 };
  }

  #error(position: Position, text: string): Token {
    this.#report(position, text);
    return this.#token('error', position);
  }

  /** What a sticky pattern matches here, or null. */
  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#source);
    if (match === null) return null;
    this.#at = pattern.lastIndex;
    return match[0];
  }

  #newline(): void {
    this.#at++;
    this.#line++;
    this.#lineStart = this.#at;
    this.#continuations = 0;
  }

  /** Counts the lines and columns of what lies between here and `end`, and goes there. */
  #advance(end: number): void {
    const source = this.#source;
    for (let newline = source.indexOf('\n', this.#at); newline >= 0 && newline < end;) {
      this.#at = newline;
      this.#newline();
      newline = source.indexOf('\n', this.#at);
    }
    for (let i = this.#at; i < end; i++) {
      const c = source.charCodeAt(i);
      if (c >= 0x80 && c < 0xc0) this.#continuations++;
    }
    this.#at = end;
  }

  /** White space and comments (§2.2, §2.3). False after an error was reported. */
  #skipBlanks(): boolean {
    const source = this.#source;
    for (;;) {
      const c = source[this.#at];
      if (c === '\n') this.#newline();
      else if (c === ' ' || c === '\t') this.#at++;
      else if (c === '\r' && (source[this.#at + 1] === '\n' || this.#at + 1 === source.length)) this.#at++;
      else if (c === '#') {
        const newline = source.indexOf('\n', this.#at);
        if (!this.#comment(newline < 0 ? source.length : newline)) return false;
      } else if (c === '/' && source[this.#at + 1] === '*') {
        const position = this.#position();
        const end = source.indexOf('*/', this.#at + 2);
        if (end < 0) {
          this.#advance(source.length);
          this.#report(position, "unexpected end of script in a comment: expected '*/'");
          return false;
        }
        if (!this.#comment(end + 2)) return false;
      } else return true;
    }
  }

  #comment(end: number): boolean {
    const nul = this.#source.indexOf('\0', this.#at);
    const found = nul >= 0 && nul < end;
    if (found) {
      this.#advance(nul);
      this.#report(this.#position(), 'NUL is not allowed in a script (RFC 5228 §2.1)');
    }
    this.#advance(end);
    return !found;
  }

  #tag(position: Position): Token {
    this.#at++;
    const name = this.#take(NAME);
    if (name === null) return this.#error(position, "expected the name of a tag directly behind ':'");
    return this.#named('tag', name, position);
  }

  #named(kind: 'identifier' | 'tag', name: string, position: Position): Token {
    if (name.length <= limits.sieve_identifier.value) {
      return this.#token(kind, position, name.toLowerCase());
    }
    return this.#error(
      position,
      `a name of ${name.length} characters: expected ${limits.sieve_identifier.value} at most`,
    );
  }

  #number(position: Position): Token {
    const digits = this.#take(DIGITS) as string;
    const suffix = this.#source[this.#at] ?? '';
    const factor = SHIFTS[suffix.toLowerCase()];
    if (factor !== undefined) this.#at++;
    const tail = this.#take(NAME);
    if (tail !== null) {
      return this.#error(
        position,
        `"${digits}${factor === undefined ? '' : suffix}${tail}" is no number: ` +
          'expected digits, and then K, M, G or nothing',
      );
    }
    // 24 digits are beyond every limit already, whatever comes behind them.
    const value = digits.length > 24 ? LARGEST_NUMBER + 1n : BigInt(digits) * BigInt(factor ?? 1);
    if (value > LARGEST_NUMBER) return this.#error(position, `the number is larger than ${LARGEST_NUMBER}`);
    return this.#token('number', position, '', Number(value));
  }

  /** §2.4.2: `\"` and `\\`; other characters behind a backslash stand for themselves. */
  #quoted(position: Position): Token {
    const source = this.#source;
    this.#at++;
    let text = '';
    let nul = false;
    for (;;) {
      QUOTED_RUN.lastIndex = this.#at;
      const run = QUOTED_RUN.exec(source);
      if (run !== null) {
        text += run[0];
        this.#advance(QUOTED_RUN.lastIndex);
      }
      const c = source[this.#at];
      if (c === undefined) {
        return this.#error(position, "unexpected end of script in a string: expected '\"'");
      }
      if (c === '"') {
        this.#at++;
        return nul ? this.#token('error', position) : this.#token('string', position, text);
      }
      if (c === '\\') {
        this.#at++;
        const escaped = source[this.#at];
        if (escaped === '"' || escaped === '\\') {
          text += escaped;
          this.#at++;
        }
      } else if (c === '\n') {
        text += '\r\n';
        this.#newline();
      } else if (c === '\r') {
        if (source[this.#at + 1] !== '\n') text += c;
        this.#at++;
      } else {
        this.#report(this.#position(), 'NUL is not allowed in a string; "${hex:00}" is (RFC 5228 §2.4.2.4)');
        nul = true;
        this.#at++;
      }
    }
  }

  /** `text:`, blanks or a comment, and lines up to a single dot (§2.4.2). */
  #multiline(position: Position): Token {
    const source = this.#source;
    while (source[this.#at] === ' ' || source[this.#at] === '\t') this.#at++;
    let newline = source.indexOf('\n', this.#at);
    const rest = newline < 0 ? '' : source.slice(this.#at, newline).replace(/\r$/, '');
    if (newline < 0 || rest !== '' && !rest.startsWith('#')) {
      const found = this.#error(position, "expected the end of the line behind 'text:'");
      this.#advance(newline < 0 ? source.length : newline);
      return found;
    }
    const lines: string[] = [];
    for (;;) {
      const start = newline + 1;
      newline = source.indexOf('\n', start);
      const end = newline < 0 ? source.length : newline;
      const line = source.slice(start, source[end - 1] === '\r' && end > start ? end - 1 : end);
      if (line === '.') {
        this.#advance(Math.min(end + 1, source.length));
        break;
      }
      if (newline < 0) {
        this.#advance(source.length);
        return this.#error(
          position,
          "unexpected end of script in a 'text:' string: expected a line with a single '.'",
        );
      }
      lines.push(line.startsWith('..') ? line.slice(1) : line);
    }
    const text = lines.length === 0 ? '' : `${lines.join('\r\n')}\r\n`;
    if (text.includes('\0')) {
      return this.#error(position, 'NUL is not allowed in a string; "${hex:00}" is (RFC 5228 §2.4.2.4)');
    }
    return this.#token('string', position, text);
  }

  #garbage(position: Position): Token {
    const start = this.#at;
    this.#take(GARBAGE);
    const end = Math.max(this.#at, start + 1);
    this.#at = start;
    this.#advance(end);
    const found = this.#source.slice(start, Math.min(end, start + 20));
    this.#report(position, `unexpected characters ${JSON.stringify(printable(found))}`);
    return this.#token('garbage', position);
  }
}

/** Octets for a message: what is no printable ASCII or UTF-8 is shown as "?". */
export function printable(octets: string): string {
  return Buffer.from(octets, 'latin1').toString('utf8').replace(/[\x00-\x1f\x7f\ufffd]/g, '?');
}
