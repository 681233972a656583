/** `mailstore config`: checks a configuration, shows it, translates Cyrus's, explains the options. */

import { writeFileSync } from 'node:fs';
import { ConfigError, formatFinding } from '../config/finding.ts';
import { formatReport, type LineReport, type Outcome } from '../config/imapdconf/translate.ts';
import { importedToml } from '../config/import.ts';
import { translateCyrus } from '../config/load.ts';
import { referenceEntries, writeReference, writeSample } from '../config/reference.ts';
import { writeToml } from '../config/toml/write.ts';
import type { Settings } from '../config/settings.ts';
import { asMailError, serverError } from '../errors.ts';
import { checkTlsMaterial } from '../net/tlscheck.ts';
import { readTlsMaterial } from '../net/tlsfiles.ts';
import { Checkers } from '../auth/checker/pool.ts';
import { configuredAccount, dropPrivileges } from '../server/privilege.ts';
import { checkForWorkers } from '../server/start.ts';
import { selfCommand } from '../server/self.ts';
import { useridFrom } from './administration.ts';
import { certificateFindings, type LiveCertificate, liveCertificates } from './certificates.ts';
import { type Command, type CommandIo, processIo } from './command.ts';
import { listFindings } from './config/lists.ts';
import { checkLive } from './config/live.ts';
import { describeLogins } from './logins.ts';
import { configArguments, configUsage, parseArgs, settingsFrom, usageError } from './options.ts';
import { EX_CONFIG, EX_OK, EX_UNAVAILABLE } from './sysexits.ts';

const usage = `Usage: mailstore config check [-c FILE | -C FILE [-M FILE]] [--live [--user NAME]] [--json]
       mailstore config show [-c FILE | -C FILE [-M FILE]] [--json]
       mailstore config import [-o FILE] [--json] IMAPD_CONF [CYRUS_CONF]
       mailstore config reference [--json | --sample]

  check      says whether the configuration is right, and how one can log in then; names file, line and key of what
             is not right, and certificates that end soon, do not fit or lack something. With --live also asks the
             directories, daemons, files and providers it names, and says what they offer and what is wrong, and the
             running server which certificates it shows; --user NAME tries the way of that user through them
  show       prints every setting in force as TOML
  import     writes TOML from the configuration of Cyrus, and says on standard error what became of each line
  reference  explains every option; --sample prints a commented configuration

${configUsage}  -o, --output FILE       where import writes to; standard output unless given. FILE must not be there yet
  --json                  for programs to read; import prints its report that way
  --help                  this text

Exit codes: 0 right, 64 wrong command line, 69 a source or the server does not answer as it should, 78 wrong configuration.
`;

const commandArguments = {
  ...configArguments,
  output: { short: 'o', value: 'FILE' },
  sample: {},
  live: {},
  user: { value: 'NAME' },
} as const;

type Options = ReturnType<typeof parseArgs<typeof commandArguments>>['options'];

export const configCommand: Command = {
  name: 'config',
  summary: 'check, show or translate the configuration; explain its options',
  usage,
  async run(args, io) {
    const { options, operands: [action, ...operands] } = parseArgs(args, commandArguments);
    if (options.help) {
      io.stdout(usage);
      return EX_OK;
    }
    if (options.output !== undefined && action !== 'import') throw usageError('-o is for config import');
    if (options.sample && action !== 'reference') throw usageError('--sample is for config reference');
    if (options.live && (action !== 'check' || options.json)) {
      throw usageError('--live is for config check, without --json');
    }
    if (options.user !== undefined && !options.live) throw usageError('--user is for config check --live');
    if (action === 'import') return importCyrus(operands, options, io);
    if (operands.length > 0) throw usageError(`config ${action} takes no "${operands[0]}"`);
    if (action === 'check') {
      const code = await check(options, io);
      return options.live && code === EX_OK ? await live(options, io) : code;
    }
    if (action === 'show') return show(options, io);
    if (action === 'reference') return reference(options, io);
    const given = action === undefined ? 'it is missing' : `not "${action}"`;
    throw usageError(`config needs one of check, show, import, reference; ${given}`);
  },
};

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return configCommand.run(args, processIo());
}

