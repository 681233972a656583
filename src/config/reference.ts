/** What is printed about the table of options: the reference and the commented sample. */

import type { Option } from './option.ts';
import { optionRows } from './options.ts';
import { type EntryKey, eventKeys, serviceKeys } from './options/services.ts';

/** One option as the reference shows it. */
export interface ReferenceEntry {
  /** Section and key in mailstore.toml. */
  readonly toml: string;
  readonly type: string;
  /** What a value looks like. */
  readonly values: string;
  readonly default: string;
  /** The base unit of a number; empty where it has none. */
  readonly unit: string;
  /** Spellings in imapd.conf with what a bare number counts there, or the argument in cyrus.conf. */
  readonly imapd: readonly string[];
  readonly doc: string;
}

const units: Readonly<Record<string, string>> = { size: 'bytes', duration: 'seconds' };
const imapdUnits: Readonly<Record<string, string>> = { K: 'kilobytes', m: 'minutes' };

function defaultText(row: Option<unknown>): string {
  return row.defaultText ?? row.kind.toToml(row.default);
}

function optionEntry(name: string, row: Option<unknown>): ReferenceEntry {
  const spellings = row.imapd.map(({ key, unit }) => {
    const whole = key.endsWith('-') ? `${key}<name>` : key;
    return unit === undefined ? whole : `${whole} (${imapdUnits[unit] ?? unit})`;
  });
  return {
    toml: row.toml,
    type: row.kind.name,
    values: row.kind.expects,
    default: defaultText(row),
    unit: units[row.kind.name] ?? '',
    imapd: spellings.length > 0 ? spellings : [name],
    doc: row.doc,
  };
}

function entryEntries(section: string, keys: Readonly<Record<string, EntryKey>>): ReferenceEntry[] {
  return Object.entries(keys).map(([key, row]) => ({
    toml: `${section}.<name>.${key}`,
    type: row.kind.name,
    values: row.kind.expects,
    default: row.default,
    unit: units[row.kind.name] ?? '',
    imapd: row.cyrusConf === '' ? [] : [row.cyrusConf],
    doc: row.doc,
  }));
}

/** Every option, then the keys of services and events. */
export function referenceEntries(): readonly ReferenceEntry[] {
  return [
    ...optionRows.map(([name, row]) => optionEntry(name, row)),
    ...entryEntries('services', serviceKeys),
    ...entryEntries('events', eventKeys),
  ];
}

/** The reference as text. */
export function writeReference(): string {
  return referenceEntries().map((entry) =>
    [
      entry.toml,
      ...wrap(entry.doc, 96).map((line) => `    ${line}`),
      `    type:       ${entry.type}${entry.unit === '' ? '' : `, in ${entry.unit}`}: ${entry.values}`,
      `    default:    ${entry.default}`,
      ...(entry.imapd.length === 0 ? [] : [`    ${cyrusFile(entry)} ${entry.imapd.join(', ')}`]),
    ].join('\n') + '\n'
  ).join('\n');
}

function cyrusFile(entry: ReferenceEntry): string {
  return entry.toml.includes('<name>') ? 'cyrus.conf:' : 'imapd.conf:';
}

const sampleHead = [
  ...comment('mailstore.toml: the configuration of mailstore with every option there is.'),
  '#',
  ...comment(
    'A line that begins with # and a blank explains; a line that begins with # alone is an option with its ' +
      'default: take the # away to change it. "mailstore config check" finds mistakes, "mailstore config show" ' +
      'prints what is in force, "mailstore config import /etc/imapd.conf /etc/cyrus.conf" writes such a file from ' +
      'those of Cyrus.',
  ),
  '',
].join('\n');

const sectionDocs: Readonly<Record<string, string>> = {
  server: 'The server as a whole.',
  store: 'Where the mail lies, and how long what was removed is kept.',
  mailbox: 'Names of users and folders, and which come into being by themselves.',
  auth: 'Who may log in, and how.',
  login: 'What guessing passwords costs, and how many may be logged in.',
  ldapdb: 'Secrets in an LDAP directory (sasl_auxprop_plugin = ["ldapdb"]).',
  tls: 'Certificates.',
  imap: 'IMAP.',
  pop3: 'POP3.',
  lmtp: 'LMTP, by which mail comes in.',
  sieve: 'Sieve, by which users filter their mail, and ManageSieve, by which they put their scripts.',
  notify: 'Notifications, as programs of Cyrus hand them over.',
};

/** The commented sample: mailstore.toml with every option at its default. */
export function writeSample(): string {
  const sections = new Map<string, string[]>();
  for (const [, row] of optionRows) {
    const [section = '', key = ''] = row.toml.split('.');
    const lines = sections.get(section) ?? [
      ...comment(sectionDocs[section] ?? ''),
      `[${section}]`,
    ];
    lines.push(
      '',
      ...comment(row.doc),
      ...comment(sampleType(row)),
      // A blank behind the # would make a continuation line a comment.
      ...`${key} = ${row.kind.toToml(row.default)}`.split('\n').map((line) => `#${line.trimStart()}`),
    );
    sections.set(section, lines);
  }
  const blocks = [...sections.values()].map((lines) => `${lines.join('\n')}\n`);
  return [
    sampleHead,
    ...blocks,
    entrySample(servicesHead, serviceKeys, sampleServices),
    entrySample(eventsHead, eventKeys, sampleEvents),
  ]
    .join('\n');
}

function sampleType(row: Option<unknown>): string {
  const text = row.kind.expects;
  const known = row.defaultText === undefined ? '' : ` Default: ${row.defaultText}.`;
  return `${capital(text)}.${known}`;
}

const servicesHead =
  'What listens where. A configuration without any [services.<name>] has those shown here: imap, ' +
  'imaps where there is a certificate, and lmtpunix. With the first one given, only those given listen. The keys:';
const eventsHead =
  'What runs by the clock. A configuration without any [events.<name>] has those shown here, and where there is a ' +
  'backup.target a backup at half past two. The keys:';

const sampleServices = `#[services.imap]
#protocol = "imap"
#listen = "imap"

#[services.imaps]
#protocol = "imap"
#listen = "imaps"
#tls = true

#[services.lmtpunix]
#protocol = "lmtp"
#listen = "/var/lib/mailstore/socket/lmtp"
`;

const sampleEvents = `#[events.checkpoint]
#job = "checkpoint"
#every = "30m"

#[events.expire]
#job = "expire"
#at = "04:00"
`;

function entrySample(head: string, keys: Readonly<Record<string, EntryKey>>, sample: string): string {
  const rows = Object.entries(keys).flatMap(([key, row]) =>
    wrap(`${key}: ${row.doc} ${capital(row.kind.expects)}. Default: ${row.default}.`, 104)
      .map((line, index) => `#   ${index === 0 ? '' : '  '}${line}`)
  );
  return [...comment(head), ...rows, '', sample].join('\n');
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

function comment(text: string): string[] {
  return wrap(text, 108).map((line) => `# ${line}`);
}

/** Text in lines of at most `width` characters, broken at blanks. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}
