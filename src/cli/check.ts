/** `mailstore check`: is everything in the store as it should be? */

import { checkStore } from '../store/check/store.ts';
import type { Finding } from '../store/check/finding.ts';
import { useridFrom } from './administration.ts';
import { type Command, processIo } from './command.ts';
import { configArguments, configUsage, parseArgs, settingsFrom } from './options.ts';
import { EX_DATAERR, EX_OK } from './sysexits.ts';
import { formatTable } from './table.ts';

const usage = `Usage: mailstore check [OPTION]... [USER]...

Compares index, redo log, spool and quota of the whole store or of some users, and changes nothing. The store may be
in use; a change that happens meanwhile can show as a difference, so look again before acting on it.

${configUsage}  -d, --deep              read every message and compare its hash
      --json              the findings for programs to read
  -h, --help              this text

Exit codes: 0 everything is in order, 64 wrong command line, 65 damage was found, 78 wrong configuration.
`;

const commandArguments = { ...configArguments, deep: { short: 'd' } } as const;

export const checkCommand: Command = {
  name: 'check',
  summary: 'compare index, log, spool and quota; report damage',
  usage,
  run(args, io) {
    const { options, operands } = parseArgs(args, commandArguments);
    if (options.help) {
      io.stdout(usage);
      return Promise.resolve(EX_OK);
    }
    const { settings } = settingsFrom(options);
    const users = operands.map((user) => useridFrom(user, settings));
    const report = checkStore(settings, { users, deep: options.deep });
    const damaged = report.findings.some((finding) => finding.severity === 'damage');
    if (options.json) io.stdout(`${JSON.stringify(report)}\n`);
    else {
      io.stdout(tableOf(report.findings));
      io.stdout(
        `${report.owners} users, ${report.messages} messages: ${damaged ? 'damage found' : 'in order'}\n`,
      );
    }
    return Promise.resolve(damaged ? EX_DATAERR : EX_OK);
  },
};

function tableOf(findings: readonly Finding[]): string {
  return formatTable(
    [{ title: 'severity' }, { title: 'user' }, { title: 'place' }, { title: 'finding' }],
    findings.map(({ severity, userid, place, text }) => [severity, userid, place, text]),
  );
}

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return checkCommand.run(args, processIo());
}
