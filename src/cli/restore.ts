/** `mailstore restore`: from a backup, everything. */

import { openTarget } from '../store/backup/open.ts';
import { restorePoint } from '../store/backup/restore/point.ts';
import { restoreStore } from '../store/backup/restore/whole.ts';
import { createLog } from '../telemetry/log.ts';
import { becomeServer } from './administration.ts';
import { bytesText, readTime } from './backup/text.ts';
import { type Command, type CommandIo, processIo } from './command.ts';
import { configArguments, configUsage, parseArgs, settingsFrom, usageError } from './options.ts';
import { EX_DATAERR, EX_OK } from './sysexits.ts';
import { formatTable, formatTime } from './table.ts';
import type { Unsaved } from '../store/backup/manifest.ts';

const usage = `Usage: mailstore restore [OPTION]... [TARGET]

Brings back a store from a backup: everything, with the server stopped, into an empty store. Should it be interrupted,
run it again; until it is complete the server does not start.

TARGET is what "mailstore backup" was given; backup.target of the configuration unless given.

      --run RUN           go back to this run of "mailstore backup" instead of the newest; the beginning of its name
                          is enough
      --as-of TIME        go back to the end of a second: "2026-01-05 13:59:00" (local time), 2026-01-05T13:59:00Z or
                          @SECONDS; the log in the backups is applied up to it
      --force             there is a store: put it aside (renamed in its place, not deleted)
      --new-uidvalidity   give every mailbox a new UIDVALIDITY. Without it UIDNEXT and modseqs go on so far above that
                          nothing clients saw after the restored moment can mean something else
${configUsage}      --json              the report for programs to read
  -h, --help              this text

Exit codes: 0 done, 64 wrong command line, 65 something is missing or damaged in the backup (the rest was restored),
75 store or target cannot be reached, 78 wrong configuration.
`;

const restoreArguments = {
  ...configArguments,
  run: { value: 'RUN' },
  asOf: { value: 'TIME' },
  force: {},
  newUidvalidity: {},
} as const;

export const restoreCommand: Command = {
  name: 'restore',
  summary: 'bring back the whole store, or what a user lost, from a backup',
  usage,
  async run(args, io) {
    const { options, operands } = parseArgs(args, restoreArguments);
    if (options.help) {
      io.stdout(usage);
      return EX_OK;
    }
    const [text, more] = operands;
    if (more !== undefined) throw usageError(`restore takes no "${more}"`);
    if (options.run !== undefined && options.asOf !== undefined) {
      throw usageError('--run and --as-of name two moments; one is needed');
    }
    const asOf = options.asOf === undefined ? undefined : readTime(options.asOf);
    const { settings } = settingsFrom(options);
    const target = openTarget(settings, text);
    becomeServer(settings);
    const log = createLog({ level: 'warn', journal: false });
    const point = await restorePoint(target, { run: options.run, asOf });
    const { force, newUidvalidity } = options;
    const report = await restoreStore(settings, target, point, { force, newUidvalidity }, log);
    if (options.json) io.stdout(`${JSON.stringify(report)}\n`);
    else {
      if (report.aside !== null) io.stdout(`The store that was there is now ${report.aside}.\n`);
      io.stdout(
        `Restored ${report.owners} users with ${report.messages} messages (${
          bytesText(report.bytes)
        }) as of ` +
          `${formatTime(report.time)}, from run ${report.run} and ${report.records} records of the log.\n`,
      );
      printUnsaved(report.unsaved, io);
    }
    return report.unsaved.length > 0 ? EX_DATAERR : EX_OK;
  },
};

function printUnsaved(unsaved: readonly Unsaved[], io: CommandIo): void {
  if (unsaved.length === 0) return;
  io.stderr(`${unsaved.length} things could not be restored:\n`);
  const rows = unsaved.map(({ userid, place, text }) => [userid, place, text]);
  io.stderr(formatTable([{ title: 'user' }, { title: 'place' }, { title: 'what' }], rows));
}

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return restoreCommand.run(args, processIo());
}
