/** `mailstore notifytest`: hands a notification to notifyd, as Cyrus's program of that name. */

import { userInfo } from 'node:os';
import { notifySocket } from '../config/notifysocket.ts';
import { limits } from '../limits.ts';
import { sendNotification } from '../outgoing/notify/datagram.ts';
import { type Command, processIo } from './command.ts';
import { defaultConfig, parseArgs, settingsFrom, usageError } from './options.ts';
import { EX_OK } from './sysexits.ts';

const usage = `Usage: notifytest [-f SOCKET] -t TEXT [OPTION]... [METHOD-OPTION]...

Hands a notification to notifyd. What becomes of it is in the log of the server.

  -f, --file SOCKET         where notifyd listens; as the configuration says unless given
  -t, --text TEXT           what is told
  -n, --notifier METHOD     log, mailto, external, webhook; the one notifyd takes without a name unless given
  -c, --class CLASS         MESSAGE unless given
  -p, --priority PRIORITY   normal unless given
  -u, --user USER           the user of this machine unless given
  -m, --mailbox MAILBOX     none unless given
      --config FILE         the configuration; ${defaultConfig} unless given
  -h, --help                this text

Exit codes: 0 handed over, 64 wrong command line, 65 the text is too long, 75 nobody listens there, 78 wrong configuration.
`;

const table = {
  file: { short: 'f', value: 'SOCKET' },
  text: { short: 't', value: 'TEXT' },
  notifier: { short: 'n', value: 'METHOD' },
  class: { short: 'c', value: 'CLASS' },
  priority: { short: 'p', value: 'PRIORITY' },
  user: { short: 'u', value: 'USER' },
  mailbox: { short: 'm', value: 'MAILBOX' },
  config: { value: 'FILE' },
  imapdConf: { value: 'FILE' },
  cyrusConf: { value: 'FILE' },
  help: { short: 'h' },
} as const;

export const notifytestCommand: Command = {
  name: 'notifytest',
  summary: 'hand a notification to notifyd',
  usage,
  run(args, io) {
    const { options, operands } = parseArgs(args, table);
    if (options.help) {
      io.stdout(usage);
      return Promise.resolve(EX_OK);
    }
    if (options.text === undefined) throw usageError('notifytest needs a text (-t)');
    if (operands.length > limits.notify_options.value) {
      throw usageError(`a method has at most ${limits.notify_options.value} options`);
    }
    sendNotification(options.file ?? notifySocket(settingsFrom(options).settings), {
      method: options.notifier ?? '',
      class: options.class ?? 'MESSAGE',
      priority: options.priority ?? 'normal',
      user: options.user ?? userInfo().username,
      mailbox: options.mailbox ?? '',
      options: operands,
      message: options.text,
      file: '',
    });
    return Promise.resolve(EX_OK);
  },
};

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return notifytestCommand.run(args, processIo());
}
