import type { Comparator } from './comparator.ts';
import type { Matcher, MatchType } from './matcher.ts';
import type { Values } from './values.ts';

/** RFC 5228 §2.7.1 :is. One key is compared; more are looked up. */
export const is: MatchType = {
  name: 'is',
  substrings: false,
  captures: false,
  compile(comparator, keys) {
    const forms = keys.map(comparator.normalize);
    return forms.length === 1
      ? new EqualsOne(comparator, forms[0] as string)
      : new EqualsAny(comparator, new Set(forms));
  },
};

class EqualsOne implements Matcher {
  readonly cost = 1;
  readonly #comparator: Comparator;
  readonly #key: string;

  constructor(comparator: Comparator, key: string) {
    this.#comparator = comparator;
    this.#key = key;
  }

  match(values: Values): boolean {
    const forms = values.normalized(this.#comparator);
    for (let i = 0; i < forms.length; i++) if (forms[i] === this.#key) return true;
    return false;
  }
}

class EqualsAny implements Matcher {
  readonly cost = 1;
  readonly #comparator: Comparator;
  readonly #keys: ReadonlySet<string>;

  constructor(comparator: Comparator, keys: ReadonlySet<string>) {
    this.#comparator = comparator;
    this.#keys = keys;
  }

  match(values: Values): boolean {
    const forms = values.normalized(this.#comparator);
    for (let i = 0; i < forms.length; i++) if (this.#keys.has(forms[i] as string)) return true;
    return false;
  }
}
