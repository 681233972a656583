/** `mailstore reconstruct`: a user's index anew (Cyrus: reconstruct). */

import { administer, processSurroundings, type Surroundings, useridFrom } from './administration.ts';
import type { LossReport } from '../store/reconstruct/acceptloss.ts';
import { type Command, type CommandIo, processIo } from './command.ts';
import { configArguments, configUsage, parseArgs, settingsFrom, usageError } from './options.ts';
import { EX_DATAERR, EX_OK } from './sysexits.ts';
import { printable } from './table.ts';

const usage = `Usage: mailstore reconstruct [OPTION]... USER...
       mailstore reconstruct --accept-log-loss [OPTION]...

Builds the index of users anew from its last snapshot and the redo log: nothing changes for clients, UIDs and flags stay.
The old index is kept beside the new one as index.db.damaged-*. Then every message file is read: one that is missing or
damaged gets its bytes back from another copy or the log; what is nowhere else is named, its row stays.

${configUsage}      --from-snapshot     where a part of the log is lost, go on with what snapshot and log still have. Later changes
                          are lost; messages whose files are found are in INBOX, what was expunged since comes back.
                          UIDs and modification sequences go on with a distance: none means two messages
      --from-spool        where snapshot or log are lost: make a new index from the message files alone. All
                          messages appear in INBOX as new ones, with a new UIDVALIDITY; flags are lost, and what
                          was expunged but not yet expired comes back
      --accept-log-loss   where a damaged or missing file of the log keeps the server from starting and there is no
                          backup of it: give up the records that cannot be read, and go on. Damaged files stay beside
                          the log as *.damaged; the users concerned and the records lost are named. The server must
                          not run
      --json              the report for programs to read
  -h, --help              this text

Exit codes: 0 done, 64 wrong command line, 65 something is damaged still, 67 no such user, 75 the store cannot be
reached, 78 wrong configuration.
`;

const commandArguments = { ...configArguments, fromSnapshot: {}, fromSpool: {}, acceptLogLoss: {} } as const;

/** The command over this store. */
export function reconstructCommand(surroundings: Surroundings): Command {
  return {
    name: 'reconstruct',
    summary: "build users' indexes anew from snapshot and log, or from the message files",
    usage,
    async run(args, io) {
      const { options, operands } = parseArgs(args, commandArguments);
      if (options.help) {
        io.stdout(usage);
        return EX_OK;
      }
      if (options.acceptLogLoss) {
        if (operands.length > 0 || options.fromSpool || options.fromSnapshot) {
          throw usageError('--accept-log-loss is for the whole store: no user and no other way goes with it');
        }
        const { settings } = settingsFrom(options);
        return printLosses(await surroundings.acceptLogLoss(settings), options.json, io);
      }
      if (options.fromSpool && options.fromSnapshot) {
        throw usageError('name one of --from-spool and --from-snapshot');
      }
      if (operands.length === 0) throw usageError('name the users whose index is to be built anew');
      return await administer(options, io, surroundings, async ({ settings, store }) => {
        let code = EX_OK;
        for (const operand of operands) {
          const userid = useridFrom(operand, settings);
          const from = options.fromSpool ? 'spool' : options.fromSnapshot ? 'snapshot' : 'log';
          const report = await store.admin.reconstruct(userid, from);
          if (report.damaged.length > 0) code = EX_DATAERR;
          if (options.json) io.stdout(`${JSON.stringify({ userid, ...report })}\n`);
          else {
            io.stdout(
              `${printable(userid)}: ${report.messages} messages, ${report.records} log records applied\n`,
            );
            if (options.fromSnapshot && report.adopted > 0) {
              io.stdout(`${report.adopted} messages are in INBOX: their files were found, but no row\n`);
            }
            for (const path of report.mended) io.stdout(`file put back: ${printable(path)}\n`);
            for (const path of report.damaged) io.stdout(`damaged: ${printable(path)}\n`);
          }
        }
        return code;
      });
    },
  };
}

function printLosses(report: LossReport, json: boolean, io: CommandIo): number {
  const { losses, users, unknown } = report;
  const code = users.every(({ problem }) => problem === null) ? EX_OK : EX_DATAERR;
  if (json) {
    io.stdout(`${JSON.stringify(report)}\n`);
    return code;
  }
  for (const { from, through, kept } of losses) {
    io.stdout(
      `lost: log records ${from} to ${through}${kept === null ? '' : `; kept: ${printable(kept)}`}\n`,
    );
  }
  for (const { userid, certain, adopted, skipped, problem } of users) {
    const what = certain ? 'changes are lost' : 'changes may be lost';
    io.stdout(`${printable(userid)}: ${what}; ${adopted} messages found and added to INBOX`);
    io.stdout(skipped === 0 ? '\n' : `; ${skipped} later changes not possible without them\n`);
    if (problem !== null) io.stdout(`${printable(userid)}: ${printable(problem)}\n`);
  }
  if (unknown > 0) {
    io.stdout(
      `${unknown} users were made in the lost records: make them again, and run "mailstore reconstruct --from-spool USER"\n`,
    );
  }
  io.stdout(
    'Passwords, rights and users changed in the lost records are as they were before. Make a backup now.\n',
  );
  return code;
}

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return reconstructCommand(processSurroundings).run(args, processIo());
}
