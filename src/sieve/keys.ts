/** The keys of a test with its match type and comparator: a matcher, made once where the keys are constant. */
import type { Comparator } from './match/comparator.ts';
import type { Matcher, MatchType } from './match/matcher.ts';
import type { Values } from './match/values.ts';
import type { Run } from './run.ts';
import type { Texts } from './text.ts';

export class Keys {
  readonly #type: MatchType;
  readonly #comparator: Comparator;
  readonly #keys: Texts;
  readonly #parameter: string | null;
  readonly #fixed: Matcher | null;

  /** `parameter` is the string behind the match type's tag. Throws MatchError for constant keys that cannot be used. */
  constructor(type: MatchType, comparator: Comparator, keys: Texts, parameter: string | null) {
    this.#type = type;
    this.#comparator = comparator;
    this.#keys = keys;
    this.#parameter = parameter;
    this.#fixed = keys.constant === null ? null : type.compile(comparator, keys.constant, parameter);
  }

  /** The matcher for the keys as they are now. */
  matcher(run: Run): Matcher {
    if (this.#fixed !== null) return this.#fixed;
    const keys = this.#keys.values(run);
    // What makes a matcher looks at every character of the keys.
    let size = keys.length;
    for (const key of keys) size += key.length;
    run.spend(size);
    return this.#type.compile(this.#comparator, keys, this.#parameter);
  }

  /** True if the values match, or their number does. */
  match(run: Run, values: Values): boolean {
    const matcher = this.matcher(run);
    return matcher.matchCount === undefined
      ? matchValues(run, matcher, values)
      : matcher.matchCount(values.items.length);
  }
}

/** Matches values at the cost of the instruction budget. */
export function matchValues(run: Run, matcher: Matcher, values: Values): boolean {
  if (values.items.length === 0) return false;
  chargeMatch(run, matcher, values);
  return matcher.match(values, run.captures, run);
}

/** Takes what a match costs from the instruction budget: by the number of values and by how long they are. */
export function chargeMatch(run: Run, { cost, weight = cost }: Matcher, values: Values): void {
  run.spend(cost * values.items.length + weight * (values.size >> 10));
}
