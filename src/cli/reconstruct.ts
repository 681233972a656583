/** `mailstore reconstruct`: a user's index anew (Cyrus: reconstruct). */

import { administer, processSurroundings, type Surroundings, useridFrom } from './administration.ts';
import { type Command, processIo } from './command.ts';
import { configArguments, configUsage, parseArgs, usageError } from './options.ts';
import { EX_DATAERR, EX_OK } from './sysexits.ts';
import { printable } from './table.ts';

const usage = `Usage: mailstore reconstruct [OPTION]... USER...

Builds the index of users anew from its last snapshot and the redo log: nothing changes for clients, UIDs and flags stay.
The old index is kept beside the new one as index.db.damaged-*. Then every message file is read: one that is missing or
damaged gets its bytes back from another copy or the log; what is nowhere else is named, its row stays.

${configUsage}      --from-spool        where snapshot or log are lost: make a new index from the message files alone. All
                          messages appear in INBOX as new ones, with a new UIDVALIDITY; flags are lost, and what
                          was expunged but not yet expired comes back
      --json              the report for programs to read
  -h, --help              this text

Exit codes: 0 done, 64 wrong command line, 65 message files are damaged, 67 no such user, 75 the store cannot be
reached, 78 wrong configuration.
`;

const commandArguments = { ...configArguments, fromSpool: {} } as const;

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
      if (operands.length === 0) throw usageError('name the users whose index is to be built anew');
      return await administer(options, io, surroundings, async ({ settings, store }) => {
        let code = EX_OK;
        for (const operand of operands) {
          const userid = useridFrom(operand, settings);
          const report = await store.admin.reconstruct(userid, options.fromSpool);
          if (report.damaged.length > 0) code = EX_DATAERR;
          if (options.json) io.stdout(`${JSON.stringify({ userid, ...report })}\n`);
          else {
            io.stdout(
              `${printable(userid)}: ${report.messages} messages, ${report.records} log records applied\n`,
            );
            for (const path of report.mended) io.stdout(`file put back: ${printable(path)}\n`);
            for (const path of report.damaged) io.stdout(`damaged: ${printable(path)}\n`);
          }
        }
        return code;
      });
    },
  };
}

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return reconstructCommand(processSurroundings).run(args, processIo());
}
