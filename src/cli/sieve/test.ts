/** `mailstore sieve test`: runs scripts that test scripts (`vnd.dovecot.testsuite`). */

import { appendFileSync, writeFileSync } from 'node:fs';
import { printable } from '../table.ts';
import type { CommandIo } from '../command.ts';
import { usageError } from '../options.ts';
import { EX_NOINPUT, EX_OK } from '../sysexits.ts';
import type { SieveAction, SieveOptions } from './arguments.ts';
import { traceText } from './run.ts';
import { type FileOutcome, runTestFile } from './testsuite/run.ts';

/** A test failed. */
const EX_FAILED = 1;

export const test: SieveAction = async (paths, options, io) => {
  if (paths.length === 0) throw usageError('sieve test needs a test file');
  let code = EX_OK;
  for (const path of paths) {
    const found = await testFile(path, options, io);
    if (found !== EX_OK) code = found;
  }
  return code;
};

async function testFile(path: string, options: SieveOptions, io: CommandIo): Promise<number> {
  const trace = options.trace;
  if (trace !== undefined) writeFileSync(trace, '');
  let outcome: FileOutcome;
  try {
    outcome = await runTestFile(path, {
      workFolder: options.workFolder ?? null,
      log: (text) => {
        if (options.errors) io.stderr(`${text.split(/\r?\n/).map(printable).join('\n')}\n`);
      },
      ...(trace === undefined ? {} : { trace: (line) => appendFileSync(trace, `${traceText(line)}\n`) }),
    });
  } catch (thrown) {
    if (!(thrown instanceof Error) || !('code' in thrown)) throw thrown;
    io.stderr(`${path}: ${thrown.message}\n`);
    return EX_NOINPUT;
  }
  io.stdout(`Test case: ${path}:\n\n`);
  for (const { number, name, reason } of outcome.blocks) {
    const ended = reason === null ? 'SUCCEEDED' : `FAILED: ${printable(reason)}`;
    io.stdout(`${number}: Test '${printable(name)}' ${ended}\n`);
  }
  if (outcome.failure !== null) io.stdout(`\n${path}: ${printable(outcome.failure)}\n`);
  return verdict(outcome, options.expectFailure, io);
}

/** The last line. With -F every block must fail, or the file as a whole. */
function verdict({ blocks, failure }: FileOutcome, expectFailure: boolean, io: CommandIo): number {
  const count = blocks.length;
  const failed = blocks.filter(({ reason }) => reason !== null).length;
  const failures = failed + (failure !== null && failed === 0 ? 1 : 0);
  if (expectFailure) {
    const fine = failures > 0 && failures >= count;
    io.stdout(
      fine
        ? `\nPASS: ${failures} tests failed as expected.\n\n`
        : `\nFAIL: ${failures} of ${count} tests failed; all should have.\n\n`,
    );
    return fine ? EX_OK : EX_FAILED;
  }
  if (failures === 0) {
    io.stdout(`\nPASS: ${count} tests succeeded.\n\n`);
    return EX_OK;
  }
  io.stdout(`\nFAIL: ${failures} of ${Math.max(count, failures)} tests failed.\n\n`);
  return EX_FAILED;
}
