import { limits } from '../../limits.ts';
import { type CommandSpec, CompileKey, type Compiler, type Extension, type Label } from '../extension.ts';
import { printable } from '../lexer.ts';
import { beginLoop, endLoops, nextPart } from '../parts.ts';
import type { Command, Run, Test } from '../run.ts';
import type { CallNode } from '../syntax.ts';

/** A loop around the command being compiled. */
interface OpenLoop {
  readonly name: string | null;
  readonly end: Label;
}

const OPEN_LOOPS = new CompileKey<OpenLoop[]>(() => []);

/** True while the block of a foreverypart is compiled. */
export function insideLoop(compiler: { state<T>(key: CompileKey<T>): T }): boolean {
  return compiler.state(OPEN_LOOPS).length > 0;
}

/** Ends the loops around the command being compiled, before it leaves the script (RFC 6609 §3.3). */
export function endOpenLoops(node: CallNode, compiler: Compiler): void {
  const open = compiler.state(OPEN_LOOPS).length;
  if (open > 0) compiler.command(node, new Break(open));
}

const BEGIN: Command = { execute: beginLoop };
const NEXT: Test = { evaluate: nextPart };

/** RFC 5703 §3 */
const foreverypartCommand: CommandSpec = {
  name: 'foreverypart',
  tags: [{ name: 'name', parameter: { name: 'name', type: 'string', constant: true } }],
  parameters: [],
  block: true,
  emit(call, compiler, node) {
    const open = compiler.state(OPEN_LOOPS);
    const most = limits.sieve_part_loops.value;
    if (open.length >= most) {
      compiler.error(node.position, `more than ${most} foreverypart loops inside each other`);
      return;
    }
    const again = compiler.label();
    const body = compiler.label();
    const end = compiler.label();
    compiler.command(node, BEGIN);
    compiler.place(again);
    compiler.test(node, NEXT, body, end);
    compiler.place(body);
    open.push({ name: call.has('name') ? call.constant('name') : null, end });
    compiler.block(node.block ?? []);
    open.pop();
    compiler.jump(again);
    compiler.place(end);
  },
};

class Break implements Command {
  readonly #loops: number;

  constructor(loops: number) {
    this.#loops = loops;
  }

  execute(run: Run): void {
    endLoops(run, this.#loops);
  }
}

/** §3: out of the innermost loop, or the innermost of a name. */
const breakCommand: CommandSpec = {
  name: 'break',
  tags: [{ name: 'name', parameter: { name: 'name', type: 'string', constant: true } }],
  parameters: [],
  emit(call, compiler) {
    const open = compiler.state(OPEN_LOOPS);
    const name = call.has('name') ? call.constant('name') : null;
    const at = name === null ? open.length - 1 : open.findLastIndex((loop) => loop.name === name);
    const loop = open[at];
    if (loop === undefined) {
      const which = name === null
        ? 'any foreverypart loop'
        : `a foreverypart loop named "${printable(name)}"`;
      compiler.error(call.node.position, `the break command stands outside ${which}`);
      return;
    }
    compiler.command(call.node, new Break(open.length - at));
    compiler.jump(loop.end);
  },
};

export const foreverypart: Extension = {
  capability: 'foreverypart',
  commands: [foreverypartCommand, breakCommand],
};
