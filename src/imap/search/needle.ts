/**
 * Text that SEARCH looks for, made ready once for all messages. A text holds it when, both folded (mime/fold.ts), one stands in
 * the other; everything here is a quicker way to the same answer for the text most mail is made of, which is ASCII.
 */

import { fold } from '../../mime/fold.ts';

const NON_ASCII = /[^\x00-\x7f]/;

/**
 * Characters beyond ASCII that folding turns into ASCII, or that join with an ASCII letter before them: `ß` is found by `ss`,
 * and `e` is not found in `e` with an accent of its own. Where there are none, ASCII text stands in a folded text exactly where it
 * stands in the text itself, but for its case. (tests/imap/search/needle.test.ts goes through all of Unicode.)
 */
const FOLDS_TO_ASCII =
  /[\xdf\u0131\u0149\u017f\u01f0\u0300-\u036f\u037e\u1e96-\u1e9a\u1fef\u212a\ufb00-\ufb06]/;

/** Characters a regular expression would take for something else. */
const SYNTAX = /[\\^$.*+?()[\]{}|/-]/g;

export class Needle {
  /** As `fold` makes it. */
  readonly folded: string;
  /** Finds it in text without characters of FOLDS_TO_ASCII; null where it is not ASCII itself, so that such text does not hold it. */
  readonly ascii: RegExp | null;
  /** Holds blanks or controls: unfolding a header, or undoing quoted-printable, may bring them about. */
  readonly blanks: boolean;
  /** Holds a line end: it may begin in one field and end in the next. */
  readonly lines: boolean;
  /** Finds its longest piece of letters and digits, which no syntax cuts in two; null where it has none or is not ASCII. */
  readonly word: RegExp | null;

  constructor(text: string) {
    this.folded = fold(text);
    const ascii = !NON_ASCII.test(this.folded);
    this.ascii = ascii ? literal(this.folded) : null;
    // deno-lint-ignore no-control-regex
    this.blanks = /[\x00-\x20]/.test(this.folded);
    this.lines = this.folded.includes('\n');
    const words = ascii ? this.folded.match(/[A-Z0-9]+/g) ?? [] : [];
    const longest = words.reduce((long, word) => word.length > long.length ? word : long, '');
    this.word = longest === '' ? null : literal(longest);
  }

  get isEmpty(): boolean {
    return this.folded === '';
  }

  /** Whether a Unicode text holds it: the meaning of the whole. */
  inText(text: string): boolean {
    if (this.isEmpty) return true;
    if (!NON_ASCII.test(text)) return this.inAscii(text);
    if (this.ascii !== null && !FOLDS_TO_ASCII.test(text)) return this.ascii.test(text);
    return fold(text).includes(this.folded);
  }

  /** The same of a text that is ASCII throughout. */
  inAscii(text: string): boolean {
    return this.ascii !== null && this.ascii.test(text);
  }
}

function literal(text: string): RegExp {
  return new RegExp(text.replace(SYNTAX, '\\$&'), 'i');
}
