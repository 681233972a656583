/**
 * Multi-call dispatch: `mailstore COMMAND ...`, or a link named after the command (`deliver`). A command's code
 * is loaded only when it is the one that runs, so that starting stays fast.
 */

import { basename } from 'node:path';
import { COMMANDS } from './commands.ts';
// deno-fmt-ignore
import {
  EX_CONFIG, EX_DATAERR, EX_NOPERM, EX_NOUSER, EX_OK, EX_SOFTWARE, EX_TEMPFAIL, EX_USAGE,
} from './sysexits.ts';
import { version } from '../version.ts';
import { asMailError, type MailError } from '../errors.ts';

/** sysexits(3) of a failure, for commands that let it through. */
function exitCode(error: MailError): number {
  switch (error.code) {
    case 'config':
      return EX_CONFIG;
    case 'nouser':
      return EX_NOUSER;
    case 'noperm':
    case 'authorizationfailed':
    case 'authenticationfailed':
      return EX_NOPERM;
    case 'unavailable':
      return EX_TEMPFAIL;
    case 'badsyntax':
      return EX_USAGE;
    default:
      return error.kind === 'server' ? EX_SOFTWARE : EX_DATAERR;
  }
}

/** The text of `mailstore --help`. */
export function usage(): string {
  const names = Object.keys(COMMANDS);
  const width = Math.max(...names.map((name) => name.length)) + 2;
  const rows = names.map((name) => `  ${name.padEnd(width)}${COMMANDS[name]?.summary}`);
  return [
    'Usage: mailstore COMMAND [OPTION]...',
    '       COMMAND [OPTION]...          through a link named after the command',
    '',
    'Commands:',
    ...rows,
    '',
    "'mailstore COMMAND --help' explains one command; 'mailstore --version' prints the version.",
    '',
  ].join('\n');
}

/**
 * The command meant by a call, and its arguments. `argv0` is the name the program was called by: it decides if
 * it is a command's name, otherwise the first argument does.
 */
export function findCommand(
  argv0: string,
  args: readonly string[],
): { name: string; args: readonly string[] } {
  const called = basename(argv0);
  if (Object.hasOwn(COMMANDS, called)) return { name: called, args };
  return { name: args[0] ?? '--help', args: args.slice(1) };
}

/** Runs the command and answers the exit code. Output and errors go to the standard streams. */
export async function dispatch(argv0: string, argv: readonly string[]): Promise<number> {
  const { name, args } = findCommand(argv0, argv);
  if (name === '--version' || name === '-V' || name === 'version') {
    process.stdout.write(`mailstore ${version}\n`);
    return EX_OK;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(usage());
    return argv.length === 0 ? EX_USAGE : EX_OK;
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) {
    process.stderr.write(`mailstore: there is no command '${name}'; 'mailstore --help' lists them\n`);
    return EX_USAGE;
  }
  try {
    return await (await entry.load()).run(args);
  } catch (thrown) {
    const error = asMailError(thrown);
    process.stderr.write(`mailstore ${name}: ${error.message}\n`);
    if (error.code === 'serverbug' && error.cause instanceof Error) {
      process.stderr.write(`${error.cause.stack}\n`);
    }
    return exitCode(error);
  }
}

/** Resolves when everything written to a stream is with its reader, or the reader is gone. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.on('error', () => resolve());
    stream.end(() => resolve());
  });
}

/** Runs the command of this process and ends it. */
export async function runMain(argv0: string, argv: readonly string[]): Promise<void> {
  const code = await dispatch(argv0, argv);
  // exit() would cut what a slow reader of a pipe has not taken yet.
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // Commands may leave sockets and timers behind; returning is how they say that they are done.
  process.exit(code);
}
