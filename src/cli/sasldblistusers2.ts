/** `sasldblistusers2`: the users with a password in the store, in the lines of Cyrus SASL's tool. */

import { administer, processSurroundings, type Surroundings } from './administration.ts';
import { type Command, processIo } from './command.ts';
import { configArguments, configUsage, parseArgs, usageError } from './options.ts';
import { EX_OK } from './sysexits.ts';
import { printable } from './table.ts';

const usage = `Usage: sasldblistusers2 [-c FILE | -C FILE [-M FILE]]

Lists the users with a password in the store, as user@realm: userPassword; 'mailstore user list' says more.

${configUsage}  -h, --help              this text
`;

const commandArguments = {
  config: configArguments.config,
  imapdConf: configArguments.imapdConf,
  cyrusConf: configArguments.cyrusConf,
  help: configArguments.help,
} as const;

/** The command over this store. */
export function sasldblistusers2Command(surroundings: Surroundings): Command {
  return {
    name: 'sasldblistusers2',
    summary: 'list the users with a password in the store (the lines of Cyrus SASL)',
    usage,
    async run(args, io) {
      const { options, operands: [odd] } = parseArgs(args, commandArguments);
      if (options.help) {
        io.stdout(usage);
        return EX_OK;
      }
      if (odd !== undefined) throw usageError(`sasldblistusers2 takes no "${odd}"`);
      return await administer(options, io, surroundings, ({ store, settings }) => {
        const realm = settings.sasl_realm === '' ? settings.servername : settings.sasl_realm;
        for (const { userid } of store.secrets.list()) {
          io.stdout(`${printable(userid.includes('@') ? userid : `${userid}@${realm}`)}: userPassword\n`);
        }
        return Promise.resolve(EX_OK);
      });
    },
  };
}

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return sasldblistusers2Command(processSurroundings).run(args, processIo());
}
