/**
 * POSIX extended regular expressions (IEEE Std 1003.1 §9.4), which Sieve's `:regex` means, with GNU's `\w \W \s \S \b \B
 * \< \>` and `\d \D`, all of which scripts use. What cannot be matched in linear time (`\1`) is an error.
 */

import { limits } from '../../../limits.ts';
import { CharacterSet, type LetterCase } from './set.ts';
import { type Assertion, RegexError, type RegexNode } from './syntax.ts';

export interface ParsedRegex {
  readonly root: RegexNode;
  /** Groups `( )`. */
  readonly groups: number;
}

/** Throws RegexError. */
export function parseRegex(pattern: string, letters: LetterCase): ParsedRegex {
  return new RegexParser(pattern, letters).parse();
}

const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  b: 'wordedge',
  B: 'notwordedge',
  '<': 'wordstart',
  '>': 'wordend',
  '`': 'start',
  "'": 'end',
};

const ESCAPED_CLASSES: Readonly<Record<string, string>> = { w: 'word', s: 'space', d: 'digit' };

class RegexParser {
  readonly #text: string;
  readonly #letters: LetterCase;
  #at = 0;
  #groups = 0;
  #depth = 0;

  constructor(pattern: string, letters: LetterCase) {
    this.#text = pattern;
    this.#letters = letters;
  }

  parse(): ParsedRegex {
    const root = this.#alternatives();
    if (this.#at < this.#text.length) throw this.#error(this.#at, "')' without '('");
    return { root, groups: this.#groups };
  }

  #alternatives(): RegexNode {
    const nodes = [this.#sequence()];
    while (this.#text[this.#at] === '|') {
      this.#at++;
      nodes.push(this.#sequence());
    }
    return nodes.length === 1 ? nodes[0] as RegexNode : { kind: 'alternatives', nodes };
  }

  #sequence(): RegexNode {
    const nodes: RegexNode[] = [];
    while (this.#at < this.#text.length) {
      const c = this.#text[this.#at];
      if (c === '|' || c === ')') break;
      let node = this.#atom();
      for (;;) {
        const repeated = this.#repeated(node);
        if (repeated === null) break;
        node = repeated;
      }
      nodes.push(node);
    }
    return nodes.length === 1 ? nodes[0] as RegexNode : { kind: 'sequence', nodes };
  }

  #atom(): RegexNode {
    const start = this.#at;
    const code = this.#text.codePointAt(start) as number;
    const c = String.fromCodePoint(code);
    this.#at += c.length;
    switch (c) {
      case '(':
        return this.#group(start);
      case '[':
        return { kind: 'set', set: this.#bracket(start) };
      case '.':
        return { kind: 'any' };
      case '^':
        return { kind: 'assertion', what: 'start' };
      case '$':
        return { kind: 'assertion', what: 'end' };
      case '\\':
        return this.#escape(start);
      case '*':
      case '+':
      case '?':
      case '{':
        throw this.#error(start, `nothing before '${c}' that could be repeated`);
      default:
        return { kind: 'character', code };
    }
  }

  #group(start: number): RegexNode {
    if (++this.#depth > limits.sieve_regex_depth.value) {
      throw this.#error(start, `more than ${limits.sieve_regex_depth.value} groups inside each other`);
    }
    const index = ++this.#groups;
    const node = this.#alternatives();
    if (this.#text[this.#at] !== ')') throw this.#error(start, "'(' without ')'");
    this.#at++;
    this.#depth--;
    return { kind: 'group', index, node };
  }

  #escape(start: number): RegexNode {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) throw this.#error(start, 'a backslash with nothing behind it');
    const c = String.fromCodePoint(code);
    this.#at += c.length;
    const what = ASSERTIONS[c];
    if (what !== undefined) return { kind: 'assertion', what };
    const name = ESCAPED_CLASSES[c.toLowerCase()];
    if (name !== undefined) {
      const set = new CharacterSet();
      set.addClass(name);
      if (c !== c.toLowerCase()) set.negate();
      return { kind: 'set', set };
    }
    if (c >= '1' && c <= '9') throw this.#error(start, `back-references such as '\\${c}' are not supported`);
    return { kind: 'character', code };
  }

  /** The node with the `*`, `+`, `?` or `{m,n}` behind it; null if there is none. */
  #repeated(node: RegexNode): RegexNode | null {
    const start = this.#at;
    const c = this.#text[start];
    if (c !== '*' && c !== '+' && c !== '?' && c !== '{') return null;
    if (node.kind === 'assertion') throw this.#error(start, `nothing before '${c}' that could be repeated`);
    this.#at++;
    switch (c) {
      case '*':
        return { kind: 'repeat', node, min: 0, max: Infinity };
      case '+':
        return { kind: 'repeat', node, min: 1, max: Infinity };
      case '?':
        return { kind: 'repeat', node, min: 0, max: 1 };
    }
    const [min, max] = this.#bounds(start);
    return { kind: 'repeat', node, min, max };
  }

