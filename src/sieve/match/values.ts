import { asciiCasemap } from './asciicasemap.ts';
import type { Comparator } from './comparator.ts';

/**
 * The values a test looks at, in order, with the forms comparators made of them. A message keeps one of these per header
 * field, so that sixty rules about Subject decode and fold it once.
 */
export class Values {
  readonly items: readonly string[];
  /** The default comparator has a place of its own; others are rare. */
  #size = -1;
  #folded: readonly string[] | null = null;
  #others: Map<Comparator, readonly string[]> | null = null;

  constructor(items: readonly string[]) {
    this.items = items;
  }

  /** How long all of them are together. */
  get size(): number {
    if (this.#size < 0) {
      this.#size = 0;
      for (const item of this.items) this.#size += item.length;
    }
    return this.#size;
  }

  /** The values in the form of a comparator. */
  normalized(comparator: Comparator): readonly string[] {
    if (comparator === asciiCasemap) return (this.#folded ??= this.items.map(comparator.normalize));
    this.#others ??= new Map();
    let forms = this.#others.get(comparator);
    if (forms === undefined) {
      forms = this.items.map(comparator.normalize);
      this.#others.set(comparator, forms);
    }
    return forms;
  }
}

/** No value at all. */
export const NO_VALUES = new Values([]);
