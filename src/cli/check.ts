/** `mailstore check`: is everything in the store as it should be? */

import { checkStore } from '../store/check/store.ts';
import type { Settings } from '../config/settings.ts';
import { readScrub } from '../store/janitor/scrub.ts';
import type { Finding } from '../store/check/finding.ts';
import { useridFrom } from './administration.ts';
import { type Command, type CommandIo, processIo } from './command.ts';
import { configArguments, configUsage, parseArgs, settingsFrom } from './options.ts';
import { EX_DATAERR, EX_OK } from './sysexits.ts';
import { formatTable } from './table.ts';

const usage = `Usage: mailstore check [OPTION]... [USER]...

Compares index, redo log, spool and quota of the whole store or of some users, and changes nothing. The store may be
in use; a change that happens meanwhile can show as a difference, so look again before acting on it.

${configUsage}  -d, --deep              read every message and compare its hash
      --last              what the server found when it last read everything by itself (store.scrub_interval)
      --json              the findings for programs to read
  -h, --help              this text

Exit codes: 0 everything is in order, 64 wrong command line, 65 damage was found, 78 wrong configuration.
`;

const commandArguments = { ...configArguments, deep: { short: 'd' }, last: {} } as const;

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
    if (options.last) return Promise.resolve(showLast(settings, options.json, io));
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

/** The report of the server's own reading. */
function showLast(settings: Settings, json: boolean, io: CommandIo): number {
  const report = readScrub(settings);
  if (report === null) {
    io.stdout('the server has not read everything yet\n');
    return EX_OK;
  }
  const damaged = report.findings.some((finding) => finding.severity === 'damage');
  if (json) io.stdout(`${JSON.stringify(report)}\n`);
  else {
    const time = (seconds: number) => new Date(seconds * 1000).toISOString();
    io.stdout(tableOf(report.findings));
    io.stdout(
      `${report.users} users, begun ${time(report.started)}, ` +
        `${report.finished === 0 ? 'not finished' : `finished ${time(report.finished)}`}: ` +
        `${damaged ? 'damage found' : 'in order'}\n`,
    );
  }
  return damaged ? EX_DATAERR : EX_OK;
}

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
