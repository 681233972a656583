import type { Extension, TestSpec } from '../extension.ts';
import { type Keys, matchValues } from '../keys.ts';
import { Values } from '../match/values.ts';
import type { Run, Test } from '../run.ts';
import { readScore } from '../score.ts';

/** From a share of the highest score: 1 is nothing found, `highest` certain (RFC 5235 §3.2.1, §3.3). */
function onScale(share: number, highest: number): number {
  return share >= 1 ? highest : 1 + Math.floor(share * (highest - 1));
}

class ScoreTest implements Test {
  readonly #what: 'spamtest' | 'virustest';
  readonly #highest: number;
  readonly #keys: Keys;
  readonly #percent: boolean;

  constructor(what: 'spamtest' | 'virustest', highest: number, keys: Keys, percent: boolean) {
    this.#what = what;
    this.#highest = highest;
    this.#keys = keys;
    this.#percent = percent;
  }

  evaluate(run: Run): boolean {
    const value = this.#value(run);
    if (run.trace !== null) run.note(`${this.#what} is ${value ?? 'not known'}`);
    const matcher = this.#keys.matcher(run);
    // §3.1: whether anybody looked is what :count tells.
    if (matcher.matchCount !== undefined) return matcher.matchCount(value === null ? 0 : 1);
    return matchValues(run, matcher, new Values([String(value ?? 0)]));
  }

  /** Null for a message that nobody looked at. */
  #value({ message, settings }: Run): number | null {
    const source = settings[this.#what];
    const score = source === null ? null : readScore(message, source);
    if (score === null) return null;
    if ('value' in score) {
      const value = Math.min(this.#highest, Math.max(0, score.value));
      return this.#percent ? Math.round(100 * Math.max(0, value - 1) / (this.#highest - 1)) : value;
    }
    return this.#percent ? Math.round(100 * score.share) : onScale(score.share, this.#highest);
  }
}

function scoreTest(name: 'spamtest' | 'virustest', highest: number): TestSpec {
  return {
    name,
    match: true,
    parameters: [{ name: 'value', type: 'string' }],
    compile(call) {
      const keys = call.keys('value');
      return keys === null ? null : new ScoreTest(name, highest, keys, call.has('percent'));
    },
  };
}

/** RFC 5235 §3.2.1: from 1, clean, to 10. */
export const spamtest: Extension = { capability: 'spamtest', tests: [scoreTest('spamtest', 10)] };

/** §3.2.2: the same, and `:percent` from 0 to 100. */
export const spamtestplus: Extension = {
  capability: 'spamtestplus',
  implies: ['spamtest'],
  tags: [{ on: ['spamtest'], tag: { name: 'percent' } }],
};

/** §3.3: from 1, clean, to 5. */
export const virustest: Extension = { capability: 'virustest', tests: [scoreTest('virustest', 5)] };
