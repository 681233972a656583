/** `mailstore backup`: saves the store while it runs, and looks after what was saved. */

import { openTarget } from '../store/backup/open.ts';
import { becomeServer } from './administration.ts';
import { type BackupAction, backupArguments, type BackupOptions } from './backup/action.ts';
import { list } from './backup/list.ts';
import { make } from './backup/make.ts';
import { policyOf, prune } from './backup/prune.ts';
import { verify } from './backup/verify.ts';
import { type Command, processIo } from './command.ts';
import { configUsage, parseArgs, settingsFrom, usageError } from './options.ts';
import { EX_OK } from './sysexits.ts';

const usage = `Usage: mailstore backup [OPTION]... [TARGET]
       mailstore backup list [--json] [TARGET]
       mailstore backup verify [--run RUN] [--quick] [TARGET]
       mailstore backup prune --keep N [--keep-daily N] [--keep-weekly N] [--keep-monthly N] [TARGET]

Saves the store, running or not: everything acknowledged before it began, as of one moment. The first run sends all
messages, later ones only what is new. What was sent by a run that was interrupted is not sent again.

  list       the runs in a target, and whether the last attempt failed. "mailstore restore --as-of" can go back to any
             second since the run in the column ANY SECOND SINCE
  verify     reads everything the runs name: hashes, indexes with the checksums of their rows, a message for each row
  prune      removes runs, then what only they needed. What stays: the newest N, and the last one of each of N days,
             weeks and months (UTC) that have one; the newest in any case

TARGET is a folder (an absolute path) or s3://BUCKET/PREFIX; backup.target of the configuration unless given. It holds
the passwords of the users and all mail: files in a folder are readable by the server's user alone, for a bucket
see to it. Its service and credentials stand in the configuration (backup.s3_endpoint ...) or the environment.

${configUsage}      --run RUN           verify only this run; the beginning of its name is enough
      --quick             verify only the sizes of the messages
      --json              figures for programs to read
  -h, --help              this text

Exit codes: 0 done, 64 wrong command line, 65 some mail could not be saved as it is damaged in the store (the rest was),
or a backup is damaged, 75 store or target cannot be reached, 78 wrong configuration.
`;

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return backupCommand.run(args, processIo());
}

const actions: Readonly<Record<string, BackupAction>> = { make, list, verify, prune };

export const backupCommand: Command = {
  name: 'backup',
  summary: 'back up the store while it runs; list, verify and prune backups',
  usage,
  async run(args, io) {
    const { options, operands } = parseArgs(args, backupArguments);
    if (options.help) {
      io.stdout(usage);
      return EX_OK;
    }
    const [first] = operands;
    const named = first !== undefined && Object.hasOwn(actions, first);
    const [text, more] = named ? operands.slice(1) : operands;
    if (more !== undefined) throw usageError(`backup takes no "${more}"`);
    const name = named ? first : 'make';
    checkOptions(name, options);
    const { settings } = settingsFrom(options);
    // The files of the target are the server's user's.
    becomeServer(settings);
    const target = openTarget(settings, text, io.env);
    const action = actions[name] as BackupAction;
    return await action({ settings, target, options, io });
  },
};

/** Options that mean nothing for an action are a mistake of whoever gave them. */
function checkOptions(action: string, options: BackupOptions): void {
  const { run, quick } = options;
  if (action !== 'verify' && (run !== undefined || quick)) {
    throw usageError('--run and --quick are for backup verify');
  }
  const keeps = [options.keep, options.keepDaily, options.keepWeekly, options.keepMonthly];
  if (action === 'prune') policyOf(options);
  else if (keeps.some((keep) => keep !== undefined)) throw usageError('--keep is for backup prune');
}
