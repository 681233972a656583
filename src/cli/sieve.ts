/** `mailstore sieve`: scripts checked, shown as programs, run over a message, tested by other scripts, taken over from Cyrus. */

import { processSurroundings, type Surroundings } from './administration.ts';
import { type Command, processIo } from './command.ts';
import { configUsage, parseArgs, usageError } from './options.ts';
import { type SieveAction, sieveArguments, type SieveOptions } from './sieve/arguments.ts';
import { check } from './sieve/check.ts';
import { compileScript } from './sieve/compile.ts';
import { importCommand } from './sieve/import.ts';
import { runScript } from './sieve/run.ts';
import { Unreadable } from './sieve/source.ts';
import { test } from './sieve/test.ts';
import { EX_OK } from './sysexits.ts';

const usage = `Usage: mailstore sieve check [--json] SCRIPT...
       mailstore sieve compile SCRIPT [FILE]
       mailstore sieve run [-q] [-m MESSAGE] [-f SENDER] [-r RECIPIENT] [-o FILE] [--json] SCRIPT
       mailstore sieve test [-E] [-F] [-t FILE] [-W FOLDER] TEST...
       mailstore sieve import [OPTION]... FOLDER

A SCRIPT is a file in the Sieve language (RFC 5228); - is standard input.

  check      prints errors and warnings as FILE:LINE:COLUMN: error: TEXT
  compile    prints the program that a script becomes, or writes it to FILE
  run        shows what the script would do with a message, and why: a line per decision with its place in the script,
             then its actions behind "=>". Nothing is done; every mailbox counts as there
  test       runs test files (vnd.dovecot.testsuite, *.svtest): scripts that run others and look at what they did
  import     takes over the scripts of a Cyrus server; "mailstore sieve import --help" explains its options

  -m, --message FILE      run: the message; standard input unless given
  -f, --from ADDRESS      run: the sender of the envelope; unless given that of Return-Path or From
  -r, --to ADDRESS        run: the recipient of the envelope; unless given that of Delivered-To or To
  -o, --output FILE       run: write the message there as the script left it; compile: the program
  -q, --quiet             run: the actions alone
  -E, --errors            test: show the log as it comes
  -F, --expect-failure    test: every test must fail
  -t, --trace FILE        test: write every decision there
  -W, --work-folder FOLDER  test: the home of programs that scripts run; the folder of TEST unless given
${
  configUsage.replace('/etc/mailstore/mailstore.toml unless given', 'what it allows scripts to require')
}      --json              check, run: for programs to read
  -h, --help              this text

Exit codes: 0 fine, 1 a test failed, 64 wrong command line, 65 the script has errors or failed, 66 a file cannot be read,
73 a file cannot be written, 78 wrong configuration.
`;

const actions: Readonly<
  Record<string, { readonly action: SieveAction; readonly takes: readonly (keyof SieveOptions)[] }>
> = {
  check: { action: check, takes: ['json'] },
  compile: { action: compileScript, takes: ['output'] },
  run: { action: runScript, takes: ['json', 'message', 'from', 'to', 'output', 'quiet'] },
  test: { action: test, takes: ['errors', 'expectFailure', 'trace', 'workFolder'] },
};

/** Options that belong to some actions only. */
const ownOptions: readonly (readonly [keyof SieveOptions, string])[] = [
  ['json', '--json'],
  ['output', '--output'],
  ['message', '--message'],
  ['from', '--from'],
  ['to', '--to'],
  ['quiet', '--quiet'],
  ['errors', '--errors'],
  ['expectFailure', '--expect-failure'],
  ['trace', '--trace'],
  ['workFolder', '--work-folder'],
];

/** The command over this store. */
export function sieveCommand(surroundings: Surroundings): Command {
  return {
    name: 'sieve',
    summary: 'check, run and test Sieve scripts; take over those of a Cyrus server',
    usage,
    async run(args, io) {
      // It works on the store and has options of its own.
      if (args[0] === 'import') return await importCommand(surroundings).run(args.slice(1), io);
      const { options, operands: [name, ...operands] } = parseArgs(args, sieveArguments);
      if (options.help) {
        io.stdout(usage);
        return EX_OK;
      }
      const row = name !== undefined && Object.hasOwn(actions, name) ? actions[name] : undefined;
      if (row === undefined) {
        const given = name === undefined ? '' : `; not "${name}"`;
        throw usageError(`sieve needs one of ${Object.keys(actions).join(', ')}, import${given}`);
      }
      for (const [option, flag] of ownOptions) {
        const given = options[option] !== undefined && options[option] !== false;
        if (given && !row.takes.includes(option)) throw usageError(`${flag} is not for sieve ${name}`);
      }
      try {
        return await row.action(operands, options, io);
      } catch (thrown) {
        if (!(thrown instanceof Unreadable)) throw thrown;
        io.stderr(`mailstore sieve: ${thrown.message}\n`);
        return thrown.code;
      }
    },
  };
}

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return sieveCommand(processSurroundings).run(args, processIo());
}
