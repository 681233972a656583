/** `test_script_compile`, `test_script_run`, `test_multiscript`, `test_binary_save`, `test_binary_load`. */

import type { CommandSpec, TestSpec } from '../../../sieve/extension.ts';
import { run as runProgram } from '../../../sieve/machine.ts';
import { fromOctets } from '../../../sieve/octets.ts';
import { Result } from '../../../sieve/result.ts';
import { type Outcome, type Program, type Run, ScriptError } from '../../../sieve/run.ts';
import { execute } from './execute.ts';
import { INBOX, type World } from './world.ts';

/** Runs a program in this world. False if it ended with an error, which is noted. */
async function runScript(world: World, program: Program): Promise<boolean> {
  const outcome: Outcome = await runProgram(program, {
    message: world.message,
    envelope: world.envelope,
    host: world.host,
    limits: world.configuration.limits,
    settings: world.configuration.settings,
    separators: world.configuration.separators,
    defaultMailbox: INBOX,
    result: world.result,
  });
  if (outcome.error === null) return true;
  world.error(outcome.error.text);
  return false;
}

/** Scripts one after the other, as long as the message would still be kept. */
async function runScripts(world: World, run: Run, paths: readonly string[]): Promise<boolean> {
  world.errors = [];
  world.setResult(run, new Result());
  for (const path of paths) {
    const program = world.compile(path);
    if (program === null || !await runScript(world, program)) return false;
    if (!world.result.implicitKeep && !world.result.has('keep')) break;
  }
  return execute(world);
}

export function scriptTests(world: World): TestSpec[] {
  return [
    {
      name: 'test_script_compile',
      parameters: [{ name: 'path', type: 'string' }],
      compile(call) {
        const path = call.text('path');
        return {
          evaluate(run) {
            world.errors = [];
            const program = world.compile(fromOctets(path.value(run)));
            if (program !== null) world.compiled = program;
            return program !== null;
          },
        };
      },
    },
    {
      name: 'test_script_run',
      tags: [{ name: 'append_result' }],
      parameters: [],
      compile(call) {
        const append = call.has('append_result');
        return {
          evaluate(run) {
            world.errors = [];
            if (world.compiled === null) throw new ScriptError('no script was compiled');
            if (!append) world.setResult(run, new Result());
            return runScript(world, world.compiled);
          },
        };
      },
    },
    {
      name: 'test_multiscript',
      parameters: [{ name: 'paths', type: 'strings' }],
      compile(call) {
        const paths = call.texts('paths');
        return { evaluate: (run) => runScripts(world, run, paths.values(run).map(fromOctets)) };
      },
    },
  ];
}

export function scriptCommands(world: World): CommandSpec[] {
  return [
    {
      name: 'test_binary_save',
      parameters: [{ name: 'name', type: 'string' }],
      emit(call, compiler) {
        const name = call.text('name');
        compiler.command(call.node, {
          execute(run) {
            if (world.compiled === null) throw new ScriptError('no script was compiled');
            world.binaries.set(name.value(run), world.compiled);
          },
        });
      },
    },
    {
      name: 'test_binary_load',
      parameters: [{ name: 'name', type: 'string' }],
      emit(call, compiler) {
        const name = call.text('name');
        compiler.command(call.node, {
          execute(run) {
            const program = world.binaries.get(name.value(run));
            if (program === undefined) throw new ScriptError(`no binary was saved as "${name.value(run)}"`);
            world.compiled = program;
          },
        });
      },
    },
  ];
}
