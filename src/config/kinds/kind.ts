/**
 * The types an option can have. A kind reads a value from TOML and from the text of an imapd.conf line, and
 * writes it back as TOML; it knows no option. A value that does not fit is answered with a sentence that says
 * what is expected, never with a guess.
 */

import { tomlString } from '../toml/quote.ts';

export type Parsed<T> = { readonly ok: true; readonly value: T } | {
  readonly ok: false;
  readonly problem: string;
};

export type KindName =
  | 'switch'
  | 'string'
  | 'integer'
  | 'size'
  | 'duration'
  | 'choice'
  | 'list'
  | 'path'
  | 'paths'
  | 'mode'
  | 'networks'
  | 'lists'
  | 'referrals'
  | 'certificates';

/** How one type of value is read and written. */
export interface Kind<T> {
  readonly name: KindName;
  /** What a value looks like, in words: "true or false", "one of off, min, on". */
  readonly expects: string;
  /** The words a choice is made of. */
  readonly allowed?: readonly string[];
  /** The value of a TOML key, as the TOML parser gives it. */
  fromToml(value: unknown): Parsed<T>;
  /** The text behind the colon of an imapd.conf line; `unit` is what a bare number counts there. */
  fromText(text: string, unit?: string): Parsed<T>;
  /** The value as TOML source, on one line. */
  toToml(value: T): string;
}

export function good<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function bad(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

/** What a wrong TOML value is, in TOML's words, for "expected …, found …". */
export function describeToml(value: unknown): string {
  if (typeof value === 'string') return `the string ${tomlString(shorten(value))}`;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') return `the integer ${value}`;
  if (typeof value === 'number') {
    return Number.isInteger(value) ? `the integer ${value}` : `the float ${value}`;
  }
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Date) return 'a date';
  return 'a table';
}

export function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

export function mismatch(expects: string, value: unknown): { readonly ok: false; readonly problem: string } {
  return bad(`expected ${expects}, found ${describeToml(value)}`);
}

/** A string that stays on its line: no NUL, CR, LF or other control character. */
export function plainString(text: string): Parsed<string> {
  if (/[\x00-\x1f\x7f]/.test(text)) return bad('control characters are not allowed here');
  return good(text);
}
