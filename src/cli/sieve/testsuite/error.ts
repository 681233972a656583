/** `test_error`. */

import type { TestSpec } from '../../../sieve/extension.ts';
import { Values } from '../../../sieve/match/values.ts';
import { toOctets } from '../../../sieve/octets.ts';
import { at } from './nth.ts';
import type { World } from './world.ts';

export function errorTest(world: World): TestSpec {
  return {
    name: 'test_error',
    match: true,
    tags: [{ name: 'index', parameter: { name: 'index', type: 'number' } }],
    parameters: [{ name: 'key list', type: 'strings' }],
    compile(call) {
      const keys = call.keys('key list');
      const index = call.has('index') ? call.number('index') : null;
      return keys === null
        ? null
        : { evaluate: (run) => keys.match(run, new Values(at(world.errors, index).map(toOctets))) };
    },
  };
}
