/**
 * `mailstore ptexpire`: Cyrus's tool for a cache of groups in a file. Ours is in memory and ends by itself; the command says when,
 * so that a crontab which runs it goes on and its reader knows.
 */

import { type Command, processIo } from './command.ts';
import { configArguments, configUsage, parseArgs, settingsFrom, usageError } from './options.ts';
import { EX_OK } from './sysexits.ts';

const usage = `Usage: mailstore ptexpire [OPTION]...

Changes nothing. Says how long the groups of users are kept.

${configUsage}  -E, --expire SECONDS    taken for the sake of old crontabs, without effect
  -h, --help              this text
`;

const commandArguments = { ...configArguments, expire: { short: 'E', value: 'SECONDS' } } as const;

export const ptexpireCommand: Command = {
  name: 'ptexpire',
  summary: 'report how long groups of users are kept',
  usage,
  run(args, io) {
    const { options, operands } = parseArgs(args, commandArguments);
    if (options.help) {
      io.stdout(usage);
      return Promise.resolve(EX_OK);
    }
    if (operands.length > 0) throw usageError('ptexpire takes no names');
    const { ptscache_timeout } = settingsFrom(options).settings;
    io.stdout(
      `groups of users are kept in memory for ${ptscache_timeout} s (auth.ptscache_timeout), then asked for anew; ` +
        'systemctl reload mailstore forgets them at once\n',
    );
    return Promise.resolve(EX_OK);
  },
};

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return ptexpireCommand.run(args, processIo());
}
