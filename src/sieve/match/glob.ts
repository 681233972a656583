/**
 * `:matches` (RFC 5228 §2.7.1) with what each wildcard stood for (RFC 5229 §3.2).
 *
 * A pattern is pieces between `*`. The first piece stands at the beginning, the last at the end, and each other one at the
 * first place behind the one before: if there is a match at all, that is one, and it makes every `*` as short as it can be
 * from left to right. So nothing is ever tried twice.
 */

import { type Find, finder, finderWeight } from './find.ts';

/** Offsets of what stood for the wildcards, start and end in turn, one pair per `*` and `?` in their order. */
export type GlobMatch = readonly number[];

/** What a pattern has between two `*`. */
interface Piece {
  /** As it is compared; empty where there are singles. */
  readonly text: string;
  /** How many `?` it has; mostly none. */
  readonly singles: number;
  /** Its code points, where there are singles. */
  readonly codes: readonly number[];
  readonly find: Find;
}

/** Stands for `?` in `codes`. */
const ANY = -1;

const ASTERISK = 42;
const QUESTION = 63;
const BACKSLASH = 92;

export class Glob {
  readonly #pieces: readonly Piece[];
  /** Microseconds, about, to look for it in a kilobyte: each place of a text is looked at for one piece. */
  readonly weight: number;

  /** `fold` brings a plain text to the form in which values are given to `match`. */
  constructor(pattern: string, fold: (text: string) => string) {
    this.#pieces = split(pattern).map((runs) => makePiece(runs.map(fold)));
    this.weight = Math.max(...this.#pieces.map(weightOf));
  }

  /** Null if the value, in its folded form, does not match. */
  match(text: string): GlobMatch | null {
    const pieces = this.#pieces;
    const first = pieces[0] as Piece;
    let end = standsAt(first, text, 0);
    if (end < 0) return null;
    const found: number[] = [];
    addSingles(found, first, text, 0);
    for (let i = 1; i < pieces.length; i++) {
      const piece = pieces[i] as Piece;
      const start = i === pieces.length - 1 ? fromEnd(piece, text) : piece.find(text, end);
      if (start < end) return null;
      found.push(end, start);
      end = standsAt(piece, text, start);
      if (end < 0) return null;
      addSingles(found, piece, text, start);
    }
    return end === text.length ? found : null;
  }
}

function weightOf({ singles, codes, text }: Piece): number {
  return singles === 0 ? finderWeight(text) : 8 + 3 * Math.ceil(codes.length / 32);
}

/** Adds where the `?` of a piece that stands at `start` are. */
function addSingles(found: number[], piece: Piece, text: string, start: number): void {
  let at = start;
  let left = piece.singles;
  for (let i = 0; left > 0; i++) {
    const after = at + width(text, at);
    if (piece.codes[i] === ANY) {
      found.push(at, after);
      left--;
    }
    at = after;
  }
}

/** The pieces of a pattern; each is its runs of plain text, with one `?` between two of them. A backslash makes the next one plain. */
function split(pattern: string): string[][] {
  const pieces: string[][] = [];
  let runs: string[] = [];
  let run = '';
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern.charCodeAt(i);
    if (c === ASTERISK || c === QUESTION) {
      runs.push(run);
      run = '';
      if (c === ASTERISK) {
        pieces.push(runs);
        runs = [];
      }
    } else {
      if (c === BACKSLASH && i + 1 < pattern.length) i++;
      run += pattern[i];
    }
  }
  runs.push(run);
  pieces.push(runs);
  return pieces;
}

function makePiece(texts: readonly string[]): Piece {
  if (texts.length === 1) {
    const text = texts[0] as string;
    return { text, singles: 0, codes: [], find: finder(text) };
  }
  const codes: number[] = [];
  for (const [i, text] of texts.entries()) {
    if (i > 0) codes.push(ANY);
    for (const character of text) codes.push(character.codePointAt(0) as number);
  }
  return { text: '', singles: texts.length - 1, codes, find: wildFinder(codes) };
}

/** Code units of the character at `at`. */
function width(text: string, at: number): number {
  return (text.codePointAt(at) as number) > 0xffff ? 2 : 1;
}

/** Where a piece that begins at `start` ends, or -1 if it does not stand there. */
function standsAt(piece: Piece, text: string, start: number): number {
  if (piece.singles === 0) {
    return text.startsWith(piece.text, start) ? start + piece.text.length : -1;
  }
  let at = start;
  for (const code of piece.codes) {
    const here = text.codePointAt(at);
    if (here === undefined || (code !== ANY && code !== here)) return -1;
    at += here > 0xffff ? 2 : 1;
  }
  return at;
}

/** Where a piece must begin to end with the text, or -1 if the text is too short. */
function fromEnd(piece: Piece, text: string): number {
  if (piece.singles === 0) return text.length - piece.text.length;
  return stepsBack(text, text.length, piece.codes.length);
}

function stepsBack(text: string, from: number, characters: number): number {
  let at = from;
  for (let i = 0; i < characters; i++) {
    if (at <= 0) return -1;
    at--;
    if (at > 0 && isPair(text, at - 1)) at--;
  }
  return at;
}

function isPair(text: string, at: number): boolean {
  return (text.codePointAt(at) as number) > 0xffff;
}

/**
 * Finds a piece with `?` by keeping, in one bit each, which of its beginnings end at the current character (Baeza-Yates and
 * Gonnet's shift-and): one word per 32 characters of the piece for each character of the text.
 */
function wildFinder(codes: readonly number[]): Find {
  const words = Math.ceil(codes.length / 32);
  const any = new Uint32Array(words);
  const masks = new Map<number, Uint32Array>();
  for (const [i, code] of codes.entries()) if (code === ANY) setBit(any, i);
  for (const [i, code] of codes.entries()) {
    if (code === ANY) continue;
    let mask = masks.get(code);
    if (mask === undefined) masks.set(code, mask = any.slice());
    setBit(mask, i);
  }
  const last = codes.length - 1;
  return (text, from) => {
    const state = new Uint32Array(words);
    for (let at = from; at < text.length;) {
      const code = text.codePointAt(at) as number;
      at += code > 0xffff ? 2 : 1;
      const mask = masks.get(code) ?? any;
      let carry = 1;
      for (let word = 0; word < words; word++) {
        const bits = state[word] as number;
        state[word] = ((bits << 1) | carry) & (mask[word] as number);
        carry = bits >>> 31;
      }
      if (((state[last >> 5] as number) >>> (last & 31)) & 1) return stepsBack(text, at, codes.length);
    }
    return -1;
  };
}

function setBit(words: Uint32Array, bit: number): void {
  words[bit >> 5] = (words[bit >> 5] as number) | (1 << (bit & 31));
}
