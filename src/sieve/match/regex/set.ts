/** Sets of characters as bracket expressions write them (POSIX, IEEE Std 1003.1 §9.3.5). */

/** How letters of an expression meet letters of a text. */
export type LetterCase = 'exact' | 'ascii' | 'unicode';

/** A named class: its ASCII characters, and what of the rest of Unicode belongs to it. */
interface CharacterClass {
  readonly ascii: RegExp;
  readonly beyond: RegExp | null;
}

const CLASSES: ReadonlyMap<string, CharacterClass> = new Map([
  ['alpha', { ascii: /[A-Za-z]/, beyond: /\p{L}/u }],
  ['digit', { ascii: /[0-9]/, beyond: null }],
  ['alnum', { ascii: /[0-9A-Za-z]/, beyond: /[\p{L}\p{Nd}]/u }],
  ['upper', { ascii: /[A-Z]/, beyond: /\p{Lu}/u }],
  ['lower', { ascii: /[a-z]/, beyond: /\p{Ll}/u }],
  ['space', { ascii: /[\t-\r ]/, beyond: /\p{Z}/u }],
  ['blank', { ascii: /[\t ]/, beyond: /\p{Zs}/u }],
  ['punct', { ascii: /[!-/:-@[-`{-~]/, beyond: /[\p{P}\p{S}]/u }],
  ['print', { ascii: /[ -~]/, beyond: /[^\p{C}\p{Zl}\p{Zp}]/u }],
  ['graph', { ascii: /[!-~]/, beyond: /[^\p{C}\p{Z}]/u }],
  ['cntrl', { ascii: /[\x00-\x1f\x7f]/, beyond: /\p{Cc}/u }],
  ['xdigit', { ascii: /[0-9A-Fa-f]/, beyond: null }],
  /** GNU's `\w`. */
  ['word', { ascii: /[0-9A-Za-z_]/, beyond: /[\p{L}\p{Nd}]/u }],
]);

export class CharacterSet {
  readonly #ascii = new Uint8Array(128);
  /** Pairs of first and last, beyond ASCII. */
  readonly #ranges: number[] = [];
  readonly #beyond: RegExp[] = [];
  #negated = false;

  /** First and last, both included. */
  addRange(first: number, last: number): void {
    for (let code = first; code <= Math.min(last, 127); code++) this.#ascii[code] = 1;
    if (last > 127) this.#ranges.push(Math.max(first, 128), last);
  }

  /** False if there is no class of this name. */
  addClass(name: string): boolean {
    const known = CLASSES.get(name);
    if (known === undefined) return false;
    for (let code = 0; code < 128; code++) {
      if (known.ascii.test(String.fromCharCode(code))) this.#ascii[code] = 1;
    }
    if (known.beyond !== null) this.#beyond.push(known.beyond);
    return true;
  }

  /** Everything else instead. Call once, when all is added and `ignoreCase` was. */
  negate(): void {
    for (let code = 0; code < 128; code++) this.#ascii[code] = 1 - (this.#ascii[code] as number);
    this.#negated = true;
  }

  /** ASCII letters of one case bring the other with them; beyond ASCII `has` looks at both. */
  ignoreCase(): void {
    for (let lower = 97; lower <= 122; lower++) {
      const either = (this.#ascii[lower] as number) | (this.#ascii[lower - 32] as number);
      this.#ascii[lower] = this.#ascii[lower - 32] = either;
    }
  }

  has(code: number, letters: LetterCase): boolean {
    if (code < 128) return this.#ascii[code] === 1;
    let found = this.#holds(code);
    if (!found && letters === 'unicode') {
      const character = String.fromCodePoint(code);
      found = this.#holdsCase(character.toLowerCase(), code) ||
        this.#holdsCase(character.toUpperCase(), code);
    }
    return found !== this.#negated;
  }

  #holdsCase(other: string, code: number): boolean {
    const otherCode = other.codePointAt(0) as number;
    if (otherCode === code || otherCode < 128 || String.fromCodePoint(otherCode) !== other) return false;
    return this.#holds(otherCode);
  }

  #holds(code: number): boolean {
    const ranges = this.#ranges;
    for (let i = 0; i < ranges.length; i += 2) {
      if (code >= (ranges[i] as number) && code <= (ranges[i + 1] as number)) return true;
    }
    if (this.#beyond.length === 0) return false;
    const character = String.fromCodePoint(code);
    return this.#beyond.some((pattern) => pattern.test(character));
  }
}

const WORD = new CharacterSet();
WORD.addClass('word');

/** Characters words are made of, for `\b` and its like; -1 is what stands beyond the text. */
export function isWord(code: number): boolean {
  return code >= 0 && WORD.has(code, 'exact');
}
