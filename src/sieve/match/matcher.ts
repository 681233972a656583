/**
 * Match types (RFC 5228 §2.7.1). A matcher is made once per test, at compile time where its keys are constant, and asked
 * per message. Match types are a table: each stands in a file of its own and is listed in `types.ts`.
 */
import type { Comparator } from './comparator.ts';
import type { Values } from './values.ts';

/** ${0}, ${1} … of the last successful :matches or :regex (RFC 5229 §3.2). */
export interface Captures {
  /** Takes the whole match and its parts, as they stand in the value and not in a comparator's form. */
  set(groups: readonly string[]): void;
}

/** Lists that are kept elsewhere (RFC 6134), for `:list`. */
export interface Lists {
  /** True if a value stands on a list of a name; false for a list that is not there. Octets. */
  listed(list: string, value: string): string | null;
}

/** The script that asks: its lists, and its budget for what cannot be told beforehand. */
export interface Asker extends Lists {
  /** Takes work from the instruction budget; throws when there is none left. */
  spend(work: number): void;
}

/** The keys of one test, ready to be compared. */
export interface Matcher {
  /** Work of one `match` per value, in units of the instruction budget: about one per key. */
  readonly cost: number;
  /** Work per kilobyte of a long value, in the same units, which are about a microsecond each; `cost` where it is not said. */
  readonly weight?: number;
  /**
   * True if one of the values matches one of the keys (values in order, for each the keys in order). `captures` is null where
   * the script has no variables.
   */
  match(values: Values, captures: Captures | null, asker?: Asker): boolean;
  /**
   * Only of match types that look at the number of values and not at the values (:count, RFC 5231 §4.1): `match` is never
   * called then. Tests over several fields add up what they have.
   */
  matchCount?(count: number): boolean;
}

/** A match type. */
export interface MatchType {
  /** The tag without its colon, in lower case. */
  readonly name: string;
  /** True if it compares substrings, which not every comparator can. */
  readonly substrings: boolean;
  /** True if it fills ${0} …; then keys count in the order given and matching is done on what the value looks like. */
  readonly captures: boolean;
  /** True if its keys are names of lists, for which a comparator means nothing (RFC 6134 §2.2). */
  readonly lists?: boolean;
  /**
   * What is wrong with a constant key, or null; shown at the key when the script is compiled. (A key that holds variables is
   * checked when it is used: `compile` throws MatchError then.)
   */
  check?(key: string, comparator: Comparator, parameter: string | null): string | null;
  /** `parameter` is the string behind the tag, such as "gt" of `:value "gt"`. Throws MatchError for a key it cannot use. */
  compile(comparator: Comparator, keys: readonly string[], parameter: string | null): Matcher;
}

/** A key that cannot be used, met while a script runs. */
export class MatchError extends Error {}
