/** cyrus.conf: turns SERVICES and EVENTS into services and events, and says what became of each line. */

import type { Finding } from '../finding.ts';
import type { LineReport, Outcome, ServiceFiles, ServiceNames } from '../imapdconf/translate.ts';
import { writeDuration } from '../kinds/measure.ts';
import { nearest } from '../nearest.ts';
import { options, type OptionValues } from '../options.ts';
import {
  completeService,
  type EventJob,
  type Family,
  formatListen,
  formatTimeOfDay,
  parseTimeOfDay,
  type ScheduledEvent,
  type Service,
  type ServiceDraft,
  type When,
} from '../services.ts';
import type { CyrusEntry } from './parse.ts';

export interface CyrusTranslation {
  readonly services: readonly Service[];
  readonly events: readonly ScheduledEvent[];
  readonly report: readonly LineReport[];
}

/** The programs of SERVICES, START, EVENTS and DAEMON that are not there, and why. */
const programs: Readonly<Record<string, readonly [Outcome, string]>> = {
  nntpd: ['later', 'NNTP is not there yet'],
  fud: ['later', 'fud is not there'],
  httpd: ['later', 'HTTP is not there yet'],
  saslauthd: ['later', 'asking saslauthd is not there yet'],
  mupdate: ['later', 'a murder of several servers is not there yet'],
  proxyd: ['later', 'a murder of several servers is not there yet'],
  pop3proxyd: ['later', 'a murder of several servers is not there yet'],
  lmtpproxyd: ['later', 'a murder of several servers is not there yet'],
  ctl_mboxlist: ['later', 'a murder of several servers is not there yet'],
  sync_server: ['later', 'replication is not there yet'],
  sync_client: ['later', 'replication is not there yet'],
  backupd: ['later', 'backups are not there yet'],
  squatter: ['later', 'searching by an index is not there yet'],
  fetchnews: ['later', 'NNTP is not there yet'],
  ptloader: ['unneeded', 'the server looks up groups of a directory itself'],
  ptexpire: [
    'unneeded',
    'groups that were looked up are kept in memory for ptscache_timeout, or until a reload',
  ],
  promstatsd: ['later', 'metrics for Prometheus are not there yet'],
  ipurge: ['later', 'purging by age is not there yet'],
  calalarmd: ['later', 'calendars are not there'],
  idled: ['unneeded', 'clients are told of changes at once, without a daemon'],
  tls_prune: ['unneeded', 'clients keep the sessions of TLS themselves, in tickets'],
  ctl_deliver: ['unneeded', 'old Message-IDs are forgotten by the expiry run'],
  cyr_info: ['unneeded', 'it changes nothing'],
};

/** Programs that are services of ours, and what they speak. */
const PROTOCOLS: ReadonlyMap<string, Service['protocol']> = new Map([
  ['imapd', 'imap'],
  ['pop3d', 'pop3'],
  ['lmtpd', 'lmtp'],
  ['timsieved', 'sieve'],
  ['smmapd', 'smmap'],
  ['notifyd', 'notify'],
]);

/** The names of SERVICES, by whether their program is there. */
export function serviceNames(entries: readonly CyrusEntry[]): ServiceNames {
  const services = entries.filter(({ section }) => section === 'SERVICES');
  const there = (entry: CyrusEntry) =>
    /^(?:\S*\/)?(?:imapd|pop3d|lmtpd|timsieved|smmapd|notifyd)(?:\s|$)/.test(
      entry.arguments.get('cmd') ?? '',
    );
  return {
    there: services.filter(there).map(({ name }) => name),
    later: services.filter((entry) => !there(entry)).map(({ name }) => name),
  };
}

