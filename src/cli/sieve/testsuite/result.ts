/** `test_result_reset`, `test_result_execute`, `test_result_action`, `test_result_print`. */

import type { CommandSpec, TestSpec } from '../../../sieve/extension.ts';
import { Values } from '../../../sieve/match/values.ts';
import { type Action, Result } from '../../../sieve/result.ts';
import { execute } from './execute.ts';
import { at } from './nth.ts';
import type { World } from './world.ts';

/** Actions by the names test files know them by. */
export function actionName(action: Action): string {
  return action.kind === 'fileinto' ? 'store' : action.kind;
}

/** Names of what was decided, in order. An implicit keep is the only one where nothing else was. */
function names(world: World): string[] {
  const { actions } = world.result;
  return (actions.length === 0 ? world.result.decided() : actions).map(actionName);
}

export function resultCommands(world: World): CommandSpec[] {
  return [
    {
      name: 'test_result_reset',
      parameters: [],
      emit: (call, compiler) =>
        compiler.command(call.node, {
          execute(run) {
            world.setResult(run, new Result());
            world.outbox = [];
            world.restoreMessage(run);
          },
        }),
    },
    {
      name: 'test_result_print',
      parameters: [],
      emit: (call, compiler) =>
        compiler.command(call.node, {
          execute: () => world.log(names(world).join('\n')),
        }),
    },
  ];
}

export function resultTests(world: World): TestSpec[] {
  return [
    {
      name: 'test_result_execute',
      parameters: [],
      compile: () => ({
        evaluate(run) {
          world.errors = [];
          // What is kept implicitly is the message as it is now.
          world.result.content = run.message.content();
          return execute(world);
        },
      }),
    },
    {
      name: 'test_result_action',
      match: true,
      tags: [{ name: 'index', parameter: { name: 'index', type: 'number' } }],
      parameters: [{ name: 'key list', type: 'strings' }],
      compile(call) {
        const keys = call.keys('key list');
        const index = call.has('index') ? call.number('index') : null;
        return keys === null
          ? null
          : { evaluate: (run) => keys.match(run, new Values(at(names(world), index))) };
      },
    },
  ];
}
