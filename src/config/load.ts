/** Reads the configuration a command was given and answers settings, or one error that names all problems. */

import { checkTogether, type Places } from './check.ts';
import { parseCyrusConf } from './cyrusconf/parse.ts';
import { serviceNames, translateCyrusConf } from './cyrusconf/translate.ts';
import { ConfigError, type Finding } from './finding.ts';
import { readImapdConf } from './imapdconf/parse.ts';
import { exposedSecrets, type LineReport, translateImapdConf } from './imapdconf/translate.ts';
import { options, type OptionValues } from './options.ts';
import type { ScheduledEvent, Service } from './services.ts';
import { completeValues, defaultEvents, defaultServices, type Settings } from './settings.ts';
import { readSource } from './source.ts';
import { readToml } from './toml/read.ts';

/** Which files to read: our own, or a pair of Cyrus's. */
export type ConfigFiles =
  | { readonly toml: string }
  | { readonly imapdConf: string; readonly cyrusConf?: string | undefined };

export interface Loaded {
  readonly settings: Settings;
  /** To be logged once each at the start; nothing of it stops the server. */
  readonly warnings: readonly Finding[];
}

/** What became of an imapd.conf and a cyrus.conf, whether or not the server would start with them. */
export interface Translated {
  /** The parts that could be taken over. */
  readonly values: OptionValues;
  readonly services: readonly Service[];
  readonly events: readonly ScheduledEvent[];
  readonly report: readonly LineReport[];
  /** Passwords in files that everybody can read; among the problems, too. */
  readonly exposed: readonly Finding[];
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/**
 * Reads and checks a configuration. Throws `config` with every problem on a line of its own: file, line, key and
 * remedy. In TOML every unknown key is a problem; from imapd.conf and cyrus.conf what is unknown or not there yet
 * is a warning, unless it decides who may log in.
 */
export function loadSettings(files: ConfigFiles): Loaded {
  return 'toml' in files ? loadToml(files.toml) : loadCyrus(files.imapdConf, files.cyrusConf);
}

/** Passwords that can stand in the configuration itself. */
const SECRETS = [
  { option: 'sasl_ldapdb_pw', section: 'ldapdb', key: 'pw' },
  { option: 'ldap_bind_pw', section: 'ldap', key: 'bind_pw' },
  { option: 'smtp_auth_password', section: 'smtp', key: 'auth_password' },
] as const;

function loadToml(file: string): Loaded {
  const { text, mode } = readSource(file);
  const loaded = settingsFromToml(text, file);
  if ((mode & 0o004) === 0) return loaded;
  const octal = mode.toString(8).padStart(4, '0');
  const exposed = SECRETS.filter(({ option }) => loaded.settings[option] !== '');
  if (exposed.length === 0) return loaded;
  const { lines } = readToml(text, file);
  refuse(
    exposed.map(({ section, key }) => ({
      file,
      line: lines.line(section, key),
      key: `${section}.${key}`,
      text:
        `is a password in a file everybody can read (mode ${octal}); chmod 0640 ${file}, or use ${section}.${key}_file`,
    })),
  );
  return loaded;
}

/** Settings from the text of a TOML document; `file` is its name in messages. */
export function settingsFromToml(text: string, file: string): Loaded {
  const reading = readToml(text, file);
  const { values } = reading;
  completeValues(values);
  const services = reading.services ?? defaultServices(values);
  const events = reading.events ?? defaultEvents(values);
  const place = (path: readonly string[]) => ({
    file,
    line: reading.lines.line(...path),
    key: path.join('.'),
  });
  const places: Places = {
    option: (name) => place(options[name].toml.split('.')),
    service: (name) => place(['services', name]),
  };
  const checked = checkTogether(values, services, places);
  // What contradicts each other may only do so because one of the two was wrong in itself.
  refuse(reading.problems.length > 0 ? reading.problems : checked.problems);
  return { settings: { ...values, services, events }, warnings: checked.warnings };
}

function loadCyrus(imapdConf: string, cyrusConf: string | undefined): Loaded {
  const { values, services, events, problems, warnings } = translateCyrus(imapdConf, cyrusConf);
  refuse(problems);
  return { settings: { ...values, services, events }, warnings };
}

/** Reads an imapd.conf and a cyrus.conf. Throws only when a file cannot be read. */
export function translateCyrus(imapdConf: string, cyrusConf?: string): Translated {
  const reading = readImapdConf(imapdConf);
  const syntax: Finding[] = [];
  const entries = cyrusConf === undefined
    ? undefined
    : parseCyrusConf(readSource(cyrusConf, true).text, cyrusConf, syntax);
  const names = entries === undefined
    ? { there: ['imap', 'imaps', 'pop3', 'pop3s', 'lmtpunix', 'sieve'], later: [] }
    : serviceNames(entries);
  const imapd = translateImapdConf(reading, names);
  const { values } = imapd;
  completeValues(values);
  const cyrus = entries === undefined || cyrusConf === undefined
    ? undefined
    : translateCyrusConf(entries, cyrusConf, values, imapd.serviceFiles, syntax);
  const services = cyrus?.services ??
    defaultServices(values).map((service) => ({ ...service, ...imapd.serviceFiles.get(service.name) }));
  const events = cyrus?.events ?? defaultEvents(values);
  const report = [...imapd.report, ...cyrus?.report ?? []];

  const places: Places = {
    option: (name) => imapd.given.get(name) ?? { file: imapdConf, line: 0, key: name },
    service: (name) => ({
      file: cyrusConf ?? imapdConf,
      line: entries?.find((entry) => entry.section === 'SERVICES' && entry.name === name)?.line ?? 0,
      key: name,
    }),
  };
  const checked = checkTogether(values, services, places);
  const exposed = exposedSecrets(reading);
  const wrong = report.filter(({ outcome }) => outcome === 'wrong' || outcome === 'refused');
  const together = wrong.length > 0 ? [] : checked.problems;
  const noServices = services.length === 0 && cyrusConf !== undefined && wrong.length === 0
    ? [{
      file: cyrusConf,
      line: 0,
      key: 'SERVICES',
      text: 'none of the services is there yet; nothing would listen',
    }]
    : [];
  return {
    values,
    services,
    events,
    report,
    exposed,
    problems: [...wrong, ...exposed, ...together, ...noServices].map(plain),
    warnings: [
      ...report.filter(({ outcome }) => outcome === 'later' || outcome === 'unknown'),
      ...checked.warnings,
    ].map(plain),
  };
}

function plain({ file, line, key, text }: Finding): Finding {
  return { file, line, key, text };
}

function refuse(problems: readonly Finding[]): void {
  if (problems.length > 0) throw new ConfigError(problems);
}
