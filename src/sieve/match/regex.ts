import { fromOctets, isAscii, strictFromOctets, toOctets } from '../octets.ts';
import type { Comparator } from './comparator.ts';
import { type Asker, type Captures, type Matcher, MatchError, type MatchType } from './matcher.ts';
import { RegexMachine } from './regex/machine.ts';
import { compileRegex, type RegexProgram } from './regex/program.ts';
import type { LetterCase } from './regex/set.ts';
import { RegexError } from './regex/syntax.ts';
import type { Values } from './values.ts';

/** draft-ietf-sieve-regex :regex, POSIX extended regular expressions found anywhere in the value. */
export const regex: MatchType = {
  name: 'regex',
  substrings: true,
  captures: true,
  check(key, comparator) {
    try {
      compileRegex(fromOctets(key), lettersOf(comparator));
      return null;
    } catch (error) {
      return described(error);
    }
  },
  compile(comparator, keys) {
    const letters = lettersOf(comparator);
    try {
      return new MatchesRegex(keys.map((key) => new Expression(key, letters)));
    } catch (error) {
      throw new MatchError(described(error));
    }
  },
};

function described(error: unknown): string {
  if (!(error instanceof RegexError)) throw error;
  return `regular expression, character ${error.position + 1}: ${error.message}`;
}

function lettersOf(comparator: Comparator): LetterCase {
  return comparator.unit === 'character' ? 'unicode' : comparator.name === 'i;octet' ? 'exact' : 'ascii';
}

/** One key. Most values do not match, which takes no groups to see. */
class Expression {
  readonly program: RegexProgram;
  readonly #plain: RegexMachine;
  #grouping: RegexMachine | null = null;

  constructor(key: string, letters: LetterCase) {
    this.program = compileRegex(fromOctets(key), letters);
    this.#plain = new RegexMachine(this.program, false);
  }

  test(text: string, asker?: Asker): boolean {
    return this.#plain.test(text, asker);
  }

  find(text: string, asker?: Asker): Int32Array {
    this.#grouping ??= new RegexMachine(this.program, true);
    return this.#grouping.find(text, asker) as Int32Array;
  }
}

/** A program costs more than a comparison: one unit for so many instructions. */
const INSTRUCTIONS_PER_UNIT = 16;

class MatchesRegex implements Matcher {
  readonly cost: number;
  /** What it really takes is known while it runs. */
  readonly weight = 1;
  readonly #expressions: readonly Expression[];

  constructor(expressions: readonly Expression[]) {
    const instructions = expressions.reduce((sum, { program }) => sum + program.code.length / 3, 0);
    this.cost = Math.max(1, Math.ceil(instructions / INSTRUCTIONS_PER_UNIT));
    this.#expressions = expressions;
  }

  match(values: Values, captures: Captures | null, asker?: Asker): boolean {
    for (const value of values.items) {
      // What is no UTF-8 is octets.
      const text = strictFromOctets(value);
      for (const expression of this.#expressions) {
        if (!expression.test(text ?? value, asker)) continue;
        if (captures !== null) captures.set(groupsOf(expression, text ?? value, text !== null, asker));
        return true;
      }
    }
    return false;
  }
}

function groupsOf(expression: Expression, text: string, unicode: boolean, asker?: Asker): string[] {
  const slots = expression.find(text, asker);
  const asIs = !unicode || isAscii(text);
  const out: string[] = [];
  for (let i = 0; i < slots.length; i += 2) {
    const start = slots[i] as number;
    const group = start < 0 ? '' : text.slice(start, slots[i + 1]);
    out.push(asIs ? group : toOctets(group));
  }
  return out;
}
