/** imapd.conf: turns its lines into values of options and says, line by line, what became of each. */

import { type Finding, formatFinding } from '../finding.ts';
import { nearest } from '../nearest.ts';
import type { ImapdName, Option } from '../option.ts';
import { type OptionName, optionRows, type OptionValues } from '../options.ts';
import { authOptions } from '../options/auth.ts';
import { type ServiceDraft, serviceTlsKeys } from '../services.ts';
import { defaultValues } from '../settings.ts';
import { absentKeys, explainAbsent, isSecret } from './absent.ts';
import type { ConfLine, ConfReading } from './parse.ts';

/**
 * What became of a line. `wrong`: a value that does not fit; like `refused`, the server does not start with it.
 */
export type Outcome = 'translated' | 'unneeded' | 'later' | 'refused' | 'unknown' | 'wrong';

export interface LineReport extends Finding {
  readonly outcome: Outcome;
  /** The value as the file gives it; passwords are masked. */
  readonly value: string;
}

/** What a service says of TLS for itself, from `<service>_tls_...` lines. */
export type ServiceFiles = Pick<ServiceDraft, (typeof serviceTlsKeys)[number]>;

export interface ImapdTranslation {
  readonly values: OptionValues;
  /** The options that were given, with the line. */
  readonly given: ReadonlyMap<OptionName, ConfLine>;
  readonly serviceFiles: ReadonlyMap<string, ServiceFiles>;
  readonly report: readonly LineReport[];
}

const spellings = new Map<string, readonly [OptionName, Option<unknown>, ImapdName<unknown>]>();
for (const [name, row] of optionRows) {
  // Options Cyrus does not have can stand in imapd.conf under their own name.
  for (const spelling of row.imapd.length > 0 ? row.imapd : [{ key: name }]) {
    spellings.set(spelling.key, [name, row, spelling]);
  }
}

/** The names of all keys that mean something in imapd.conf. */
export function knownKeys(): readonly string[] {
  return [...spellings.keys(), ...absentKeys()];
}

/** The names of SERVICES: those that will listen, and those that are not there yet. */
export interface ServiceNames {
  readonly there: readonly string[];
  readonly later: readonly string[];
}

/** Translates the lines; the names of services are for lines such as `imap_tls_server_cert`. */
export function translateImapdConf(reading: ConfReading, services: ServiceNames): ImapdTranslation {
  return new Translation(services).run(reading);
}

class Translation {
  readonly #services: ServiceNames;
  readonly #values = defaultValues('imapd.conf');
  readonly #given = new Map<OptionName, ConfLine>();
  readonly #serviceFiles = new Map<string, ServiceFiles>();
  readonly #partitions: Record<string, string> = {};
  readonly #seen = new Map<string, ConfLine>();
  readonly #report: LineReport[] = [];

  constructor(services: ServiceNames) {
    this.#services = services;
  }

