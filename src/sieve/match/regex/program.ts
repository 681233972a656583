/** A regular expression as a program (Thompson): one instruction per character, and jumps. */

import { limits } from '../../../limits.ts';
import { parseRegex } from './parse.ts';
import type { CharacterSet, LetterCase } from './set.ts';
import { type Assertion, RegexError, type RegexNode } from './syntax.ts';

/** Instructions. All go on to the next one, except jumps, forks and the match. */
export const op = {
  /** x: the code point, folded as `foldCode` does. */
  character: 0,
  any: 1,
  /** x: index into `sets`. */
  set: 2,
  /** x: index into `ASSERTIONS`. */
  assertion: 3,
  /** x: the slot that the current offset is kept in. */
  save: 4,
  /** x: where to go. */
  jump: 5,
  /** x and y: where to go, the better way first. */
  fork: 6,
  match: 7,
} as const;

export const ASSERTIONS: readonly Assertion[] = [
  'start',
  'end',
  'wordedge',
  'notwordedge',
  'wordstart',
  'wordend',
];

export interface RegexProgram {
  /** Three numbers for each instruction: what, x, y. */
  readonly code: Int32Array;
  readonly sets: readonly CharacterSet[];
  readonly letters: LetterCase;
  /** Groups whose text is kept; more are only groups. */
  readonly groups: number;
  /** It can only match where the text begins. */
  readonly anchored: boolean;
}

/** Throws RegexError: what the expression breaks, or that it would be too large. */
export function compileRegex(pattern: string, letters: LetterCase): RegexProgram {
  const { root, groups } = parseRegex(pattern, letters);
  return new Compiler(letters, Math.min(groups, limits.sieve_match_captures.value)).compile(root);
}

/** What is compared instead of a code point. */
export function foldCode(code: number, letters: LetterCase): number {
  if (letters === 'exact') return code;
  if (code < 128) return code >= 97 && code <= 122 ? code - 32 : code;
  if (letters === 'ascii') return code;
  const upper = String.fromCodePoint(code).toUpperCase();
  const upperCode = upper.codePointAt(0) as number;
  return upper.length === (upperCode > 0xffff ? 2 : 1) ? upperCode : code;
}

class Compiler {
  readonly #letters: LetterCase;
  readonly #groups: number;
  readonly #code: number[] = [];
  readonly #sets: CharacterSet[] = [];

  constructor(letters: LetterCase, groups: number) {
    this.#letters = letters;
    this.#groups = groups;
  }

  compile(root: RegexNode): RegexProgram {
    this.#emit(op.save, 0);
    this.#node(root);
    this.#emit(op.save, 1);
    this.#emit(op.match);
    return {
      code: Int32Array.from(this.#code),
      sets: this.#sets,
      letters: this.#letters,
      groups: this.#groups,
      anchored: startsAnchored(root),
    };
  }

  /** The number of the instruction to come. */
  get #here(): number {
    return this.#code.length / 3;
  }

  #emit(what: number, x = 0, y = 0): number {
    const here = this.#here;
    if (here >= limits.sieve_regex_program.value) {
      throw new RegexError(0, `the expression is too large: it repeats too much too often`);
    }
    this.#code.push(what, x, y);
    return here;
  }

  #node(node: RegexNode): void {
    switch (node.kind) {
      case 'character':
        this.#emit(op.character, foldCode(node.code, this.#letters));
        break;
      case 'any':
        this.#emit(op.any);
        break;
      case 'set': {
        let index = this.#sets.indexOf(node.set);
        if (index < 0) index = this.#sets.push(node.set) - 1;
        this.#emit(op.set, index);
        break;
      }
      case 'assertion':
        this.#emit(op.assertion, ASSERTIONS.indexOf(node.what));
        break;
      case 'group':
        if (node.index > this.#groups) return this.#node(node.node);
        this.#emit(op.save, 2 * node.index);
        this.#node(node.node);
        this.#emit(op.save, 2 * node.index + 1);
        break;
      case 'sequence':
        for (const inner of node.nodes) this.#node(inner);
        break;
      case 'alternatives':
        this.#alternatives(node.nodes);
        break;
      case 'repeat':
        this.#repeat(node.node, node.min, node.max);
    }
  }

  #alternatives(nodes: readonly RegexNode[]): void {
    const jumps: number[] = [];
    for (const [i, node] of nodes.entries()) {
      if (i === nodes.length - 1) {
        this.#node(node);
        break;
      }
      const fork = this.#emit(op.fork);
      this.#set(fork, 1, this.#here);
      this.#node(node);
      jumps.push(this.#emit(op.jump));
      this.#set(fork, 2, this.#here);
    }
    for (const jump of jumps) this.#set(jump, 1, this.#here);
  }

  #repeat(node: RegexNode, min: number, max: number): void {
    let last = this.#here;
    for (let i = 0; i < min; i++) {
      last = this.#here;
      this.#node(node);
    }
    if (max === Infinity) {
      if (min > 0) {
        const fork = this.#emit(op.fork, last);
        this.#set(fork, 2, this.#here);
        return;
      }
      const fork = this.#emit(op.fork);
      this.#set(fork, 1, this.#here);
      this.#node(node);
      this.#emit(op.jump, fork);
      this.#set(fork, 2, this.#here);
      return;
    }
    const forks: number[] = [];
    for (let i = min; i < max; i++) {
      const fork = this.#emit(op.fork);
      forks.push(fork);
      this.#set(fork, 1, this.#here);
      this.#node(node);
    }
    for (const fork of forks) this.#set(fork, 2, this.#here);
  }

  #set(instruction: number, field: 1 | 2, value: number): void {
    this.#code[3 * instruction + field] = value;
  }
}

function startsAnchored(node: RegexNode): boolean {
  switch (node.kind) {
    case 'assertion':
      return node.what === 'start';
    case 'group':
      return startsAnchored(node.node);
    case 'sequence':
      return node.nodes.length > 0 && startsAnchored(node.nodes[0] as RegexNode);
    case 'alternatives':
      return node.nodes.every(startsAnchored);
    default:
      return false;
  }
}