/** Translates the entries; `files` are certificate files that imapd.conf gives to single services. */
export function translateCyrusConf(
  entries: readonly CyrusEntry[],
  file: string,
  values: OptionValues,
  files: ReadonlyMap<string, ServiceFiles>,
  problems: readonly Finding[],
): CyrusTranslation {
  const report: LineReport[] = problems.map((problem) => ({ ...problem, outcome: 'wrong', value: '' }));
  const services: Service[] = [];
  const events: ScheduledEvent[] = [];

  for (const entry of entries) {
    const command = entry.arguments.get('cmd') ?? '';
    const say = (outcome: Outcome, text: string, key = entry.name) =>
      report.push({ file, line: entry.line, key, value: command, outcome, text });
    const [program = '', ...flags] = command.split(/\s+/).filter((word) => word !== '');
    const name = program.replace(/^.*\//, '');
    const absent = Object.hasOwn(programs, name) ? programs[name] : undefined;
    if (command === '') say('wrong', 'cmd is missing');
    else if (absent !== undefined) say(...absent);
    else if (entry.section === 'SERVICES') service(entry, name, flags, say);
    else if (entry.section === 'EVENTS') event(entry, name, flags, say);
    else if (name === 'ctl_cyrusdb') say('unneeded', 'the store recovers by itself at every start');
    else if (name === 'cyr_expire') say('later', 'expiry runs by the clock, not at the start');
    else say('unknown', unknownProgram(name));
  }
  report.sort((a, b) => a.line - b.line);
  return { services, events, report };

  function service(entry: CyrusEntry, program: string, flags: readonly string[], say: Say): void {
    const protocol = PROTOCOLS.get(program);
    if (protocol === undefined) return void say('unknown', unknownProgram(program));
    const draft: { -readonly [Key in keyof ServiceDraft]: ServiceDraft[Key] } = {
      protocol,
      ...files.get(entry.name),
    };
    const rest = readFlags(flags);
    draft.tls = rest.delete('-s');
    draft.trusted = protocol === 'lmtp' && rest.delete('-a');
    // -C names the configuration, -U and -T how often a process is used again, -D waits for a debugger.
    for (const ignored of ['-C', '-U', '-T', '-D', '-H']) rest.delete(ignored);
    if (protocol === 'smmap' && rest.delete('-p')) {
      say('unneeded', 'a recipient with a folder is looked up as a delivery would', `${entry.name}.cmd`);
    }
    if (protocol === 'notify') notifyMethod(rest, entry, say);
    for (const flag of rest.keys()) {
      const matters = flag === '-p' || flag === '-N' || flag === '-k';
      say(matters ? 'refused' : 'later', `${program} ${flag} is not there yet`, `${entry.name}.cmd`);
    }
    for (const [key, value] of entry.arguments) {
      const own = `${entry.name}.${key}`;
      if (key === 'listen') draft.listen = value;
      else if (key === 'proto' && protocol === 'notify' && value.toLowerCase() === 'udp') {
        // Datagrams on a unix socket: what it always is.
      } else if (key === 'proto') {
        const family = families.get(value.toLowerCase());
        if (family === undefined) {
          say('wrong', `expected tcp, tcp4 or tcp6, found "${value.slice(0, 60)}"`, own);
        } else draft.family = family;
      } else if (key === 'maxchild') {
        if (!/^-?\d{1,6}$/.test(value)) say('wrong', `expected a number, found "${value.slice(0, 60)}"`, own);
        else draft.maxchild = Math.max(0, Number(value));
      } else if (key === 'prefork') say('unneeded', 'the workers are there from the start', own);
      else if (key === 'babysit') say('unneeded', 'what dies is always started again', own);
      else if (key === 'maxforkrate') say('unneeded', 'no process is started for a connection', own);
      else if (key === 'maxfds') say('unneeded', 'the most that is allowed is taken', own);
      else if (key !== 'cmd') say('unknown', unknownArgument(key, serviceArguments), own);
    }
    const listen = draft.listen ?? '';
    if (draft.family === 'any') delete draft.family;
    if (listen === '') return void say('wrong', 'listen is missing', `${entry.name}.listen`);
    // Cyrus takes the -a of a unix socket for granted, too.
    const complete = completeService(entry.name, draft, values);
    if ('text' in complete) {
      say('wrong', complete.text, complete.key === '' ? entry.name : `${entry.name}.${complete.key}`);
      return;
    }
    services.push(complete);
    say('translated', `services.${entry.name}: ${complete.protocol} on ${formatListen(complete.listen)}`);
  }

  /** The -m of notifyd: what becomes of a notification that names no method. */
  function notifyMethod(flags: Map<string, string>, entry: CyrusEntry, say: Say): void {
    const method = flags.get('-m')?.toLowerCase();
    if (method === undefined) return;
    flags.delete('-m');
    const { kind, check } = options.notify_method;
    const parsed = kind.fromText(method);
    const problem = parsed.ok ? check?.(parsed.value) : parsed.problem;
    if (!parsed.ok || problem !== undefined) return void say('later', problem ?? '', `${entry.name}.cmd`);
    values.notify_method = parsed.value;
    say('translated', `notify.method = "${parsed.value}"`, `${entry.name}.cmd`);
  }

  function event(entry: CyrusEntry, program: string, flags: readonly string[], say: Say): void {
    const rest = readFlags(flags);
    let job: EventJob | undefined;
    if (program === 'ctl_cyrusdb' && rest.delete('-c')) job = 'checkpoint';
    else if (program === 'cyr_expire') job = 'expire';
    if (job === undefined) {
      if (program === 'ctl_cyrusdb') say('unneeded', 'the store recovers by itself at every start');
      else say('unknown', unknownProgram(program));
      return;
    }
    if (rest.delete('-v')) say('unneeded', 'what a run did is always logged', `${entry.name}.cmd`);
    rest.delete('-C');
    const retention = {
      '-E': 'duplicate_retention',
      '-X': 'expunge_retention',
      '-D': 'delete_retention',
    } as const;
    for (const [flag, name] of Object.entries(retention)) {
      const text = rest.get(flag);
      if (job !== 'expire' || text === undefined) continue;
      rest.delete(flag);
      const seconds = readDays(text);
      if (seconds === undefined) {
        say('wrong', `expected days behind ${flag}, found "${text}"`, `${entry.name}.cmd`);
      } else {
        Object.assign(values, { [name]: seconds });
        say('translated', `store.${name} = "${writeDuration(seconds)}"`, `${entry.name}.cmd`);
      }
    }
    for (const flag of rest.keys()) say('later', `${program} ${flag} is not there yet`, `${entry.name}.cmd`);
    let when: When | undefined;
    for (const [key, value] of entry.arguments) {
      const own = `${entry.name}.${key}`;
      if (key === 'period') {
        if (/^[1-9]\d{0,5}$/.test(value)) when = { kind: 'every', seconds: Number(value) * 60 };
        else say('wrong', `expected minutes, found "${value.slice(0, 60)}"`, own);
      } else if (key === 'at') {
        when = parseTimeOfDay(value.padStart(4, '0'));
        if (when === undefined) {
          say('wrong', `expected a time of day such as 0400, found "${value.slice(0, 60)}"`, own);
        }
      } else if (key === 'cron') say('later', 'cron= is not there yet; use at= or period=', own);
      else if (key !== 'cmd') say('unknown', unknownArgument(key, eventArguments), own);
    }
    if (when === undefined) {
      if (!entry.arguments.has('cron')) say('wrong', 'period= or at= is missing');
      return;
    }
    events.push({ name: entry.name, job, when });
    const time = when.kind === 'at' ? `at ${formatTimeOfDay(when)}` : `every ${when.seconds / 60} minutes`;
    say('translated', `events.${entry.name}: ${job} ${time}`);
  }
}

const families = new Map<string, Family>([['tcp', 'any'], ['tcp4', 'ipv4'], ['tcp6', 'ipv6']]);

type Say = (outcome: Outcome, text: string, key?: string) => void;

const serviceArguments = [
  'cmd',
  'listen',
  'proto',
  'prefork',
  'maxchild',
  'babysit',
  'maxforkrate',
  'maxfds',
];
const eventArguments = ['cmd', 'period', 'at', 'cron'];

function unknownArgument(key: string, there: readonly string[]): string {
  const near = nearest(key, there);
  return `unknown argument; ${
    near === undefined ? `there are ${there.join(', ')}` : `the nearest is ${near}`
  }`;
}

function unknownProgram(name: string): string {
  const near = nearest(name, [...PROTOCOLS.keys(), 'ctl_cyrusdb', 'cyr_expire', ...Object.keys(programs)]);
  return `unknown program "${name.slice(0, 60)}"${near === undefined ? '' : `; the nearest is ${near}`}`;
}

/** Flags with the word behind each, if that is not a flag itself; "-E3" as well as "-E 3". */
function readFlags(words: readonly string[]): Map<string, string> {
  const flags = new Map<string, string>();
  let last = '';
  for (const word of words) {
    if (/^-[A-Za-z]/.test(word)) {
      last = word.slice(0, 2);
      flags.set(last, word.slice(2));
    } else if (last !== '') flags.set(last, word);
  }
  return flags;
}

/** Days as Cyrus writes them: "3", "0.5", or with a unit, "12h". */
function readDays(text: string): number | undefined {
  const match = /^(\d{1,5}(?:\.\d+)?)([dhms]?)$/.exec(text);
  if (match === null) return undefined;
  const unit = { d: 86400, h: 3600, m: 60, s: 1 }[match[2] === '' ? 'd' : match[2] as 'd' | 'h' | 'm' | 's'];
  return Math.round(Number(match[1]) * unit);
}
