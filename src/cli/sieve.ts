/** `mailstore sieve`: what an administrator does with users' scripts. */

import { processSurroundings, type Surroundings } from './administration.ts';
import { type Command, processIo } from './command.ts';
import { usageError } from './options.ts';
import { importCommand } from './sieve/import.ts';
import { EX_OK } from './sysexits.ts';

const usage = `Usage: mailstore sieve import [OPTION]... FOLDER

  import     take over the scripts of a Cyrus server

"mailstore sieve import --help" explains its options.
`;

/** The command over this store. */
export function sieveCommand(surroundings: Surroundings): Command {
  const actions: Readonly<Record<string, Command>> = { import: importCommand(surroundings) };
  return {
    name: 'sieve',
    summary: 'take over the Sieve scripts of a Cyrus server',
    usage,
    async run([name, ...args], io) {
      if (name === '-h' || name === '--help') {
        io.stdout(usage);
        return EX_OK;
      }
      const action = name !== undefined && Object.hasOwn(actions, name) ? actions[name] : undefined;
      if (action === undefined) {
        throw usageError(
          `sieve needs what to do: ${Object.keys(actions).join(', ')}${
            name === undefined ? '' : `; not "${name}"`
          }`,
        );
      }
      return await action.run(args, io);
    },
  };
}

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return sieveCommand(processSurroundings).run(args, processIo());
}
