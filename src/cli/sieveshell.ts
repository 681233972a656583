/** `mailstore sieveshell`: a user's scripts on a server by ManageSieve, as with Cyrus's program of that name. */

import { existsSync } from 'node:fs';
import { asMailError } from '../errors.ts';
import { type Command, type CommandIo, processIo } from './command.ts';
import { parseArgs, usageError } from './options.ts';
import { contentOf, loginArguments } from './sieveshell/arguments.ts';
import type { SieveClient } from './sieveshell/client.ts';
import { isQuit, readWords, runWords } from './sieveshell/commands.ts';
import { type Conversation, conversation, openClient } from './sieveshell/open.ts';
import { EX_DATAERR, EX_OK } from './sysexits.ts';
import { printable } from './table.ts';
import { openTerminal, type Terminal } from './terminal.ts';

const usage = `Usage: sieveshell [OPTION]... SERVER[:PORT]

Logs in by ManageSieve, on port 4190 unless another is given, and does what it is told: list, put, get, check, activate,
deactivate, delete, rename, help, quit. Names with blanks stand in "quotes".

  -a, --authname USER       who logs in; the user of -u, or of this machine, unless given
  -u, --username USER       whose scripts; an administrator can name others than himself
  -p, --password PASSWORD   other users of this machine see it; without -p it is asked for, or is the first line of
                            standard input where that is no terminal
  -r, --realm REALM         for DIGEST-MD5
  -m, --mechanism MECH      a SASL mechanism; the strongest that both know unless given
  -e, --exec COMMANDS       do what COMMANDS says, one command a line, and end; or the file of that name
  -f, --execfile FILE       do what stands in FILE, and end
  -t, --require-tls         end where the server offers no TLS; it is always used where it does
      --ca FILE             authorities the server's certificate must come from; end if it is not good. Without it the
                            system's are asked, and what is wrong is only said
  -h, --help                this text

Exit codes: 0 done, 64 wrong command line, 65 a command failed, 75 no connection, 77 the login failed.
`;

const table = {
  ...loginArguments,
  authname: { short: 'a', value: 'USER' },
  password: { short: 'p', value: 'PASSWORD' },
  exec: { short: 'e', value: 'COMMANDS' },
  execfile: { short: 'f', value: 'FILE' },
  help: { short: 'h' },
} as const;

/** The command; `terminal` is whom it asks. */
export function sieveshellCommand(terminal: () => Terminal | null): Command {
  return {
    name: 'sieveshell',
    summary: "manage a user's Sieve scripts on a server",
    usage,
    async run(args, io) {
      const { options, operands } = parseArgs(args, table);
      if (options.help) {
        io.stdout(usage);
        return EX_OK;
      }
      const script = scriptFrom(options.exec, options.execfile);
      const talk = conversation(io, terminal());
      const client = await openClient('sieveshell', operands, options, talk);
      try {
        const lines = script !== undefined ? listed(script) : linesOf(talk);
        return await work(client, lines, io);
      } finally {
        client.close();
      }
    },
  };
}

/** What -e and -f say is to be done; undefined where neither is given. */
function scriptFrom(exec: string | undefined, file: string | undefined): string | undefined {
  if (exec !== undefined && file !== undefined) throw usageError('-e and -f: one of them');
  // Cyrus 2.3 has a file behind -e, Cyrus 3 the commands themselves.
  if (exec !== undefined && !exec.includes('\n') && existsSync(exec)) return contentOf(exec).toString('utf8');
  return file === undefined ? exec : contentOf(file).toString('utf8');
}

async function work(client: SieveClient, lines: AsyncIterable<string>, io: CommandIo): Promise<number> {
  let code = EX_OK;
  for await (const line of lines) {
    const words = readWords(line);
    if (words.length === 0 || words[0]?.startsWith('#') === true) continue;
    if (isQuit(words)) break;
    try {
      await runWords(words, client, io);
    } catch (thrown) {
      const error = asMailError(thrown);
      if (error.kind === 'server') throw error;
      code = EX_DATAERR;
      for (const text of error.message.split(/\r?\n/)) {
        io.stderr(`${printable(words[0] ?? '')}: ${printable(text)}\n`);
      }
    }
  }
  await client.logout();
  return code;
}

async function* listed(script: string): AsyncGenerator<string> {
  yield* script.split('\n');
}

/** Lines as they are typed or come in. */
async function* linesOf({ input, person, io }: Conversation): AsyncGenerator<string> {
  let rest = '';
  if (person !== null) io.stdout('> ');
  const decoder = new TextDecoder();
  for await (const chunk of input.rest()) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      yield line;
      if (person !== null) io.stdout('> ');
    }
  }
  if (rest !== '') yield rest;
}

/** Runs the command with the streams and the terminal of this process. */
export function run(args: readonly string[]): Promise<number> {
  return sieveshellCommand(openTerminal).run(args, processIo());
}
