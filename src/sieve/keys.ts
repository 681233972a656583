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
    run.spend(keys.length);
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
  run.spend(matcher.cost * values.items.length);
  return matcher.match(values, run.captures, run);
}
