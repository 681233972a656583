/** RFC 5232, and the older form of it that Cyrus calls imapflags (draft-melnikov-sieve-imapflags). */
import type { CommandSpec, Draft, Extension, Modifier, TagSpec, TestSpec } from '../extension.ts';
import { flagsIn, withoutFlags } from '../flags.ts';
import { type Keys, matchValues } from '../keys.ts';
import { Values } from '../match/values.ts';
import type { Command, Run, Test } from '../run.ts';
import { ConstantTexts, type Texts } from '../text.ts';
import type { Settable, Variable } from '../variable.ts';

/** What becomes of a set of flags when others are given. */
type Change = (before: readonly string[], given: readonly string[]) => string[];

const CHANGES: Readonly<Record<string, Change>> = {
  setflag: (_, given) => [...given],
  addflag: (before, given) => flagsIn([...before, ...given]),
  removeflag: withoutFlags,
};

/** The internal variable, which belongs to the result because the implicit keep uses it (§3). */
const INTERNAL: Settable = {
  get: (run) => run.result.flags.join(' '),
  set: (run, value) => {
    run.result.flags = flagsIn([value]);
  },
};

/** Flags are looked at one by one: some steps for long lists of them. */
function cost(...texts: readonly string[]): number {
  let octets = 0;
  for (const text of texts) octets += text.length;
  return octets >> 4;
}

class FlagCommand implements Command {
  readonly #variable: Settable;
  readonly #change: Change;
  readonly #flags: Texts;
  readonly #name: string;

  constructor(name: string, variable: Settable, change: Change, flags: Texts) {
    this.#name = name;
    this.#variable = variable;
    this.#change = change;
    this.#flags = flags;
  }

  execute(run: Run): void {
    const given = this.#flags.values(run);
    const before = this.#variable.get(run);
    run.spend(cost(before, ...given));
    const after = this.#change(flagsIn([before]), flagsIn(given));
    this.#variable.set(run, after.join(' '));
    if (run.trace !== null) run.note(`${this.#name}: ${after.join(' ') || 'no flags'}`);
  }
}

/** §3.1 to §3.3 */
function flagCommand(name: string): CommandSpec {
  return {
    name,
    parameters: [
      { name: 'variable', type: 'string', optional: true, constant: true },
      { name: 'flags', type: 'strings' },
    ],
    emit(call, compiler) {
      let variable: Variable | null = INTERNAL;
      if (call.has('variable')) {
        if (!compiler.enabled('variables')) {
          compiler.error(call.position('variable'), `a variable for ${name} needs require "variables"`);
          return;
        }
        variable = compiler.variable(call.constant('variable'), call.position('variable'));
      }
      if (variable === null) return;
      if (variable.set === undefined) {
        compiler.error(
          call.position('variable'),
          `the variable "${call.constant('variable')}" cannot be set`,
        );
        return;
      }
      const settable = variable as Settable;
      compiler.command(
        call.node,
        new FlagCommand(name, settable, CHANGES[name] as Change, call.texts('flags')),
      );
    },
  };
}

class HasFlag implements Test {
  readonly #variables: readonly Variable[];
  readonly #keys: Keys;

  constructor(variables: readonly Variable[], keys: Keys) {
    this.#variables = variables;
    this.#keys = keys;
  }

  evaluate(run: Run): boolean {
    const matcher = this.#keys.matcher(run);
    let count = 0;
    for (const variable of this.#variables) {
      const values = new Values(flagsIn([variable.get(run)]));
      if (matcher.matchCount !== undefined) count += values.items.length;
      else if (matchValues(run, matcher, values)) return true;
    }
    return matcher.matchCount?.(count) ?? false;
  }
}

/** A key is a list of flags itself: "b A" is the same as ["b", "A"] (§4). */
function words(key: string): string[] {
  return key.split(/[ \t\r\n]+/).filter((word) => word !== '');
}

/** §4 */
const hasflag: TestSpec = {
  name: 'hasflag',
  match: true,
  parameters: [
    { name: 'variables', type: 'strings', optional: true, constant: true },
    { name: 'flags', type: 'strings' },
  ],
  compile(call, compiler) {
    const keys = call.keys('flags', words);
    if (!call.has('variables')) return keys === null ? null : new HasFlag([INTERNAL], keys);
    if (!compiler.enabled('variables')) {
      compiler.error(call.position('variables'), 'a variable for hasflag needs require "variables"');
      return null;
    }
    const names = call.texts('variables').constant ?? [];
    const variables = names.map((name) => compiler.variable(name, call.position('variables')));
    const known = variables.filter((variable) => variable !== null);
    return keys === null || known.length < variables.length ? null : new HasFlag(known, keys);
  },
};

/** §5 */
class FlagsTag implements Modifier {
  readonly #flags: Texts;

  constructor(flags: Texts) {
    this.#flags = flags;
  }

  apply(run: Run, { target }: Draft): void {
    target.flags = flagsIn(this.#flags.values(run));
  }
}

const FLAGS = {
  name: 'flags',
  parameter: { name: 'flags', type: 'strings' },
  modify: (call) => new FlagsTag(call.texts('flags')),
} satisfies TagSpec;

export const imap4flags: Extension = {
  capability: 'imap4flags',
  commands: ['setflag', 'addflag', 'removeflag'].map(flagCommand),
  tests: [hasflag],
  tags: [{ on: ['keep', 'fileinto'], tag: FLAGS }, {
    on: ['vacation', 'notify'],
    tag: { ...FLAGS, needs: 'fcc' },
  }],
};

/** The older form: no variables, no test, no tag, but mark and unmark. */
export const imapflags: Extension = {
  capability: 'imapflags',
  commands: [
    ...['setflag', 'addflag', 'removeflag'].map((name): CommandSpec => ({
      name,
      parameters: [{ name: 'flags', type: 'strings' }],
      emit: (call, compiler) =>
        compiler.command(
          call.node,
          new FlagCommand(name, INTERNAL, CHANGES[name] as Change, call.texts('flags')),
        ),
    })),
    ...([['mark', 'addflag'], ['unmark', 'removeflag']] as const).map(([name, change]): CommandSpec => ({
      name,
      parameters: [],
      emit: (call, compiler) => {
        const flagged = new ConstantTexts(['\\Flagged']);
        compiler.command(call.node, new FlagCommand(name, INTERNAL, CHANGES[change] as Change, flagged));
      },
    })),
  ],
};
