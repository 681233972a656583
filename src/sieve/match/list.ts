import type { Asker, Captures, Matcher, MatchType } from './matcher.ts';
import type { Values } from './values.ts';

/** RFC 6134 §2.2 :list: a value stands on one of the lists that the keys name. ${0} is what stands there. */
export const list: MatchType = {
  name: 'list',
  substrings: false,
  captures: true,
  lists: true,
  compile: (_, keys) => new StandsOnList(keys),
};

class StandsOnList implements Matcher {
  readonly cost: number;
  readonly #lists: readonly string[];

  constructor(lists: readonly string[]) {
    // A question to somebody else costs more than a comparison.
    this.cost = 10 * Math.max(1, lists.length);
    this.#lists = lists;
  }

  match(values: Values, captures: Captures | null, asker?: Asker): boolean {
    for (const value of values.items) {
      for (const name of this.#lists) {
        const found = asker?.listed(name, value) ?? null;
        if (found === null) continue;
        captures?.set([found]);
        return true;
      }
    }
    return false;
  }
}
