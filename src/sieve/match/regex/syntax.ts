/** The tree of a regular expression. Characters are Unicode code points. */

import type { CharacterSet } from './set.ts';

/** Places between characters: the ends of the text, edges of words, and places that are none. */
export type Assertion = 'start' | 'end' | 'wordedge' | 'notwordedge' | 'wordstart' | 'wordend';

export type RegexNode =
  | { readonly kind: 'character'; readonly code: number }
  | { readonly kind: 'any' }
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'assertion'; readonly what: Assertion }
  | { readonly kind: 'group'; readonly index: number; readonly node: RegexNode }
  | { readonly kind: 'sequence'; readonly nodes: readonly RegexNode[] }
  | { readonly kind: 'alternatives'; readonly nodes: readonly RegexNode[] }
  /** `max` is Infinity for no bound. */
  | { readonly kind: 'repeat'; readonly node: RegexNode; readonly min: number; readonly max: number };

/** What is wrong with an expression, and at which offset of its text. */
export class RegexError extends Error {
  readonly position: number;

  constructor(position: number, text: string) {
    super(text);
    this.name = 'RegexError';
    this.position = position;
  }
}
