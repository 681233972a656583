/** `mailstore installsieve`: one script on a server by ManageSieve, as with Cyrus's program of that name. */

import { basename } from 'node:path';
import { userError } from '../errors.ts';
import { type Command, processIo } from './command.ts';
import { parseArgs } from './options.ts';
import { contentOf, loginArguments } from './sieveshell/arguments.ts';
import { runWords, save } from './sieveshell/commands.ts';
import { conversation, openClient } from './sieveshell/open.ts';
import { EX_OK } from './sysexits.ts';
import { openTerminal, type Terminal } from './terminal.ts';

const usage = `Usage: installsieve [OPTION]... SERVER[:PORT]

Logs in by ManageSieve and does what the options say, in this order:

  -i, --install FILE        put the script in FILE on the server, under the name of the file
  -d, --delete NAME         delete a script
  -a, --activate NAME       make a script the one that filters
  -g, --get NAME            get a script into a file of its name, in this folder
  -v, --view NAME           show a script
  -l, --list                list the scripts

  -u, --username USER       who logs in; the user of this machine unless given
      --authname USER       who logs in, where -u is somebody else
  -w, --password PASSWORD   other users of this machine see it; without -w it is asked for, or is the first line of
                            standard input where that is no terminal
  -m, --mechanism MECH      a SASL mechanism; the strongest that both know unless given
  -r, --realm REALM         for DIGEST-MD5
  -p, --port PORT           4190 unless given
  -t, --require-tls         end where the server offers no TLS; it is always used where it does
      --ca FILE             authorities the server's certificate must come from; end if it is not good
  -h, --help                this text

Exit codes: 0 done, 64 wrong command line, 65 something failed, 75 no connection, 77 the login failed.
`;

const table = {
  ...loginArguments,
  password: { short: 'w', value: 'PASSWORD' },
  port: { short: 'p', value: 'PORT' },
  install: { short: 'i', value: 'FILE' },
  delete: { short: 'd', value: 'NAME' },
  activate: { short: 'a', value: 'NAME' },
  get: { short: 'g', value: 'NAME' },
  view: { short: 'v', value: 'NAME' },
  list: { short: 'l' },
  help: { short: 'h' },
} as const;

/** The command; `terminal` is whom it asks. */
export function installsieveCommand(terminal: () => Terminal | null): Command {
  return {
    name: 'installsieve',
    summary: "put a user's Sieve script on a server",
    usage,
    async run(args, io) {
      const { options, operands } = parseArgs(args, table);
      if (options.help) {
        io.stdout(usage);
        return EX_OK;
      }
      // What a server calls its script is no place on this machine.
      if (options.get !== undefined && basename(options.get) !== options.get) {
        throw userError(
          'cannot',
          'a name with / in it is no file of this folder; sieveshell gets it: get NAME FILE',
        );
      }
      const script = options.install === undefined ? null : contentOf(options.install);
      const client = await openClient(
        'installsieve',
        operands,
        options,
        conversation(io, terminal()),
        options.port,
      );
      try {
        if (script !== null) await runWords(['put', options.install ?? ''], client, io);
        if (options.delete !== undefined) await client.delete(options.delete);
        if (options.activate !== undefined) await client.activate(options.activate);
        if (options.get !== undefined) save(options.get, await client.get(options.get));
        if (options.view !== undefined) io.stdout(await client.get(options.view));
        if (options.list) await runWords(['list'], client, io);
        await client.logout();
      } finally {
        client.close();
      }
      return EX_OK;
    },
  };
}

/** Runs the command with the streams and the terminal of this process. */
export function run(args: readonly string[]): Promise<number> {
  return installsieveCommand(openTerminal).run(args, processIo());
}
