/** `test` and `test_fail`. */

import type { CommandSpec } from '../../../sieve/extension.ts';
import { fromOctets } from '../../../sieve/octets.ts';
import { BLOCK, fail } from './fail.ts';
import type { World } from './world.ts';

export function blockCommands(world: World): CommandSpec[] {
  return [
    {
      name: 'test',
      parameters: [{ name: 'name', type: 'string' }],
      block: true,
      emit(call, compiler, node) {
        const block = compiler.state(BLOCK);
        if (block.end !== null) {
          compiler.error(node.position, 'tests cannot be nested');
          return;
        }
        const name = call.text('name');
        const end = compiler.label();
        compiler.command(node, { execute: (run) => world.beginBlock(fromOctets(name.value(run))) });
        block.end = end;
        compiler.block(node.block ?? []);
        block.end = null;
        compiler.command(node, { execute: () => void world.endBlock(null) });
        compiler.place(end);
      },
    },
    {
      name: 'test_fail',
      parameters: [{ name: 'reason', type: 'string' }],
      emit(call, compiler) {
        const reason = call.text('reason');
        const { end } = compiler.state(BLOCK);
        compiler.command(call.node, {
          execute: (run) => fail(world, run, end, fromOctets(reason.value(run))),
        });
      },
    },
  ];
}
