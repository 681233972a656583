/** `test_config_set`, `test_config_unset`, `test_config_reload`. */

import type { CommandSpec } from '../../../sieve/extension.ts';
import { fromOctets } from '../../../sieve/octets.ts';
import { ScriptError } from '../../../sieve/run.ts';
import type { World } from './world.ts';

export function configCommands(world: World): CommandSpec[] {
  return [
    {
      name: 'test_config_set',
      parameters: [{ name: 'setting', type: 'string' }, { name: 'value', type: 'string' }],
      emit(call, compiler) {
        const name = call.text('setting');
        const value = call.text('value');
        compiler.command(call.node, {
          execute: (run) =>
            world.configuration.set(fromOctets(name.value(run)), fromOctets(value.value(run))),
        });
      },
    },
    {
      name: 'test_config_unset',
      parameters: [{ name: 'setting', type: 'string' }],
      emit(call, compiler) {
        const name = call.text('setting');
        compiler.command(call.node, {
          execute: (run) => world.configuration.unset(fromOctets(name.value(run))),
        });
      },
    },
    {
      name: 'test_config_reload',
      tags: [{ name: 'extension', parameter: { name: 'extension', type: 'string' } }],
      parameters: [],
      emit(call, compiler) {
        const extension = call.has('extension') ? call.text('extension') : null;
        compiler.command(call.node, {
          execute(run) {
            const name = extension?.value(run) ?? null;
            if (name !== null && world.registry?.extensions.has(name) !== true) {
              throw new ScriptError(`unknown extension '${name}'`);
            }
            world.reload(run);
          },
        });
      },
    },
  ];
}
