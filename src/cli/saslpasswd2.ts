/** `saslpasswd2`: sets or removes a password, with the options of Cyrus SASL's tool. */

import { makeSecret } from '../auth/secrets/embedded.ts';
import { retrievableSecrets } from '../config/retrievable.ts';
import { userError } from '../errors.ts';
import { administer, processSurroundings, type Surroundings, useridFrom } from './administration.ts';
import { type Command, processIo } from './command.ts';
import { configArguments, parseArgs, usageError } from './options.ts';
import { newPassword } from './password.ts';
import { EX_OK } from './sysexits.ts';
import { printable } from './table.ts';

const usage = `Usage: saslpasswd2 [-p] [-c] [-d] [-n] [-u DOMAIN] [--config FILE] USER

Sets the password a user logs in with. It is asked for twice, or taken from the first line of standard input.

  -p, --pipe          take it from standard input without asking
  -c, --create        make the user if there is none
  -d, --disable       remove the user's password; the mail stays
  -n, --no-plaintext  do not keep the password as it is, even where CRAM-MD5 or DIGEST-MD5 would need it
  -u, --domain DOMAIN the domain of the user (with virtual domains)
      --config FILE   the configuration; /etc/mailstore/mailstore.toml unless given
  -h, --help          this text

Exit codes: 0 done, 64 wrong command line, 65 the password cannot be one, 67 no such user, 75 the store cannot
be reached, 78 wrong configuration.
`;

const commandArguments = {
  config: { value: 'FILE' },
  imapdConf: { ...configArguments.imapdConf },
  cyrusConf: { ...configArguments.cyrusConf },
  pipe: { short: 'p' },
  create: { short: 'c' },
  disable: { short: 'd' },
  noPlaintext: { short: 'n' },
  domain: { short: 'u', value: 'DOMAIN' },
  help: { short: 'h' },
} as const;

/** The command over this store and this terminal. */
export function saslpasswd2Command(surroundings: Surroundings): Command {
  return {
    name: 'saslpasswd2',
    summary: 'set or remove a password (the options of Cyrus SASL)',
    usage,
    async run(args, io) {
      const { options, operands: [user, odd] } = parseArgs(args, commandArguments);
      if (options.help) {
        io.stdout(usage);
        return EX_OK;
      }
      if (user === undefined) throw usageError('saslpasswd2 needs the user');
      if (odd !== undefined) throw usageError('saslpasswd2 takes one user; a password is never an argument');
      if (options.disable && options.create) throw usageError('-c and -d exclude each other');
      const name = options.domain === undefined ? user : `${user}@${options.domain}`;
      return await administer(options, io, surroundings, async ({ store, settings, terminal }) => {
        const userid = useridFrom(name, settings);
        if (!options.create && store.secrets.get(userid) === null) {
          throw userError('nouser', `there is no user ${userid} with a password in the store; -c makes one`);
        }
        if (options.disable) {
          await store.secrets.remove(userid);
          return EX_OK;
        }
        const password = await newPassword(printable(userid), io, options.pipe ? null : terminal);
        const retrievable = !options.noPlaintext && retrievableSecrets(settings);
        await store.secrets.set(userid, await makeSecret(password, retrievable));
        return EX_OK;
      });
    },
  };
}

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return saslpasswd2Command(processSurroundings).run(args, processIo());
}
