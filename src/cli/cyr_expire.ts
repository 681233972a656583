/** `mailstore cyr_expire`: the expiry run by hand, with the options of Cyrus's program. */

import type { Surroundings } from './administration.ts';
import { administer, processSurroundings, useridFrom } from './administration.ts';
import { type Command, processIo } from './command.ts';
import { durationDays } from './days.ts';
import { configArguments, configUsage, parseArgs, usageError } from './options.ts';
import { EX_OK } from './sysexits.ts';

const usage = `Usage: mailstore cyr_expire [-E TIME] [-X TIME] [-D TIME] [-u USER] [-v]

Removes for good what is older than a time: days (3, 0.5), or a number with d, h, m or s. Only what is named is removed; the
server does all of it every night by itself (store.duplicate_retention, store.expunge_retention, store.delete_retention).

  -E TIME                 Message-IDs of delivered messages, by which duplicates are recognized, and marks of Sieve scripts
                          (vacation replies, duplicates) that have ended
  -X TIME                 messages that were expunged
  -D TIME                 mailboxes that were deleted
  -u, --userid USER       only this user's
  -v, --verbose           say what was removed
${configUsage}  -h, --help              this text

Exit codes: 0 done, 64 wrong command line, 75 not now, try again, 78 wrong configuration.
`;

const commandArguments = {
  config: configArguments.config,
  imapdConf: configArguments.imapdConf,
  cyrusConf: configArguments.cyrusConf,
  help: configArguments.help,
  duplicates: { short: 'E', value: 'TIME' },
  expunged: { short: 'X', value: 'TIME' },
  deleted: { short: 'D', value: 'TIME' },
  userid: { short: 'u', value: 'USER' },
  verbose: { short: 'v' },
} as const;

export function cyrExpireCommand(surroundings: Surroundings): Command {
  return {
    name: 'cyr_expire',
    summary: 'remove expunged messages, deleted mailboxes and old Message-IDs for good',
    usage,
    async run(args, io) {
      const { options, operands } = parseArgs(args, commandArguments);
      if (options.help) {
        io.stdout(usage);
        return EX_OK;
      }
      if (operands.length > 0) throw usageError('cyr_expire takes no names');
      const [duplicateDays, expungeDays, deleteDays] = [options.duplicates, options.expunged, options.deleted]
        .map((text) => text === undefined ? null : durationDays(text)) as [
          number | null,
          number | null,
          number | null,
        ];
      if (duplicateDays === null && expungeDays === null && deleteDays === null) {
        throw usageError('cyr_expire needs -E, -X or -D');
      }
      return await administer(options, io, surroundings, async ({ store, settings }) => {
        const only = options.userid === undefined ? {} : { userid: useridFrom(options.userid, settings) };
        const done = await store.admin.expire({ duplicateDays, expungeDays, deleteDays, ...only });
        if (options.verbose) {
          io.stdout(`Removed ${done.messages} messages and ${done.mailboxes} mailboxes.\n`);
        }
        return EX_OK;
      });
    },
  };
}

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return cyrExpireCommand(processSurroundings).run(args, processIo());
}
