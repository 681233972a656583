/**
 * The tokens of one received command, a method per element of the grammar (RFC 9051 §9). Methods take what they are named
 * after or throw a syntax error that says what was expected. A command's parser reads as its ABNF does.
 *
 * Text is latin1, one char per byte, until a method says it decodes.
 */

import { type MailError, syntaxError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { parseSequenceSet, type SequenceSet } from '../sequence.ts';
import type { DateTime, ParseMode } from './command.ts';
import type { Literal, ReceivedCommand } from './received.ts';
import { decodeMailbox, decodeUtf8, mailboxNameError } from './text.ts';

const SP = 0x20;
const DQUOTE = 0x22;
const OPEN_BRACE = 0x7b;
const TILDE = 0x7e;
const BACKSLASH = 0x5c;

/** Bits of CLASS: which production a char may stand in. */
const ATOM = 1;
const ASTRING = 2;
const LIST_CHAR = 4;
const SET = 8;
const DIGIT = 16;
const NAME = 32;

/** Per byte, the productions it belongs to (RFC 9051 §9 ATOM-CHAR, ASTRING-CHAR, list-char, sequence-set). */
const CLASS = new Uint8Array(256);
for (let code = 0x21; code < 0x7f; code++) {
  const char = String.fromCharCode(code);
  let bits = 0;
  if (!'(){%*"\\]'.includes(char)) bits |= ATOM;
  if (!'(){%*"\\'.includes(char)) bits |= ASTRING;
  if (!'(){"\\'.includes(char)) bits |= LIST_CHAR;
  if ('0123456789:,*$'.includes(char)) bits |= SET;
  if ('0123456789'.includes(char)) bits |= DIGIT;
  if (/[A-Za-z0-9.-]/.test(char)) bits |= NAME;
  CLASS[code] = bits;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DATE = /("?)(\d{1,2})-([A-Za-z]{3})-(\d{4})\1/y;
const DATE_TIME = /" ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"/y;

/** Largest modseq and size there is (RFC 9051 §9 number64, RFC 7162 §7): 2^63 - 1. */
const MAX_NUMBER64 = 0x7fffffffffffffffn;

const DAY_SECONDS = 86_400;

/** Walks over one command. */
export class Lexer {
  readonly mode: ParseMode;
  readonly #command: ReceivedCommand;
  #lineNumber = 0;
  #line: string;
  #at: number;

  constructor(command: ReceivedCommand, mode: ParseMode) {
    this.mode = mode;
    this.#command = command;
    this.#line = command.lines[0] ?? '';
    this.#at = command.argumentsAt;
  }

  /** The command's name, `UID FETCH` for UID commands. */
  get name(): string {
    return this.#command.name;
  }

  /** The char code ahead, NaN at the end of the line. */
  peek(): number {
    return this.#line.charCodeAt(this.#at);
  }

  /** Takes this char if it is the next. */
  take(char: string): boolean {
    if (this.#line[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  /** Takes this word, without regard to case, if it is next and is not part of a longer one. */
  takeWord(word: string): boolean {
    const end = this.#at + word.length;
    if (this.#line.slice(this.#at, end).toUpperCase() !== word || this.#is(end, ATOM)) return false;
    this.#at = end;
    return true;
  }

  /** Takes a space followed by this char; nothing of it otherwise. For optional arguments: `[SP "(" ...]`. */
  takeSpaceBefore(char: string): boolean {
    if (this.peek() !== SP || this.#line[this.#at + 1] !== char) return false;
    this.#at++;
    return true;
  }

  /** Takes a space followed by this word; nothing of it otherwise. */
  takeSpaceAndWord(word: string): boolean {
    if (this.peek() !== SP) return false;
    this.#at++;
    if (this.takeWord(word)) return true;
    this.#at--;
    return false;
  }

  /** Exactly one space (RFC 9051 §9 note 2). */
  space(): void {
    if (this.peek() !== SP) throw this.expected('a space and a further argument');
    this.#at++;
  }

  /** This char. */
  char(char: string): void {
    if (!this.take(char)) throw this.expected(`"${char}"`);
  }

  /** The end of the command. Spaces before it are let pass: people type them. */
  end(): void {
    if (!this.atEndAfterSpaces()) throw this.expected('the end of the command');
  }

  /** True where nothing follows. */
  atEnd(): boolean {
    return this.#at >= this.#line.length && this.#lineNumber === this.#command.lines.length - 1;
  }

  /** The same, with spaces before the end let pass. */
  atEndAfterSpaces(): boolean {
    const start = this.#at;
    while (this.peek() === SP) this.#at++;
    if (this.atEnd()) return true;
    this.#at = start;
    return false;
  }

  /** atom */
  atom(what: string): string {
    return this.#run(ATOM, what);
  }

  /** An atom in upper case: a keyword of the protocol. */
  word(what: string): string {
    return this.#run(ATOM, what).toUpperCase();
  }

  /** Chars of a keyword that may be followed by `[` or `<`, as `BODY.PEEK[`: letters, digits and dots. */
  itemName(what: string): string {
    return this.#run(NAME, what).toUpperCase();
  }

  /** astring as bytes. */
  astring(what: string): string {
    return this.#isString() ? this.string(what) : this.#run(ASTRING, what);
  }

  /** string: quoted or literal, as bytes. */
  string(what: string): string {
    if (this.peek() === DQUOTE) return this.#quoted();
    const literal = this.#literal(what);
    if (literal.streamed) throw this.expected(what);
    if (literal.binary) throw syntaxError('a ~{n} literal is not allowed here');
    if (literal.text.includes('\0')) throw syntaxError('a literal must not hold NUL');
    return literal.text;
  }

  /** nstring as bytes; NIL is null. */
  nstring(what: string): string | null {
    return this.takeWord('NIL') ? null : this.string(what);
  }

  /** astring decoded as UTF-8. */
  text(what: string): string {
    const text = decodeUtf8(this.astring(what));
    if (text === null) throw syntaxError(`${what} is not valid UTF-8`);
    return text;
  }

  /** The announcement of a message, which went or will go to its sink: `{n}` or `~{n}` at the end of the command. */
  messageLiteral(): Literal {
    const literal = this.#literal('the message as a literal');
    if (!literal.streamed) throw this.expected('the message as a literal');
    return literal;
  }

  /** mailbox, decoded by the connection's mode. */
  mailbox(what = 'a mailbox name'): string {
    const name = decodeMailbox(this.astring(what), this.mode.utf8);
    if (name === null) throw mailboxNameError(this.mode.utf8);
    return name;
  }

  /** list-mailbox, decoded; null where it is no valid name and so matches nothing. */
  listMailbox(): string | null {
    const bytes = this.#isString()
      ? this.string('a mailbox pattern')
      : this.#run(LIST_CHAR, 'a mailbox pattern');
    return decodeMailbox(bytes, this.mode.utf8);
  }

  /** number: 0 to 4,294,967,295. */
  number(what: string): number {
    const value = this.number64(what);
    if (value > 0xffffffff) throw syntaxError(`${what} must be below 4294967296`);
    return value;
  }

  /**
   * number64: 0 to 2^63 - 1. Values beyond 2^53 - 1 are returned as that: no message or modseq here comes near, so every
   * comparison comes out the same.
   */
  number64(what: string): number {
    const digits = this.#run(DIGIT, what);
    if (digits.length <= 15) return Number(digits);
    if (digits.length > 40 || BigInt(digits) > MAX_NUMBER64) throw syntaxError(`${what} must be below 2^63`);
    return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
  }

  /** sequence-set */
  sequenceSet(): SequenceSet {
    return parseSequenceSet(this.#run(SET, 'a set of messages'), this.mode.searchres);
  }

  /** True where a sequence-set may begin. */
  isSequenceSet(): boolean {
    return this.#is(this.#at, SET);
  }

  /** True where a number may begin. */
  isDigit(): boolean {
    return this.#is(this.#at, DIGIT);
  }

  /** flag: `\Seen`, a keyword or an extension, with its letters as given. */
  flag(): string {
    return this.take('\\') ? `\\${this.atom('the name of a flag')}` : this.atom('a flag');
  }

  /** flag-list */
  flagList(): string[] {
    return this.list('flags', () => this.flag());
  }

  /** `"(" [item *(SP item)] ")"` with at most `most` items. */
  list<T>(what: string, item: () => T, most: number = limits.imap_list_items.value): T[] {
    if (!this.take('(')) throw this.expected(`a list of ${what} in parentheses`);
    const items: T[] = [];
    if (this.take(')')) return items;
    while (true) {
      items.push(item());
      if (items.length > most) throw syntaxError(`a list of ${what} may hold at most ${most}`);
      if (this.take(')')) return items;
      this.space();
    }
  }

  /** date, quoted or not, as days since 1970-01-01. */
  date(): number {
    DATE.lastIndex = this.#at;
    const match = DATE.exec(this.#line);
    if (match === null) throw this.expected('a date, as in 1-Feb-1994');
    this.#at = DATE.lastIndex;
    return dayNumber(match[2] as string, match[3] as string, match[4] as string);
  }

  /** date-time. A day of one digit is read with or without the space before it. */
  dateTime(): DateTime {
    DATE_TIME.lastIndex = this.#at;
    const match = DATE_TIME.exec(this.#line);
    if (match === null) throw this.expected('a date and time, as in "17-Jul-1996 02:44:25 -0700"');
    this.#at = DATE_TIME.lastIndex;
    const [hour, minute, second] = [Number(match[4]), Number(match[5]), Number(match[6])];
    const [zoneHour, zoneMinute] = [Number(match[8]), Number(match[9])];
    if (hour > 23 || minute > 59 || second > 60 || zoneHour > 23 || zoneMinute > 59) {
      throw syntaxError('the time of day or the zone is not possible');
    }
    const zone = (match[7] === '-' ? -1 : 1) * (60 * zoneHour + zoneMinute);
    const day = dayNumber(match[1] as string, match[2] as string, match[3] as string);
    return { time: day * DAY_SECONDS + hour * 3600 + minute * 60 + second - 60 * zone, zone };
  }

  /** Where the walk is in its line, for `expected` after a word was taken that turned out to be wrong. */
  get position(): number {
    return this.#at;
  }

  /** The error for what stands here, or at a former `position` in this line, instead of `what`. */
  expected(what: string, position: number = this.#at): MailError {
    this.#at = position;
    const code = this.peek();
    const found = this.atEnd()
      ? 'the end of the command'
      : code > SP && code < 0x7f
      ? `"${String.fromCharCode(code)}"`
      : code === SP
      ? 'a space'
      : 'something else';
    return syntaxError(`${this.name}: expected ${what}, found ${found}`);
  }

  #isString(): boolean {
    const code = this.peek();
    return code === DQUOTE || code === OPEN_BRACE ||
      (code === TILDE && this.#line.charCodeAt(this.#at + 1) === OPEN_BRACE);
  }

  /** One or more chars of a class. */
  #run(bits: number, what: string): string {
    const start = this.#at;
    const line = this.#line;
    let at = start;
    // NaN behind the end indexes nothing, and undefined has no bits.
    while (((CLASS[line.charCodeAt(at)] as number) & bits) !== 0) at++;
    if (at === start) throw this.expected(what);
    this.#at = at;
    return line.slice(start, at);
  }

  #is(at: number, bits: number): boolean {
    return ((CLASS[this.#line.charCodeAt(at)] as number) & bits) !== 0;
  }

  /** quoted: only `"` and `\` may be, and must be, escaped. 8-bit chars are left to whoever decodes. */
  #quoted(): string {
    const line = this.#line;
    const start = this.#at + 1;
    const close = line.indexOf('"', start);
    if (close < 0) throw syntaxError('a quoted string is not closed');
    const plain = line.slice(start, close);
    if (!plain.includes('\\')) {
      this.#at = close + 1;
      return plain;
    }
    let text = '';
    let from = start;
    for (let at = start; at < line.length; at++) {
      const code = line.charCodeAt(at);
      if (code === DQUOTE) {
        this.#at = at + 1;
        return text + line.slice(from, at);
      }
      if (code !== BACKSLASH) continue;
      const next = line.charCodeAt(at + 1);
      if (next !== DQUOTE && next !== BACKSLASH) {
        throw syntaxError('in a quoted string a backslash stands only before " or another backslash');
      }
      text += line.slice(from, at);
      from = ++at;
    }
    throw syntaxError('a quoted string is not closed');
  }

  /** The literal announced here; the walk goes on in the next line. */
  #literal(what: string): Literal {
    const code = this.peek();
    const literal = this.#command.literals[this.#lineNumber];
    const announced = (code === OPEN_BRACE || code === TILDE) && literal !== undefined &&
      /^~?\{[0-9]+\+?\}$/.test(this.#line.slice(this.#at, this.#at + 40)) &&
      this.#line.length - this.#at <= 40;
    if (!announced) throw this.expected(what);
    this.#lineNumber++;
    this.#line = this.#command.lines[this.#lineNumber] ?? '';
    this.#at = 0;
    return literal;
  }
}

/** Parentheses, NOT and OR inside each other beyond the limit. */
export function tooDeep(): MailError {
  return syntaxError(`parentheses, NOT and OR may be nested at most ${limits.imap_depth.value} deep`);
}

/** Days since 1970-01-01. Throws a syntax error for a day that does not exist. */
function dayNumber(day: string, month: string, year: string): number {
  const monthIndex = MONTHS.indexOf(month.toLowerCase());
  const date = new Date(0);
  date.setUTCFullYear(Number(year), monthIndex, Number(day));
  if (monthIndex < 0 || date.getUTCDate() !== Number(day)) {
    throw syntaxError('that day does not exist; a date is written as 1-Feb-1994');
  }
  return date.getTime() / 1000 / DAY_SECONDS;
}
