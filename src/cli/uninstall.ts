/** `mailstore uninstall`: takes away what `install` put in place; mail, configuration and user stay. */

import { resolve } from 'node:path';
import { type Command, processIo } from './command.ts';
import { left, uninstallSteps } from './install/plan.ts';
import { runSteps } from './install/run.ts';
import { parseArgs, usageError } from './options.ts';
import { EX_OK } from './sysexits.ts';

const usage = `Usage: mailstore uninstall [--dry-run] [--prefix DIR] [--root DIR]

Stops the service and removes executable, links and unit. Mail, configuration and user stay.

  -n, --dry-run           only say what would be done
      --prefix DIR        where bin/ is; /usr/local unless given
      --root DIR          uninstall from the file system below DIR
  -h, --help              this text
`;

const uninstallArguments = {
  dryRun: { short: 'n' },
  prefix: { value: 'DIR' },
  root: { value: 'DIR' },
  help: { short: 'h' },
} as const;

export const uninstallCommand: Command = {
  name: 'uninstall',
  summary: 'take away what install put in place; mail and configuration stay',
  usage,
  run(args, io) {
    const { options, operands } = parseArgs(args, uninstallArguments);
    if (options.help) {
      io.stdout(usage);
      return Promise.resolve(EX_OK);
    }
    if (operands.length > 0) throw usageError(`uninstall takes no "${operands[0]}"`);
    const place = { root: resolve(options.root ?? '/'), prefix: options.prefix ?? '/usr/local' };
    if (!place.prefix.startsWith('/')) throw usageError('--prefix is an absolute path');
    const count = runSteps(uninstallSteps(place), options.dryRun, io);
    if (count === 0) io.stdout('nothing of mailstore is installed\n');
    for (const path of left(place)) io.stdout(`stays: ${path}\n`);
    return Promise.resolve(EX_OK);
  },
};

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return uninstallCommand.run(args, processIo());
}
