/** RFC 5463 */
import type { CommandSpec, Extension, TestSpec } from '../extension.ts';
import { fromOctets } from '../octets.ts';
import { type Command, type Run, ScriptError } from '../run.ts';
import type { Text } from '../text.ts';

/** §4: they change what strings mean, so that it would depend on the way the script took to them. */
const NEVER: ReadonlySet<string> = new Set(['encoded-character', 'variables', '']);

/** §4: decided when the script is compiled; from here on the extensions are required. */
const ihave: TestSpec = {
  name: 'ihave',
  parameters: [{ name: 'capabilities', type: 'strings', constant: true }],
  branch(call, compiler, yes, no) {
    const names = call.texts('capabilities').constant ?? [];
    const known = names.every((name) => compiler.askable(name) && !NEVER.has(name));
    if (known) compiler.ask(names, call.node);
    compiler.jump(known ? yes : no);
    return known ? 'present' : 'missing';
  },
};

class ErrorCommand implements Command {
  readonly #message: Text;

  constructor(message: Text) {
    this.#message = message;
  }

  execute(run: Run): never {
    throw new ScriptError(fromOctets(this.#message.value(run)));
  }
}

/** §5 */
const error: CommandSpec = {
  name: 'error',
  parameters: [{ name: 'message', type: 'string' }],
  emit: (call, compiler) => compiler.command(call.node, new ErrorCommand(call.text('message'))),
};

export const ihaveExtension: Extension = { capability: 'ihave', commands: [error], tests: [ihave] };
