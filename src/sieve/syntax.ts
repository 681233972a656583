/**
 * What the parser makes of a script (RFC 5228 §8.2): no meaning yet, only form. Every node knows its place. Strings are octets,
 * escapes and dot-stuffing removed.
 */
import type { Position } from './diagnostic.ts';

export interface StringNode {
  readonly kind: 'string';
  readonly value: string;
  readonly position: Position;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly StringNode[];
  readonly position: Position;
}

export interface NumberNode {
  readonly kind: 'number';
  readonly value: number;
  readonly position: Position;
}

/** `:name`, the name without its colon in lower case. */
export interface TagNode {
  readonly kind: 'tag';
  readonly name: string;
  readonly position: Position;
}

export type ArgumentNode = StringNode | ListNode | NumberNode | TagNode;

/** What commands and tests have in common. Names are in lower case. */
export interface CallNode {
  readonly name: string;
  readonly arguments: readonly ArgumentNode[];
  /** One test, or those of a list in parentheses. */
  readonly tests: readonly TestNode[];
  /** Whether the tests stood in parentheses: `(a)` is a list of one. */
  readonly testList: boolean;
  readonly position: Position;
}

export interface TestNode extends CallNode {
  readonly kind: 'test';
}

export interface CommandNode extends CallNode {
  readonly kind: 'command';
  /** The commands between braces; null for a command that ends in a semicolon. */
  readonly block: readonly CommandNode[] | null;
}

export interface Script {
  readonly commands: readonly CommandNode[];
}
