/** Runs a test file. */

import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { formatDiagnostic } from '../../../sieve/diagnostic.ts';
import { compileWith } from '../../../sieve/compile.ts';
import { EXTENSIONS } from '../../../sieve/extensions.ts';
import { run } from '../../../sieve/machine.ts';
import { bytesToOctets } from '../../../sieve/octets.ts';
import { Registry } from '../../../sieve/registry.ts';
import type { TraceLine } from '../../../sieve/run.ts';
import { testsuite } from './extension.ts';
import { type BlockOutcome, INBOX, World } from './world.ts';

/** How a file ended. */
export interface FileOutcome {
  readonly blocks: readonly BlockOutcome[];
  /** Why the file as a whole failed, outside of blocks or because it does not compile; null if it ran to its end. */
  readonly failure: string | null;
}

export interface FileOptions {
  /** The home of programs that scripts run; the file's folder where it is null. */
  readonly workFolder?: string | null;
  /** Whether programs may be run; as `mayRunPrograms` says where it is not given. */
  readonly programs?: boolean;
  /** Gets lines of the log as they come. */
  readonly log: (text: string) => void;
  readonly trace?: (line: TraceLine) => void;
}

/**
 * Whether a test file may name the folder of programs that it runs: root does not run for others what they wrote.
 * @param uid who runs it; undefined where the system knows no users
 */
export function mayRunPrograms(uid: number | undefined, owner: number): boolean {
  return uid !== 0 || owner === 0;
}

/** Runs the test file at a path. Throws what reading it throws. */
export async function runTestFile(
  path: string,
  { log, programs, trace, workFolder = null }: FileOptions,
): Promise<FileOutcome> {
  const file = resolve(path);
  const source = bytesToOctets(readFileSync(file));
  const world = new World(dirname(file), log, workFolder ?? dirname(file));
  const registry = new Registry([...EXTENSIONS, testsuite(world)]);
  world.runsPrograms = programs ?? mayRunPrograms(process.getuid?.(), statSync(file).uid);
  world.registry = registry;
  const { program, diagnostics } = compileWith(registry, source, world.compileOptions('test'));
  if (program === null) {
    const errors = diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic);
    return { blocks: [], failure: `the file does not compile: ${errors.join('; ')}` };
  }
  const outcome = await run(program, {
    message: world.message,
    envelope: world.envelope,
    host: world.host,
    limits: world.configuration.limits,
    settings: world.configuration.settings,
    defaultMailbox: INBOX,
    result: world.result,
    ...(trace === undefined ? {} : { trace }),
  });
  const { error } = outcome;
  if (error === null) return { blocks: world.blocks, failure: null };
  const failure = `line ${error.line}, column ${error.column}: ${error.text}`;
  world.endBlock(failure);
  return { blocks: world.blocks, failure };
}
