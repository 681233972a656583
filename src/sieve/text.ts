/** Strings of a script as a test or action uses them: constant, or made anew whenever they are asked for (RFC 5229). */
import type { Run } from './run.ts';

/** A string. */
export interface Text {
  /** Its octets where they are always the same, else null. */
  readonly constant: string | null;
  value(run: Run): string;
}

/** A list of strings. */
export interface Texts {
  readonly constant: readonly string[] | null;
  values(run: Run): readonly string[];
}

/** A string that is always the same. */
export class ConstantText implements Text {
  readonly constant: string;

  constructor(constant: string) {
    this.constant = constant;
  }

  value(): string {
    return this.constant;
  }
}

/** A list that is always the same. */
export class ConstantTexts implements Texts {
  readonly constant: readonly string[];

  constructor(constant: readonly string[]) {
    this.constant = constant;
  }

  values(): readonly string[] {
    return this.constant;
  }
}

/** A list with a string in it that is not. */
class VariableTexts implements Texts {
  readonly constant = null;
  readonly #items: readonly Text[];

  constructor(items: readonly Text[]) {
    this.#items = items;
  }

  values(run: Run): readonly string[] {
    return this.#items.map((item) => item.value(run));
  }
}

/** A list of the given strings. */
export function listOf(items: readonly Text[]): Texts {
  const constants = items.map((item) => item.constant);
  return constants.every((constant) => constant !== null)
    ? new ConstantTexts(constants)
    : new VariableTexts(items);
}

/** The list with each string split into several; once where it is constant. */
export function splitAll(texts: Texts, split: (text: string) => string[]): Texts {
  if (texts.constant !== null) return new ConstantTexts(texts.constant.flatMap(split));
  return { constant: null, values: (run) => texts.values(run).flatMap(split) };
}

/** The list with each string changed; once where it is constant. */
export function mapped(texts: Texts, change: (text: string) => string): Texts {
  if (texts.constant !== null) return new ConstantTexts(texts.constant.map(change));
  return { constant: null, values: (run) => texts.values(run).map(change) };
}
