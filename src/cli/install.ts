/** `mailstore install`: puts executable, unit, user, folders and a commented configuration in place. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { userError } from '../errors.ts';
import { compiled } from '../server/self.ts';
import { type Command, processIo } from './command.ts';
import { configured, installSteps } from './install/plan.ts';
import { runSteps } from './install/run.ts';
import { parseArgs, usageError } from './options.ts';
import { EX_OK } from './sysexits.ts';

const usage = `Usage: mailstore install [--dry-run] [--prefix DIR] [--root DIR] [--binary FILE]

Puts in place: the executable and the links named after its commands, the user, the folders, the systemd unit, and
/etc/mailstore/mailstore.toml, unless there is one already. Doing it again brings the program up to date.

  -n, --dry-run           only say what would be done
      --prefix DIR        where bin/ is; /usr/local unless given
      --root DIR          install into the file system below DIR (an image, a package)
      --binary FILE       the executable to install; the running one unless given
  -h, --help              this text
`;

const installArguments = {
  dryRun: { short: 'n' },
  prefix: { value: 'DIR' },
  root: { value: 'DIR' },
  binary: { value: 'FILE' },
  help: { short: 'h' },
} as const;

const AFTER_INSTALL =
  `now edit /etc/mailstore/mailstore.toml, add users (mailstore user add NAME) and start it:
  systemctl enable --now mailstore
`;

const AFTER_UPDATE = `a server that runs takes the new program with its next start:
  systemctl try-restart mailstore
`;

export const installCommand: Command = {
  name: 'install',
  summary: 'put executable, unit, user, folders and configuration in place',
  usage,
  run(args, io) {
    const { options, operands } = parseArgs(args, installArguments);
    if (options.help) {
      io.stdout(usage);
      return Promise.resolve(EX_OK);
    }
    if (operands.length > 0) throw usageError(`install takes no "${operands[0]}"`);
    const place = { root: resolve(options.root ?? '/'), prefix: options.prefix ?? '/usr/local' };
    if (!place.prefix.startsWith('/')) throw usageError('--prefix is an absolute path');
    const source = options.binary ?? (compiled() ? process.execPath : undefined);
    if (source === undefined) {
      throw usageError('this is a run from source; name the executable (scripts/build makes it) by --binary');
    }
    if (!existsSync(source)) throw userError('nonexistent', `there is no ${source} to install`);
    const update = configured(place);
    const count = runSteps(installSteps(place, resolve(source)), options.dryRun, io);
    if (count === 0) io.stdout('everything is in place\n');
    else if (!options.dryRun && place.root === '/') {
      io.stdout(update ? AFTER_UPDATE : AFTER_INSTALL);
    }
    return Promise.resolve(EX_OK);
  },
};

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return installCommand.run(args, processIo());
}
