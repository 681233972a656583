import type { Comparator } from './comparator.ts';
import { type Find, finder, finderWeight } from './find.ts';
import type { Matcher, MatchType } from './matcher.ts';
import type { Values } from './values.ts';

/** RFC 5228 §2.7.1 :contains: the empty key is in every value. */
export const contains: MatchType = {
  name: 'contains',
  substrings: true,
  captures: false,
  compile: (comparator, keys) => new Contains(comparator, keys.map(comparator.normalize)),
};

class Contains implements Matcher {
  readonly cost: number;
  readonly weight: number;
  readonly #comparator: Comparator;
  readonly #keys: readonly Find[];

  constructor(comparator: Comparator, keys: readonly string[]) {
    this.cost = Math.max(1, keys.length);
    this.weight = keys.reduce((sum, key) => sum + finderWeight(key), 0);
    this.#comparator = comparator;
    this.#keys = keys.map(finder);
  }

  match(values: Values): boolean {
    const forms = values.normalized(this.#comparator);
    const keys = this.#keys;
    for (let i = 0; i < forms.length; i++) {
      const form = forms[i] as string;
      for (let k = 0; k < keys.length; k++) if ((keys[k] as Find)(form, 0) >= 0) return true;
    }
    return false;
  }
}
