/** `mailstore backup`: saves the store while it runs, and looks after what was saved. */

import { openTarget } from '../store/backup/open.ts';
import { becomeServer } from './administration.ts';
import type { BackupAction } from './backup/action.ts';
import { make } from './backup/make.ts';
import { type Command, processIo } from './command.ts';
import { configArguments, configUsage, parseArgs, settingsFrom, usageError } from './options.ts';
import { EX_OK } from './sysexits.ts';

const usage = `Usage: mailstore backup [OPTION]... [TARGET]

Saves the store, running or not: everything acknowledged before it began, as of one moment. The first run sends all
messages, later ones only what is new. What was sent by a run that was interrupted is not sent again.

TARGET is a folder (an absolute path); backup.target of the configuration unless given. It holds the passwords of the
users (hashed) and all mail: files there are readable by the server's user alone.

${configUsage}      --json              figures for programs to read
  -h, --help              this text

Exit codes: 0 done, 64 wrong command line, 65 some mail could not be saved as it is damaged in the store (the rest was),
75 store or target cannot be reached, 78 wrong configuration.
`;

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return backupCommand.run(args, processIo());
}

const actions: Readonly<Record<string, BackupAction>> = { make };

export const backupCommand: Command = {
  name: 'backup',
  summary: 'back up the store while it runs; list, verify and prune backups',
  usage,
  async run(args, io) {
    const { options, operands } = parseArgs(args, configArguments);
    if (options.help) {
      io.stdout(usage);
      return EX_OK;
    }
    const [first] = operands;
    const named = first !== undefined && Object.hasOwn(actions, first);
    const [text, more] = named ? operands.slice(1) : operands;
    if (more !== undefined) throw usageError(`backup takes no "${more}"`);
    const { settings } = settingsFrom(options);
    const target = openTarget(settings, text);
    becomeServer(settings);
    const action = actions[named ? first : 'make'] as BackupAction;
    return await action({ settings, target, json: options.json, io });
  },
};
