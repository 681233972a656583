/** RFC 5229. References in strings are in `expand.ts`, what they refer to in `variable.ts`. */
import type { CommandSpec, Extension, TagSpec, TestSpec, TextChange } from '../extension.ts';
import { type Keys, matchValues } from '../keys.ts';
import { Values } from '../match/values.ts';
import { lowerAscii, upperAscii } from '../octets.ts';
import { type Command, type Run, type Test } from '../run.ts';
import type { Text, Texts } from '../text.ts';
import type { Settable } from '../variable.ts';

/** §4.1: a modifier of `set`. Two of the same precedence exclude each other. */
export function modifier(name: string, precedence: number, apply: TextChange['apply']): TagSpec {
  return { name, group: `modifier ${precedence}`, change: { precedence, apply } };
}

function first(text: string, change: (letter: string) => string): string {
  return change(text.slice(0, 1)) + text.slice(1);
}

export const MODIFIERS: readonly TagSpec[] = [
  modifier('lower', 40, lowerAscii),
  modifier('upper', 40, upperAscii),
  modifier('lowerfirst', 30, (text) => first(text, lowerAscii)),
  modifier('upperfirst', 30, (text) => first(text, upperAscii)),
  modifier('quotewildcard', 20, quoteWildcard),
  // §4.1.1: characters, so octets that continue one of UTF-8 do not count.
  modifier('length', 10, (text) => String(text.replace(/[\x80-\xbf]+/g, '').length)),
];

/** §4.1.2; what is longer than a variable is cut between two characters, not behind a backslash. */
function quoteWildcard(text: string, size: number): string {
  let quoted = text.replace(/[*?\\]/g, '\\$&');
  if (quoted.length <= size) return quoted;
  quoted = quoted.slice(0, size);
  const backslashes = /\\*$/.exec(quoted)?.[0].length ?? 0;
  return backslashes % 2 === 1 ? quoted.slice(0, -1) : quoted;
}

class SetVariable implements Command {
  readonly #name: string;
  readonly #variable: Settable;
  readonly #value: Text;
  readonly #changes: readonly TextChange[];

  constructor(name: string, variable: Settable, value: Text, changes: readonly TextChange[]) {
    this.#name = name;
    this.#variable = variable;
    this.#value = value;
    this.#changes = changes;
  }

  execute(run: Run): void {
    let value = this.#value.value(run);
    for (let i = 0; i < this.#changes.length; i++) {
      value = (this.#changes[i] as TextChange).apply(
        value,
        Math.min(run.limits.variableSize, run.limits.valueSize),
      );
    }
    this.#variable.set(run, value);
    if (run.trace !== null) run.note(`set "${this.#name}" "${this.#variable.get(run)}"`);
  }
}

/** §4 */
const set: CommandSpec = {
  name: 'set',
  tags: MODIFIERS,
  parameters: [{ name: 'name', type: 'string', constant: true }, { name: 'value', type: 'string' }],
  emit(call, compiler) {
    const name = call.constant('name');
    const variable = compiler.variable(name, call.position('name'));
    if (variable === null) return;
    if (variable.set === undefined) {
      compiler.error(call.position('name'), `the variable "${name}" cannot be set`);
      return;
    }
    const changes = call.given().flatMap(({ change }) => change ?? [])
      .sort((left, right) => right.precedence - left.precedence);
    compiler.command(call.node, new SetVariable(name, variable as Settable, call.text('value'), changes));
  },
};

class StringTest implements Test {
  readonly #source: Texts;
  readonly #keys: Keys;
  readonly #constant: Values | null;

  constructor(source: Texts, keys: Keys) {
    this.#source = source;
    this.#keys = keys;
    this.#constant = source.constant === null ? null : new Values(source.constant);
  }

  evaluate(run: Run): boolean {
    const values = this.#constant ?? new Values(this.#source.values(run));
    const matcher = this.#keys.matcher(run);
    if (matcher.matchCount === undefined) return matchValues(run, matcher, values);
    return matcher.matchCount(values.items.filter((item) => item !== '').length);
  }
}

/** §5 */
const string: TestSpec = {
  name: 'string',
  match: true,
  parameters: [{ name: 'source', type: 'strings' }, { name: 'key list', type: 'strings' }],
  compile(call) {
    const keys = call.keys('key list');
    return keys === null ? null : new StringTest(call.texts('source'), keys);
  },
};

export const variables: Extension = { capability: 'variables', commands: [set], tests: [string] };
