/** `sievec`: checks a script and writes the program it becomes, as Cyrus's compiler of this name wrote its bytecode. */

import { type Command, processIo } from './command.ts';
import { configUsage, parseArgs, usageError } from './options.ts';
import { sieveArguments } from './sieve/arguments.ts';
import { compileScript } from './sieve/compile.ts';
import { Unreadable } from './sieve/source.ts';
import { EX_OK } from './sysexits.ts';

const usage = `Usage: sievec [-C FILE] SCRIPT OUTPUT

Compiles a Sieve script: says what is wrong with it, else writes the program that it becomes to OUTPUT, as text. The server
needs no such file: it compiles scripts by itself.

${
  configUsage.replace('/etc/mailstore/mailstore.toml unless given', 'what it allows scripts to require')
}  -h, --help              this text

Exit codes: 0 done, 64 wrong command line, 65 the script has errors, 66 it cannot be read, 73 OUTPUT cannot be written.
`;

const { config, imapdConf, cyrusConf, help } = sieveArguments;

export const sievecCommand: Command = {
  name: 'sievec',
  summary: 'compile a Sieve script to a file (the name Cyrus gave it)',
  usage,
  async run(args, io) {
    const { options, operands } = parseArgs(args, { config, imapdConf, cyrusConf, help });
    if (options.help) {
      io.stdout(usage);
      return EX_OK;
    }
    if (operands.length !== 2) throw usageError('sievec needs a script and a file to write to');
    try {
      return await compileScript(operands, { ...parseArgs([], sieveArguments).options, ...options }, io);
    } catch (thrown) {
      if (!(thrown instanceof Unreadable)) throw thrown;
      io.stderr(`sievec: ${thrown.message}\n`);
      return thrown.code;
    }
  },
};

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return sievecCommand.run(args, processIo());
}
