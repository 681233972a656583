/** Control commands (RFC 5228 §3). */
import type { CommandSpec, Compiler } from '../../extension.ts';
import type { Command, Run } from '../../run.ts';
import type { CommandNode, StringNode } from '../../syntax.ts';

/** §3.2: names of extensions, all of which must be there; before every other command. */
export const requireCommand: CommandSpec = {
  name: 'require',
  parameters: [{ name: 'capabilities', type: 'strings', constant: true }],
  emit(call, compiler) {
    if (compiler.depth > 0) {
      compiler.error(
        call.node.position,
        'require must not stand in a block: expected it at the beginning of the script',
      );
      return;
    }
    if (!compiler.atBeginning) {
      compiler.error(call.node.position, 'require must stand before all other commands');
      return;
    }
    const argument = call.argument('capabilities');
    const items: readonly StringNode[] = argument.kind === 'list'
      ? argument.items
      : argument.kind === 'string'
      ? [argument]
      : [];
    for (const item of items) compiler.require(item.value, item.position);
  },
};

/** The first branch, or a further one, with a test. */
const conditional: CommandSpec['emit'] = (_, compiler, node) => {
  const { chain } = compiler;
  const [condition] = node.tests;
  if (condition === undefined) return;
  const then = compiler.label();
  const otherwise = compiler.label();
  const certainty = compiler.condition(condition, then, otherwise);
  compiler.place(then);
  branch(compiler, node, chain.taken || certainty === 'missing');
  compiler.jump(chain.end);
  compiler.place(otherwise);
  chain.taken ||= certainty === 'present';
};

function branch(compiler: Compiler, node: CommandNode, unreachable: boolean): void {
  if (unreachable) compiler.skipped(node.block ?? []);
  else compiler.block(node.block ?? []);
}

/** §3.1 */
export const ifCommand: CommandSpec = {
  name: 'if',
  parameters: [],
  tests: 'one',
  block: true,
  emit: conditional,
};

export const elsif: CommandSpec = {
  name: 'elsif',
  parameters: [],
  tests: 'one',
  block: true,
  follows: ['if', 'elsif'],
  chained: true,
  emit: conditional,
};

export const elseCommand: CommandSpec = {
  name: 'else',
  parameters: [],
  block: true,
  follows: ['if', 'elsif'],
  chained: true,
  emit: (_, compiler, node) => branch(compiler, node, compiler.chain.taken),
};

const END_OF_SCRIPT: Command = {
  execute(run: Run): void {
    if (run.trace !== null) run.note('stop');
    run.ended = true;
  },
};

/** §3.3: ends everything, included scripts and those that include them. */
export const stop: CommandSpec = {
  name: 'stop',
  parameters: [],
  emit: (call, compiler) => compiler.command(call.node, END_OF_SCRIPT),
};