  run(reading: ConfReading): ImapdTranslation {
    for (const problem of reading.problems) this.#report.push({ ...problem, outcome: 'wrong', value: '' });
    for (const line of reading.lines) this.#line(line);
    if (Object.keys(this.#partitions).length > 0) this.#values.partition = this.#partitions;
    // Messages stand in the order of the lines, syntax errors among them.
    const order = new Map(reading.sources.map((source, index) => [source.file, index]));
    this.#report.sort((a, b) => (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) || a.line - b.line);
    return {
      values: this.#values,
      given: this.#given,
      serviceFiles: this.#serviceFiles,
      report: this.#report,
    };
  }

  #say(line: ConfLine, outcome: Outcome, text: string): void {
    const value = isSecret(line.key) ? '********' : line.value;
    this.#report.push({ file: line.file, line: line.line, key: line.key, value, outcome, text });
  }

  #line(line: ConfLine): void {
    const before = this.#seen.get(line.key);
    if (before !== undefined) {
      const where = before.file === line.file ? '' : ` of ${before.file}`;
      this.#say(line, 'wrong', `was given before, in line ${before.line}${where}; keep one of them`);
      return;
    }
    this.#seen.set(line.key, line);
    const spelling = spellings.get(line.key);
    if (spelling !== undefined) this.#option(line, ...spelling);
    else if (line.key.startsWith('partition-')) this.#partition(line);
    else if (!this.#ofService(line)) this.#absent(line);
  }

  #option(line: ConfLine, name: OptionName, row: Option<unknown>, spelling: ImapdName<unknown>): void {
    const other = this.#given.get(name);
    if (other !== undefined) {
      this.#say(
        line,
        'wrong',
        `is another name of ${other.key}, given in line ${other.line}; keep one of them`,
      );
      return;
    }
    const parsed = spelling.read?.(line.value) ?? row.kind.fromText(line.value, spelling.unit);
    if (!parsed.ok) {
      this.#say(line, row.authentication ? 'refused' : 'wrong', parsed.problem);
      return;
    }
    const value = spelling.convert === undefined ? parsed.value : spelling.convert(parsed.value);
    const problem = row.check?.(value);
    this.#given.set(name, line);
    if (problem !== undefined) {
      this.#say(line, row.authentication ? 'refused' : 'wrong', problem);
      // What is there of a list is taken over by `config import`; the server refuses the whole line.
      const there = row.available?.(value);
      if (there !== undefined) Object.assign(this.#values, { [name]: there });
      return;
    }
    Object.assign(this.#values, { [name]: value });
    // A report is shown to others more readily than the files are.
    const shown = isSecret(line.key) ? '********' : row.kind.toToml(value);
    this.#say(line, 'translated', `${row.toml} = ${shown}`);
  }

  #partition(line: ConfLine): void {
    const name = line.key.slice('partition-'.length);
    const [, row] = optionRows.find(([option]) => option === 'partition') ?? [];
    const parsed = row?.kind.fromToml({ [name]: line.value });
    if (parsed === undefined || !parsed.ok) {
      this.#say(line, 'wrong', parsed === undefined ? 'no partitions' : parsed.problem);
      return;
    }
    const paths = parsed.value as Readonly<Record<string, string>>;
    Object.assign(this.#partitions, paths);
    this.#given.set('partition', line);
    this.#say(line, 'translated', `store.partition.${name} = ${JSON.stringify(paths[name])}`);
  }

  /** `<service>_<option>`: true when the key is one of those. */
  #ofService(line: ConfLine): boolean {
    for (const service of [...this.#services.there, ...this.#services.later]) {
      if (!line.key.startsWith(`${service.toLowerCase()}_`)) continue;
      const own = line.key.slice(service.length + 1);
      const spelling = spellings.get(own);
      if (spelling === undefined) continue;
      const [name, row, imapdName] = spelling;
      if (!this.#services.there.includes(service)) {
        this.#say(line, 'later', `the service ${service} is not there yet`);
        return true;
      }
      if (isTlsKey(name)) {
        const parsed = imapdName.read?.(line.value) ?? row.kind.fromText(line.value);
        if (!parsed.ok) this.#say(line, 'wrong', parsed.problem);
        else {
          this.#serviceFiles.set(service, { ...this.#serviceFiles.get(service), [name]: parsed.value });
          this.#say(line, 'translated', `services.${service}.${name} = ${row.kind.toToml(parsed.value)}`);
        }
      } else {
        const decides = Object.hasOwn(authOptions, name);
        this.#say(
          line,
          decides ? 'refused' : 'later',
          `${own} cannot be set for one service alone yet; only keys of TLS can`,
        );
      }
      return true;
    }
    return false;
  }

  #absent(line: ConfLine): void {
    const absent = explainAbsent(line.key, line.value);
    if (absent !== undefined) {
      this.#say(line, absent.outcome, absent.text);
      return;
    }
    const match = /^([a-z0-9]+)_(.+)$/.exec(line.key);
    if (match !== null && spellings.has(match[2] ?? '')) {
      this.#say(
        line,
        'unknown',
        `sets ${match[2]} for the service ${match[1]}, but there is no such service`,
      );
      return;
    }
    const near = nearest(line.key, knownKeys());
    this.#say(line, 'unknown', `unknown key${near === undefined ? '' : `; the nearest is ${near}`}`);
  }
}

/** Whether it can be said for one service alone. */
function isTlsKey(name: string): name is (typeof serviceTlsKeys)[number] {
  return (serviceTlsKeys as readonly string[]).includes(name);
}

/** Passwords in files that everybody can read, as findings. */
export function exposedSecrets(reading: ConfReading): readonly Finding[] {
  const readable = new Map(reading.sources.map((source) => [source.file, source.mode]));
  return reading.lines.flatMap(({ file, line, key }) => {
    const mode = readable.get(file) ?? 0;
    if (!isSecret(key) || (mode & 0o004) === 0) return [];
    const octal = mode.toString(8).padStart(4, '0');
    return [{
      file,
      line,
      key,
      text: `is a password in a file everybody can read (mode ${octal}); chmod 0640 ${file}`,
    }];
  });
}

/** One line of a report: place, key, outcome in words. */
export function formatReport(report: LineReport): string {
  const words: Readonly<Record<Outcome, string>> = {
    translated: 'translated to ',
    unneeded: 'not needed: ',
    later: 'not taken over: ',
    refused: 'not taken over, though it decides who may log in: ',
    unknown: '',
    wrong: '',
  };
  return formatFinding({ ...report, text: words[report.outcome] + report.text });
}
