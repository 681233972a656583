/** `masssievec`: checks every script of a Cyrus `sievedir`, where Cyrus's script of this name compiled them. */

import { MailError } from '../errors.ts';
import { compile } from '../sieve/extensions.ts';
import { bytesToOctets } from '../sieve/octets.ts';
import { type Command, processIo } from './command.ts';
import { parseArgs, usageError } from './options.ts';
import { sieveArguments } from './sieve/arguments.ts';
import { readSieveFolder } from './sieve/cyrusfolder.ts';
import { located } from './sieve/source.ts';
import { EX_DATAERR, EX_OK } from './sysexits.ts';

const usage = `Usage: masssievec FOLDER

Checks all scripts below a sievedir of Cyrus (/var/lib/imap/sieve), as "mailstore sieve import" would take them over, and says
what is wrong with them. Scripts in the store are checked when they are put there and need no compiling.

  -h, --help              this text

Exit codes: 0 all are fine, 64 wrong command line, 65 some have errors or cannot be read.
`;

export const masssievecCommand: Command = {
  name: 'masssievec',
  summary: 'check all Sieve scripts of a Cyrus server (the name Cyrus gave it)',
  usage,
  run(args, io) {
    const { options, operands: [folder, odd] } = parseArgs(args, { help: sieveArguments.help });
    if (options.help) {
      io.stdout(usage);
      return Promise.resolve(EX_OK);
    }
    if (folder === undefined || odd !== undefined) throw usageError('masssievec needs the sievedir');
    let count = 0;
    let wrong = 0;
    for (const { scripts } of readSieveFolder(folder)) {
      for (const { file, content } of scripts) {
        count++;
        if (content instanceof MailError) {
          wrong++;
          io.stderr(`${file}: ${content.message}\n`);
          continue;
        }
        const { program, diagnostics } = compile(bytesToOctets(content));
        if (program === null) wrong++;
        for (const found of diagnostics) io.stdout(located(file, found));
      }
    }
    io.stdout(`${count} scripts, ${wrong} with errors\n`);
    return Promise.resolve(wrong === 0 ? EX_OK : EX_DATAERR);
  },
};

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return masssievecCommand.run(args, processIo());
}