async function check(options: Options, io: CommandIo): Promise<number> {
  try {
    const loaded = settingsFrom(options);
    const { settings } = loaded;
    await checkForWorkers(settings);
    const certificates = certificateFindings(settings);
    const problems = [...certificates.problems, ...listFindings(settings)];
    if (problems.length > 0) throw new ConfigError(problems);
    const warnings = [...loaded.warnings, ...certificates.warnings];
    if (options.json) io.stdout(`${JSON.stringify({ ok: true, problems: [], warnings })}\n`);
    else {
      for (const warning of warnings) io.stderr(`${formatFinding(warning)}\n`);
      const count = warnings.length === 0
        ? ''
        : `, ${warnings.length} warning${warnings.length === 1 ? '' : 's'}`;
      io.stdout(`The configuration is right${count}.\n`);
      tellLogins(settings, io);
    }
    return EX_OK;
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) {
      const { code, message } = asMailError(thrown);
      if (code !== 'config' || !options.json) throw thrown;
      io.stdout(`${JSON.stringify({ ok: false, problems: [{ text: message }], warnings: [] })}\n`);
      return EX_CONFIG;
    }
    if (options.json) {
      io.stdout(`${JSON.stringify({ ok: false, problems: thrown.findings, warnings: [] })}\n`);
    } else io.stderr(`${thrown.message}\n`);
    return EX_CONFIG;
  }
}

/** Asks what the configuration names, as the user of the server. */
async function live(options: Options, io: CommandIo): Promise<number> {
  const { settings } = settingsFrom(options);
  const material = readTlsMaterial(settings);
  checkTlsMaterial(material);
  const account = process.getuid?.() === 0 ? configuredAccount(settings) : undefined;
  if (account !== undefined) dropPrivileges(account, () => true);
  const checkers = new Checkers([...selfCommand(), '--role=checker']);
  let wrong = 0;
  try {
    const user = options.user === undefined ? undefined : useridFrom(options.user, settings);
    const tell = ({ source, ok, text }: LiveCertificate) => {
      if (!ok) wrong++;
      if (ok) io.stdout(`${source}: ${text}\n`);
      else io.stderr(`${source}: ${text}\n`);
    };
    for await (const found of checkLive(settings, { user, checkers })) tell(found);
    for await (const found of liveCertificates(settings, material)) tell(found);
  } finally {
    checkers.close();
  }
  return wrong === 0 ? EX_OK : EX_UNAVAILABLE;
}

/** A file that only the server may read keeps nobody from checking the rest. */
function tellLogins(settings: Settings, io: CommandIo): void {
  try {
    io.stdout(describeLogins(settings));
  } catch (thrown) {
    io.stderr(`${asMailError(thrown).message}\n`);
  }
}

function show(options: Options, io: CommandIo): number {
  const { settings } = settingsFrom(options);
  const { services, events, ...values } = settings;
  io.stdout(options.json ? `${JSON.stringify(settings, null, 2)}\n` : writeToml(values, services, events));
  return EX_OK;
}

function reference(options: Options, io: CommandIo): number {
  if (options.json && options.sample) throw usageError('--json and --sample: one of them');
  if (options.json) io.stdout(`${JSON.stringify(referenceEntries(), null, 2)}\n`);
  else io.stdout(options.sample ? writeSample() : writeReference());
  return EX_OK;
}

function importCyrus(operands: readonly string[], options: Options, io: CommandIo): number {
  const [imapdConf, cyrusConf, ...rest] = operands;
  if (imapdConf === undefined) throw usageError('config import needs the imapd.conf');
  if (rest.length > 0) throw usageError('config import takes an imapd.conf and a cyrus.conf, no more');
  if (options.config ?? options.imapdConf ?? options.cyrusConf) {
    throw usageError('config import takes its files without -c, -C or -M');
  }
  const translated = translateCyrus(imapdConf, cyrusConf);
  const toml = importedToml(translated, cyrusConf === undefined ? [imapdConf] : [imapdConf, cyrusConf]);
  if (options.output === undefined) io.stdout(toml);
  else writeNew(options.output, toml);
  if (options.json) io.stderr(`${JSON.stringify(translated.report, null, 2)}\n`);
  else {
    for (const line of translated.report) io.stderr(`${formatReport(line)}\n`);
    for (const finding of translated.exposed) io.stderr(`${formatFinding(finding)}\n`);
    io.stderr(`${summary(translated.report)}\n`);
  }
  return EX_OK;
}

/** Writes a file that is not there yet; an old configuration is never written over. */
function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o640 });
  } catch (thrown) {
    const there = thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST';
    const reason = there ? 'it is there already' : thrown instanceof Error ? thrown.message : String(thrown);
    throw serverError(`${file} cannot be written: ${reason}`, thrown, 'cannot');
  }
}

function summary(report: readonly LineReport[]): string {
  const counts: readonly (readonly [Outcome, string])[] = [
    ['translated', 'translated'],
    ['unneeded', 'not needed'],
    ['later', 'not taken over'],
    ['refused', 'not taken over that decide who may log in'],
    ['unknown', 'unknown'],
    ['wrong', 'wrong'],
  ];
  const parts = counts.flatMap(([outcome, words]) => {
    const count = report.filter((line) => line.outcome === outcome).length;
    return count === 0 ? [] : [`${count} ${words}`];
  });
  return `Lines: ${parts.join(', ')}.`;
}