  /** `{m}`, `{m,}`, `{m,n}` or, as GNU has it, `{,n}`. */
  #bounds(start: number): [number, number] {
    const end = this.#text.indexOf('}', start);
    const found = end < 0 ? null : /^(\d*)(,?)(\d*)$/.exec(this.#text.slice(start + 1, end));
    const [, least = '', comma = '', most = ''] = found ?? [];
    if (found === null || (least === '' && most === '')) {
      throw this.#error(start, "'{' needs one or two numbers and '}'; for the character itself write '\\{'");
    }
    this.#at = end + 1;
    const min = Number(least || '0');
    const max = comma === '' ? min : most === '' ? Infinity : Number(most);
    const bound = limits.sieve_regex_repeat.value;
    if (min > bound || (max !== Infinity && max > bound)) {
      throw this.#error(start, `cannot repeat more than ${bound} times`);
    }
    if (min > max) throw this.#error(start, `the least number of times is larger than the most`);
    return [min, max];
  }

  /** A bracket expression; the `[` at `start` is read. */
  #bracket(start: number): CharacterSet {
    const set = new CharacterSet();
    const negated = this.#text[this.#at] === '^';
    if (negated) this.#at++;
    for (let first = true;; first = false) {
      const at = this.#at;
      const code = this.#text.codePointAt(at);
      if (code === undefined) throw this.#error(start, "'[' without ']'");
      if (code === 93 && !first) break;
      const name = this.#named(':', start);
      if (name !== null) {
        if (!set.addClass(name)) throw this.#error(at, `no class of characters is called '${name}'`);
        continue;
      }
      const lowest = this.#endpoint(start);
      // A minus before the bracket's end is itself.
      if (this.#text[this.#at] !== '-' || this.#text[this.#at + 1] === ']') {
        set.addRange(lowest, lowest);
        continue;
      }
      this.#at++;
      const highest = this.#endpoint(start);
      if (highest < lowest) throw this.#error(at, 'a range whose end stands before its beginning');
      set.addRange(lowest, highest);
    }
    this.#at++;
    if (this.#letters !== 'exact') set.ignoreCase();
    if (negated) set.negate();
    return set;
  }

  /** One character of a bracket expression, also as `[.x.]` or `[=x=]`. */
  #endpoint(start: number): number {
    const at = this.#at;
    const name = this.#named('.', start) ?? this.#named('=', start);
    const text = name ?? this.#text.slice(at);
    const code = text.codePointAt(0);
    if (code === undefined) throw this.#error(start, "'[' without ']'");
    const size = code > 0xffff ? 2 : 1;
    if (name === null) this.#at = at + size;
    else if (name.length !== size) throw this.#error(at, `no character is called '${name}'`);
    return code;
  }

  /** The text inside `[:` `:]`, `[.` `.]` or `[=` `=]` at the current place; null if there is none. */
  #named(mark: ':' | '.' | '=', start: number): string | null {
    if (!this.#text.startsWith('[' + mark, this.#at)) return null;
    const end = this.#text.indexOf(mark + ']', this.#at + 2);
    if (end < 0) throw this.#error(start, `'[${mark}' without '${mark}]'`);
    const name = this.#text.slice(this.#at + 2, end);
    this.#at = end + 2;
    return name;
  }

  #error(position: number, text: string): RegexError {
    return new RegexError(position, text);
  }
}
