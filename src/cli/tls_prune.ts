/** `tls_prune`: Cyrus's cleaning of its database of TLS sessions, of which there is none here; it says so. */

import { writeDuration } from '../config/kinds/measure.ts';
import { type Command, processIo } from './command.ts';
import { configArguments, configUsage, parseArgs, settingsFrom, usageError } from './options.ts';
import { EX_OK } from './sysexits.ts';

const usage = `Usage: tls_prune [-c FILE | -C FILE [-M FILE]]

Says for how long TLS sessions can be taken up again. Clients keep them in tickets, so there is nothing to remove; the
command is there for crontabs written for Cyrus.

${configUsage}  -h, --help              this text
`;

const commandArguments = {
  config: configArguments.config,
  imapdConf: configArguments.imapdConf,
  cyrusConf: configArguments.cyrusConf,
  help: configArguments.help,
} as const;

export const tlsPruneCommand: Command = {
  name: 'tls_prune',
  summary: 'say how long TLS sessions live; there is nothing to remove',
  usage,
  run(args, io) {
    const { options, operands: [odd] } = parseArgs(args, commandArguments);
    if (options.help) {
      io.stdout(usage);
      return Promise.resolve(EX_OK);
    }
    if (odd !== undefined) throw usageError(`tls_prune takes no "${odd}"`);
    const seconds = settingsFrom(options).settings.tls_session_timeout;
    io.stdout(
      seconds === 0
        ? 'TLS sessions are not resumed (tls.session_timeout is 0); there is nothing to remove.\n'
        : `TLS sessions can be resumed for ${
          writeDuration(seconds)
        }; clients keep them, there is nothing to remove.\n`,
    );
    return Promise.resolve(EX_OK);
  },
};

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return tlsPruneCommand.run(args, processIo());
}
