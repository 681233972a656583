/** `translatesieve`: mailbox names in scripts, for a server whose users write them with slashes (unixhierarchysep, altnamespace). */

import { writeFileSync } from 'node:fs';
import { bytesToOctets, octetBytes } from '../sieve/octets.ts';
import { type Command, processIo } from './command.ts';
import { parseArgs, usageError } from './options.ts';
import { sieveArguments } from './sieve/arguments.ts';
import { readInput, Unreadable } from './sieve/source.ts';
import { translate, withSlashes } from './sieve/translate.ts';
import { EX_DATAERR, EX_OK } from './sysexits.ts';

const usage = `Usage: translatesieve [-f] SCRIPT...

Changes the names of mailboxes in Sieve scripts from INBOX.work.old to work/old, as users write them after unixhierarchysep and
altnamespace were turned on. The changed script is printed; with -f it is written in the place of the old one. All else in it
stays as it is.

  -f, --force             write the scripts instead of printing them
  -h, --help              this text

Exit codes: 0 done, 64 wrong command line, 65 a script has errors, 66 it cannot be read.
`;

export const translatesieveCommand: Command = {
  name: 'translatesieve',
  summary: 'write mailbox names in Sieve scripts with slashes (the name Cyrus gave it)',
  usage,
  async run(args, io) {
    const { options, operands } = parseArgs(args, { force: { short: 'f' }, help: sieveArguments.help });
    if (options.help) {
      io.stdout(usage);
      return EX_OK;
    }
    if (operands.length === 0) throw usageError('translatesieve needs a script');
    let code = EX_OK;
    for (const path of operands) {
      try {
        const translated = translate(bytesToOctets(await readInput(path, io)), withSlashes);
        if (translated === null) {
          io.stderr(`${path}: it has errors; "mailstore sieve check ${path}" names them\n`);
          code = EX_DATAERR;
        } else if (!options.force || path === '-') {
          io.stdout(octetBytes(translated.text));
        } else {
          if (translated.changed > 0) writeFileSync(path, octetBytes(translated.text));
          io.stdout(`${path}: ${translated.changed} names changed\n`);
        }
      } catch (thrown) {
        if (!(thrown instanceof Unreadable)) throw thrown;
        io.stderr(`translatesieve: ${thrown.message}\n`);
        code = thrown.code;
      }
    }
    return code;
  },
};

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return translatesieveCommand.run(args, processIo());
}
