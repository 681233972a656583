import type { Comparator } from './comparator.ts';
import { type Matcher, MatchError, type MatchType } from './matcher.ts';
import { RELATION_NAMES, relationNamed } from './relation.ts';
import type { Values } from './values.ts';

/** RFC 5231 §4.2 :count: how many values there are stands in a relation to a key. */
export const count: MatchType = {
  name: 'count',
  substrings: false,
  captures: false,
  compile(comparator, keys, parameter) {
    const relation = relationNamed(parameter);
    if (relation === null) throw new MatchError(`:count knows ${RELATION_NAMES}`);
    return new ComparesCount(comparator, keys, relation);
  },
};

class ComparesCount implements Matcher {
  readonly cost = 1;
  readonly #comparator: Comparator;
  readonly #keys: readonly string[];
  readonly #relation: (order: number) => boolean;

  constructor(comparator: Comparator, keys: readonly string[], relation: (order: number) => boolean) {
    this.#comparator = comparator;
    this.#keys = keys.map(comparator.normalize);
    this.#relation = relation;
  }

  match(values: Values): boolean {
    return this.matchCount(values.items.length);
  }

  matchCount(count: number): boolean {
    const comparator = this.#comparator;
    const form = comparator.normalize(String(count));
    return this.#keys.some((key) => this.#relation(comparator.order(form, key)));
  }
}
