/** `mailstore ctl_deliver`: what duplicate suppression remembers (Cyrus: ctl_deliver). */

import type { Surroundings } from './administration.ts';
import { administer, processSurroundings, useridFrom } from './administration.ts';
import { type Command, processIo } from './command.ts';
import { durationDays } from './days.ts';
import { configArguments, configUsage, parseArgs, usageError } from './options.ts';
import { EX_OK } from './sysexits.ts';
import { formatTime, printable } from './table.ts';

const usage = `Usage: mailstore ctl_deliver -d [USER...]
       mailstore ctl_deliver -E TIME

Shows or forgets what was delivered lately. By it a message that comes again is recognized (store.duplicatesuppression), and
Sieve knows what it has done, as whom it has sent a vacation reply.

  -d                      one line for each message and mailbox, and for each mark of a Sieve script; of all users, or of these
  -E TIME                 forget what is older: days (3, 0.5), or a number with d, h, m or s; and marks that have ended
${configUsage}  -h, --help              this text

Lines:  id: <MESSAGE-ID> date: DATE to: MAILBOX at: TIME
        kind: KIND key: KEY for: USER until: TIME

Exit codes: 0 done, 64 wrong command line, 67 no such user, 75 not now, try again, 78 wrong configuration.
`;

const commandArguments = {
  config: configArguments.config,
  imapdConf: configArguments.imapdConf,
  cyrusConf: configArguments.cyrusConf,
  help: configArguments.help,
  dump: { short: 'd' },
  expire: { short: 'E', value: 'TIME' },
} as const;

export function ctlDeliverCommand(surroundings: Surroundings): Command {
  return {
    name: 'ctl_deliver',
    summary: 'show or forget what duplicate suppression remembers',
    usage,
    async run(args, io) {
      const { options, operands: users } = parseArgs(args, commandArguments);
      if (options.help) {
        io.stdout(usage);
        return EX_OK;
      }
      if (options.dump === (options.expire !== undefined)) throw usageError('ctl_deliver needs -d or -E');
      if (!options.dump && users.length > 0) throw usageError('ctl_deliver -E takes no names');
      const days = options.expire === undefined ? null : durationDays(options.expire);
      return await administer(options, io, surroundings, async ({ store, settings, names }) => {
        if (days !== null) {
          await store.admin.expire({ duplicateDays: days, expungeDays: null, deleteDays: null });
          return EX_OK;
        }
        const userids = users.length > 0
          ? users.map((user) => useridFrom(user, settings))
          : store.admin.owners().map(({ userid }) => userid);
        for (const userid of userids) {
          const { delivered, marks } = store.admin.remembered(userid);
          for (const { id, mailbox, at } of delivered) {
            const space = id.lastIndexOf(' ');
            const sent = id.slice(space + 1);
            const date = sent === '' ? '-' : formatTime(Number(sent));
            const to = names.toExternal(mailbox);
            io.stdout(
              printable(`id: ${id.slice(0, space)} date: ${date} to: ${to} at: ${formatTime(at)}`) + '\n',
            );
          }
          for (const { kind, key, until } of marks) {
            io.stdout(
              printable(`kind: ${kind} key: ${key} for: ${userid} until: ${formatTime(until)}`) + '\n',
            );
          }
        }
        return EX_OK;
      });
    },
  };
}

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return ctlDeliverCommand(processSurroundings).run(args, processIo());
}
