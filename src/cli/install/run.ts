/** Goes through the steps of `install` or `uninstall` and says what became of each. */

import { serverError } from '../../errors.ts';
import type { CommandIo } from '../command.ts';
import type { Step } from './steps.ts';

/** Does what is needed, or with `dryRun` only says so. Answers how many steps were needed. */
export function runSteps(steps: readonly Step[], dryRun: boolean, io: CommandIo): number {
  let count = 0;
  for (const step of steps) {
    if (!step.needed()) continue;
    count++;
    io.stdout(`${dryRun ? 'would ' : ''}${step.text}\n`);
    if (dryRun) continue;
    try {
      step.apply();
    } catch (thrown) {
      const { code, message } = thrown as { code?: string; message: string };
      const denied = code === 'EACCES' || code === 'EPERM';
      throw serverError(
        `cannot ${step.text}: ${message}${denied ? '; run it as root' : ''}`,
        thrown,
        denied ? 'noperm' : 'unavailable',
      );
    }
  }
  return count;
}
