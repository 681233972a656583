/** `sieved`: shows a compiled script, as Cyrus's tool of this name showed its bytecode. */

import { bytesToOctets, fromOctets } from '../sieve/octets.ts';
import { type Command, processIo } from './command.ts';
import { parseArgs, usageError } from './options.ts';
import { sieveArguments } from './sieve/arguments.ts';
import { compileScript } from './sieve/compile.ts';
import { isListing } from './sieve/listing.ts';
import { readInput, Unreadable } from './sieve/source.ts';
import { EX_OK } from './sysexits.ts';

const usage = `Usage: sieved FILE

Shows the program of a script: FILE is what sievec wrote, or a script.

  -h, --help              this text

Exit codes: 0 done, 64 wrong command line, 65 the script has errors, 66 FILE cannot be read.
`;

export const sievedCommand: Command = {
  name: 'sieved',
  summary: 'show a compiled Sieve script (the name Cyrus gave it)',
  usage,
  async run(args, io) {
    const { options, operands: [path, odd] } = parseArgs(args, { help: sieveArguments.help });
    if (options.help) {
      io.stdout(usage);
      return EX_OK;
    }
    if (path === undefined || odd !== undefined) throw usageError('sieved needs one file');
    try {
      const text = fromOctets(bytesToOctets(await readInput(path, io)));
      if (!isListing(text)) return await compileScript([path], parseArgs([], sieveArguments).options, io);
      io.stdout(text);
      return EX_OK;
    } catch (thrown) {
      if (!(thrown instanceof Unreadable)) throw thrown;
      io.stderr(`sieved: ${thrown.message}\n`);
      return thrown.code;
    }
  },
};

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return sievedCommand.run(args, processIo());
}
