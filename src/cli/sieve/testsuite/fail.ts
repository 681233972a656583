/** How a test fails: inside a block the block ends, outside the file does. */

import { CompileKey, type Label } from '../../../sieve/extension.ts';
import { endLoops, loopDepth } from '../../../sieve/parts.ts';
import { type Run, ScriptError } from '../../../sieve/run.ts';
import type { World } from './world.ts';

/** The end of the block that is being compiled; null outside of blocks. */
export const BLOCK = new CompileKey<{ end: Label | null }>(() => ({ end: null }));

/** A failure outside of blocks, or in a script that a test runs. */
export class TestFailure extends ScriptError {}

/** Fails the block that ends at `end`. */
export function fail(world: World, run: Run, end: Label | null, reason: string): void {
  if (end === null || !world.endBlock(reason)) throw new TestFailure(reason);
  endLoops(run, loopDepth(run));
  run.frame.pc = end.at;
}
