/** `mailstore restore`: from a backup, everything, or what a user lost. */

import { openTarget } from '../store/backup/open.ts';
import type { Settings } from '../config/settings.ts';
import { Namespace } from '../store/names.ts';
import { type PartialReport, restorePartly, type Wanted } from '../store/backup/restore/partial.ts';
import { restorePoint } from '../store/backup/restore/point.ts';
import { restoreStore } from '../store/backup/restore/whole.ts';
import { createLog } from '../telemetry/log.ts';
import { administrator, becomeServer, useridFrom } from './administration.ts';
import { bytesText, readTime } from './backup/text.ts';
import { type Command, type CommandIo, processIo } from './command.ts';
import {
  type Arguments,
  configArguments,
  configUsage,
  parseArgs,
  settingsFrom,
  usageError,
} from './options.ts';
import { EX_DATAERR, EX_OK } from './sysexits.ts';
import { formatTable, formatTime } from './table.ts';
import type { Unsaved } from '../store/backup/manifest.ts';

const usage = `Usage: mailstore restore [OPTION]... [TARGET]
       mailstore restore --user USER [--message-id ID] [--replace] [OPTION]... [TARGET]
       mailstore restore --mailbox MAILBOX [--uid UID | --message-id ID] [--replace] [OPTION]... [TARGET]

Without --user and --mailbox brings back a store from a backup: everything, with the server stopped, into an empty
store. Should it be interrupted, run it again; until it is complete the server does not start.

With one of them brings back what a user lost, while the server runs. What is not there any more is put into mailboxes
below "Restored"; doing it again doubles nothing.

TARGET is what "mailstore backup" was given; backup.target of the configuration unless given.

      --user USER         all mailboxes of a user
      --mailbox MAILBOX   one, named as an administrator sees it: user/django/Work, staff
      --uid UID           only the message that had this UID
      --message-id ID     only messages with this Message-ID
      --replace           put it back into the mailboxes themselves, made again where they are gone, and give the
                          messages that are still there the flags they had; what came since stays
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
67 there was no such user, 75 store or target cannot be reached, 78 wrong configuration.
`;

const restoreArguments = {
  ...configArguments,
  run: { value: 'RUN' },
  asOf: { value: 'TIME' },
  force: {},
  newUidvalidity: {},
  user: { value: 'USER' },
  mailbox: { value: 'MAILBOX' },
  uid: { value: 'UID' },
  messageId: { value: 'ID' },
  replace: {},
} as const;

type Options = Arguments<typeof restoreArguments>;

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
    checkOptions(options);
    const asOf = options.asOf === undefined ? undefined : readTime(options.asOf);
    const { settings } = settingsFrom(options);
    // The files of the target are the server's user's.
    becomeServer(settings);
    const target = openTarget(settings, text, io.env);
    const log = createLog({ level: 'warn', journal: false });
    const point = await restorePoint(target, { run: options.run, asOf });
    if (options.user !== undefined || options.mailbox !== undefined) {
      const report = await restorePartly(settings, target, point, wantedOf(options, settings), log);
      return reportPartly(report, options.json, settings, io);
    }
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

/** Says before anything is read what does not go together. */
function checkOptions({ user, mailbox, uid, messageId, replace, force, newUidvalidity }: Options): void {
  if (user !== undefined && mailbox !== undefined) {
    throw usageError('--mailbox names the user, too; one is needed');
  }
  const part = user !== undefined || mailbox !== undefined;
  if (part && (force || newUidvalidity)) {
    throw usageError('--force and --new-uidvalidity are for the restore of a whole store');
  }
  if (!part && (uid !== undefined || messageId !== undefined || replace)) {
    throw usageError('--uid, --message-id and --replace need --user or --mailbox');
  }
  if (uid !== undefined && (mailbox === undefined || messageId !== undefined)) {
    throw usageError('--uid needs --mailbox and no --message-id');
  }
  if (uid !== undefined && !/^[1-9]\d{0,9}$/.test(uid)) throw usageError(`"${uid}" is not a UID`);
}

function wantedOf(options: Options, settings: Settings): Wanted {
  const { uid, messageId, replace } = options;
  const what = { uid: uid === undefined ? undefined : Number(uid), messageId, replace };
  if (options.mailbox === undefined) return { userid: useridFrom(options.user as string, settings), ...what };
  const { owner, path } = new Namespace(settings, administrator(settings)).toInternal(options.mailbox);
  return { userid: owner, path, ...what };
}

function reportPartly(report: PartialReport, json: boolean, settings: Settings, io: CommandIo): number {
  if (json) io.stdout(`${JSON.stringify(report)}\n`);
  else {
    const names = new Namespace(settings, administrator(settings));
    io.stdout(`As of ${formatTime(report.time)}, from run ${report.run}:\n`);
    io.stdout(formatTable(
      [
        { title: 'MAILBOX' },
        { title: 'TO' },
        { title: 'RESTORED', right: true },
        { title: 'STILL THERE', right: true },
        { title: 'FLAGS', right: true },
      ],
      report.mailboxes.map(({ from, to, restored, there, flags }) => [
        names.toExternal(from),
        restored > 0 || flags > 0 ? names.toExternal(to) : '',
        String(restored),
        String(there),
        String(flags),
      ]),
    ));
    printUnsaved(report.missing, io);
  }
  return report.missing.length > 0 ? EX_DATAERR : EX_OK;
}

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
