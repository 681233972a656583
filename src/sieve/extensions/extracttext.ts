import type { CommandSpec, Extension, TextChange } from '../extension.ts';
import { currentPart } from '../parts.ts';
import type { Command, Run } from '../run.ts';
import { inTurns } from '../slices.ts';
import type { Settable, Variable } from '../variable.ts';
import { insideLoop } from './foreverypart.ts';
import { MODIFIERS } from './variables.ts';

class Extracttext implements Command {
  readonly #variable: Settable;
  readonly #characters: number;
  readonly #changes: readonly TextChange[];

  constructor(variable: Settable, characters: number, changes: readonly TextChange[]) {
    this.#variable = variable;
    this.#characters = characters;
    this.#changes = changes;
  }

  execute(run: Run): void | Promise<void> {
    const part = currentPart(run);
    const text = part === null ? null : inTurns(part.text(), run.host.pause);
    return text instanceof Promise
      ? text.then((all) => this.#set(run, all ?? ''))
      : this.#set(run, text ?? '');
  }

  #set(run: Run, text: string): void {
    // All of it is decoded, whatever is wanted of it.
    run.spend(text.length >> 7);
    let value = firstCharacters(text, this.#characters);
    for (const change of this.#changes) value = change.apply(value, run.limits.variableSize);
    this.#variable.set(run, value);
    if (run.trace !== null) run.note(`extracttext: ${value.length} octets`);
  }
}

/** So many characters of UTF-8 at most. */
function firstCharacters(octets: string, most: number): string {
  if (octets.length <= most) return octets;
  let count = 0;
  for (let i = 0; i < octets.length; i++) {
    if ((octets.charCodeAt(i) & 0xc0) !== 0x80 && count++ === most) return octets.slice(0, i);
  }
  return octets;
}

/** RFC 5703 §7: the text of the part that the loop is at, as a reader sees it; nothing of a part that is no text. */
const extracttextCommand: CommandSpec = {
  name: 'extracttext',
  tags: [...MODIFIERS, { name: 'first', parameter: { name: 'first', type: 'number' } }],
  parameters: [{ name: 'variable name', type: 'string', constant: true }],
  emit(call, compiler) {
    // Told where it was required.
    if (!compiler.enabled('variables') || !compiler.enabled('foreverypart')) return;
    if (!insideLoop(compiler)) {
      compiler.error(call.node.position, 'the extracttext command stands outside any foreverypart loop');
      return;
    }
    const name = call.constant('variable name');
    const variable: Variable | null = compiler.variable(name, call.position('variable name'));
    if (variable === null) return;
    if (variable.set === undefined) {
      compiler.error(call.position('variable name'), `the variable "${name}" cannot be set`);
      return;
    }
    const changes = call.given().flatMap(({ change }) => change ?? [])
      .sort((left, right) => right.precedence - left.precedence);
    const characters = call.has('first') ? call.number('first') : Infinity;
    compiler.command(call.node, new Extracttext(variable as Settable, characters, changes));
  },
};

export const extracttext: Extension = {
  capability: 'extracttext',
  commands: [extracttextCommand],
  needs: ['variables', 'foreverypart'],
};
