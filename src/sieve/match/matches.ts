import { limits } from '../../limits.ts';
import type { Comparator } from './comparator.ts';
import { Glob } from './glob.ts';
import { type Captures, type Matcher, MatchError, type MatchType } from './matcher.ts';
import { foldCharacters } from './unicodecasemap.ts';
import type { Values } from './values.ts';

/** RFC 5228 §2.7.1 :matches, the whole value against a pattern of "*" and "?". */
export const matches: MatchType = {
  name: 'matches',
  substrings: true,
  captures: true,
  check: (key) => tooLong(key),
  compile(comparator, keys) {
    for (const key of keys) {
      const wrong = tooLong(key);
      if (wrong !== null) throw new MatchError(wrong);
    }
    return comparator.unit === 'octet' ? new MatchesOctets(comparator, keys) : new MatchesCharacters(keys);
  },
};

function tooLong(key: string): string | null {
  const most = limits.sieve_match_pattern.value;
  return key.length > most ? `a pattern of more than ${most} octets` : null;
}

/** A pattern with "?" costs a step per 32 of its characters for each place it is tried at. */
function costOf(keys: readonly string[]): number {
  let cost = 0;
  for (const key of keys) cost += key.includes('?') ? Math.ceil(key.length / 32) : 1;
  return Math.max(1, cost);
}

/** Forms have the length of their values, so that offsets in one are offsets in the other. */
class MatchesOctets implements Matcher {
  readonly cost: number;
  readonly weight: number;
  readonly #comparator: Comparator;
  readonly #globs: readonly Glob[];

  constructor(comparator: Comparator, keys: readonly string[]) {
    this.cost = costOf(keys);
    this.#comparator = comparator;
    this.#globs = keys.map((key) => new Glob(key, (text) => comparator.normalize(text)));
    this.weight = weightOf(this.#globs);
  }

  match(values: Values, captures: Captures | null): boolean {
    const forms = values.normalized(this.#comparator);
    for (let i = 0; i < forms.length; i++) {
      for (const glob of this.#globs) {
        const found = glob.match(forms[i] as string);
        if (found === null) continue;
        const value = values.items[i] as string;
        captures?.set(texts(value, found, (start, end) => value.slice(start, end)));
        return true;
      }
    }
    return false;
  }
}

class MatchesCharacters implements Matcher {
  readonly cost: number;
  readonly weight: number;
  readonly #globs: readonly Glob[];

  constructor(keys: readonly string[]) {
    this.cost = 2 * costOf(keys);
    this.#globs = keys.map((key) => new Glob(key, (text) => foldCharacters(text).folded));
    // Characters beyond ASCII are brought to one form, one by one.
    this.weight = 400 + weightOf(this.#globs);
  }

  match(values: Values, captures: Captures | null): boolean {
    for (const value of values.items) {
      const characters = foldCharacters(value);
      for (const glob of this.#globs) {
        const found = glob.match(characters.folded);
        if (found === null) continue;
        captures?.set(texts(value, found, characters.cut));
        return true;
      }
    }
    return false;
  }
}

function weightOf(globs: readonly Glob[]): number {
  return globs.reduce((sum, { weight }) => sum + weight, 0);
}

function texts(
  value: string,
  found: readonly number[],
  cut: (start: number, end: number) => string,
): string[] {
  const out = [value];
  const end = Math.min(found.length, 2 * limits.sieve_match_captures.value);
  for (let i = 0; i < end; i += 2) out.push(cut(found[i] as number, found[i + 1] as number));
  return out;
}
