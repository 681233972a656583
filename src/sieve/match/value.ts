import type { Comparator } from './comparator.ts';
import { type Matcher, MatchError, type MatchType } from './matcher.ts';
import { RELATION_NAMES, relationNamed } from './relation.ts';
import type { Values } from './values.ts';

/** RFC 5231 §4.1 :value: a value stands in a relation to a key, in the comparator's order. */
export const value: MatchType = {
  name: 'value',
  substrings: false,
  captures: false,
  compile(comparator, keys, parameter) {
    const relation = relationNamed(parameter);
    if (relation === null) throw new MatchError(`:value knows ${RELATION_NAMES}`);
    return new ComparesValue(comparator, keys, relation);
  },
};

class ComparesValue implements Matcher {
  readonly cost: number;
  readonly #comparator: Comparator;
  readonly #keys: readonly string[];
  readonly #relation: (order: number) => boolean;

  constructor(comparator: Comparator, keys: readonly string[], relation: (order: number) => boolean) {
    this.cost = Math.max(1, keys.length);
    this.#comparator = comparator;
    this.#keys = keys.map(comparator.normalize);
    this.#relation = relation;
  }

  match(values: Values): boolean {
    const comparator = this.#comparator;
    return values.normalized(comparator).some((form) =>
      this.#keys.some((key) => this.#relation(comparator.order(form, key)))
    );
  }
}
