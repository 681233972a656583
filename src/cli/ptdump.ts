/** `mailstore ptdump`: the groups users are in, by the sources the configuration names (Cyrus: ptdump). */

import { Checkers } from '../auth/checker/pool.ts';
import { configuredGroups } from '../auth/groups/configured.ts';
import { configuredAccount, dropPrivileges } from '../server/privilege.ts';
import { selfCommand } from '../server/self.ts';
import { createLog } from '../telemetry/log.ts';
import { useridFrom } from './administration.ts';
import { type Command, processIo } from './command.ts';
import { configArguments, configUsage, parseArgs, settingsFrom, usageError } from './options.ts';
import { EX_OK, EX_TEMPFAIL } from './sysexits.ts';
import { printable } from './table.ts';

const usage = `Usage: mailstore ptdump [-c FILE | -C FILE [-M FILE]] USER...

Prints the groups of users, for the identifiers group:NAME of ACLs, as a login now would find them. The running
server keeps what it found in memory for auth.ptscache_timeout; a reload (SIGHUP) has it asked for anew.

${configUsage}  -h, --help              this text

Exit codes: 0 done, 64 wrong command line, 75 a source of groups does not answer, 78 wrong configuration.
`;

const commandArguments = {
  config: configArguments.config,
  imapdConf: configArguments.imapdConf,
  cyrusConf: configArguments.cyrusConf,
  help: configArguments.help,
} as const;

export const ptdumpCommand: Command = {
  name: 'ptdump',
  summary: 'print the groups users are in, for ACLs',
  usage,
  async run(args, io) {
    const { options, operands: users } = parseArgs(args, commandArguments);
    if (options.help) {
      io.stdout(usage);
      return EX_OK;
    }
    if (users.length === 0) throw usageError('ptdump needs users');
    const { settings } = settingsFrom(options);
    const account = process.getuid?.() === 0 ? configuredAccount(settings) : undefined;
    if (account !== undefined) dropPrivileges(account, () => true);
    const checkers = new Checkers([...selfCommand(), '--role=checker']);
    let code = EX_OK;
    try {
      const groups = configuredGroups(settings, checkers, createLog({ level: 'warn', journal: false }));
      for (const user of users) {
        const userid = useridFrom(user, settings);
        const identity = await groups.identify({ userid, admin: false, groups: [] });
        if (identity.groupsUnknown === true) code = EX_TEMPFAIL;
        else {
          io.stdout(`user: ${printable(userid)} groups: ${identity.groups.length}\n`);
          for (const name of identity.groups) io.stdout(`  group:${printable(name)}\n`);
        }
      }
    } finally {
      checkers.close();
    }
    return code;
  },
};

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return ptdumpCommand.run(args, processIo());
}
