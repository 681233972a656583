/** mailstore.toml: reads it against the table of options and collects everything that is wrong with it. */

import { parse, TomlError } from 'smol-toml';
import { limits } from '../../limits.ts';
import type { Finding } from '../finding.ts';
import { explainAbsent } from '../imapdconf/absent.ts';
import { nearest } from '../nearest.ts';
import type { Option } from '../option.ts';
import { type OptionName, optionRows, type OptionValues } from '../options.ts';
import { type EntryKey, eventKeys, serviceKeys } from '../options/services.ts';
import {
  completeService,
  parseTimeOfDay,
  type ScheduledEvent,
  type Service,
  type ServiceDraft,
} from '../services.ts';
import { defaultValues } from '../settings.ts';
import { KeyLines, locateKeys } from './locate.ts';

/** What a TOML document says. `services` and `events` are undefined where it has no such section. */
export interface TomlReading {
  readonly values: OptionValues;
  readonly services: readonly Service[] | undefined;
  readonly events: readonly ScheduledEvent[] | undefined;
  readonly problems: readonly Finding[];
  /** The line of an option or of a table of services; 0 where it is not given. */
  readonly lines: KeyLines;
}

type Table = Readonly<Record<string, unknown>>;

/** Section -> key -> row. */
const sections = new Map<string, Map<string, readonly [OptionName, Option<unknown>]>>();
for (const entry of optionRows) {
  const [section = '', key = ''] = entry[1].toml.split('.');
  const keys = sections.get(section) ?? new Map();
  sections.set(section, keys.set(key, entry));
}

/** Reads a document. Every problem is a finding; the values of wrong keys stay at their defaults. */
export function readToml(text: string, file: string): TomlReading {
  return new Reader(text, file).read();
}

class Reader {
  readonly #text: string;
  readonly #file: string;
  readonly #values = defaultValues();
  readonly #problems: Finding[] = [];
  /** Undefined until somebody asks for a line: most documents are right. */
  #lines: KeyLines | undefined;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  read(): TomlReading {
    const document = this.#parse();
    this.#options(document);
    const services = document.services === undefined ? undefined : this.#services(document.services);
    const events = document.events === undefined ? undefined : this.#events(document.events);
    const located = () => this.#located();
    return {
      values: this.#values,
      services,
      events,
      problems: this.#problems,
      get lines() {
        return located();
      },
    };
  }

  #located(): KeyLines {
    return this.#lines ??= locateKeys(this.#text);
  }

  #parse(): Table {
    try {
      return parse(this.#text, {
        integersAsBigInt: 'asNeeded',
        unsafeKeyBehaviour: 'throw',
        maxDepth: limits.config_toml_depth.value,
      });
    } catch (thrown) {
      if (!(thrown instanceof TomlError)) throw thrown;
      this.#lines = new KeyLines();
      const reason = (thrown.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '');
      const found = (this.#text.split('\n')[thrown.line - 1] ?? '').trim().slice(0, 60);
      const remedy = /redefine|already defined|duplicate/i.test(reason)
        ? 'this key or table was given before; keep one of them'
        : `not valid TOML: ${reason}`;
      const key = /^[\w.-]+(?=\s*=)/.exec(found)?.[0] ?? '';
      this.#problems.push({ file: this.#file, line: thrown.line, key, text: remedy });
      return {};
    }
  }

  #problem(path: readonly string[], text: string): void {
    this.#problems.push({ file: this.#file, line: this.#located().line(...path), key: path.join('.'), text });
  }

  #options(document: Table): void {
    for (const [section, content] of Object.entries(document)) {
      if (section === 'services' || section === 'events') continue;
      const keys = sections.get(section);
      if (keys === undefined) {
        this.#unknown([section], content);
        continue;
      }
      if (!isTable(content)) {
        this.#problem([section], `is a section: write [${section}] and its keys below`);
        continue;
      }
      for (const [key, value] of Object.entries(content)) {
        const entry = keys.get(key);
        if (entry === undefined) this.#unknown([section, key], value);
        else this.#option([section, key], entry, value);
      }
    }
  }

  #option(
    path: readonly string[],
    [name, row]: readonly [OptionName, Option<unknown>],
    value: unknown,
  ): void {
    const parsed = row.kind.fromToml(value);
    const problem = parsed.ok ? row.check?.(parsed.value) : parsed.problem;
    if (problem !== undefined) this.#problem(path, problem);
    else if (parsed.ok) Object.assign(this.#values, { [name]: parsed.value });
  }

  /** An unknown key: where it belongs, why it is not there, or what it may have been meant to be. */
  #unknown(path: readonly string[], value: unknown): void {
    const own = path.at(-1) ?? '';
    const names = [own, path.join('_')].map((name) => name.toLowerCase());
    for (const [name, row] of optionRows) {
      const spellings = [name, ...row.imapd.map((spelling) => spelling.key)];
      if (row.toml.endsWith(`.${own}`) || names.some((spelling) => spellings.includes(spelling))) {
        return this.#problem(path, `there is no such key here; it is ${row.toml}`);
      }
    }
    for (const name of names) {
      const absent = explainAbsent(name);
      if (absent !== undefined) return this.#problem(path, absent.text);
    }
    const candidates = [...sections.keys(), 'services', 'events', ...optionRows.map(([, row]) => row.toml)];
    const inSection = path.length > 1 ? [...sections.get(path[0] ?? '')?.keys() ?? []] : [];
    const near = nearest(own, inSection);
    const whole = near === undefined ? nearest(path.join('.'), candidates) : `${path[0]}.${near}`;
    const kind = path.length === 1 && isTable(value) ? 'section' : 'key';
    this.#problem(path, `unknown ${kind}${whole === undefined ? '' : `; the nearest is ${whole}`}`);
  }

  /** The keys of one entry against their table; undefined when something was wrong. */
  #entry(
    path: readonly string[],
    content: unknown,
    keys: Readonly<Record<string, EntryKey>>,
  ): Record<string, unknown> | undefined {
    if (!isTable(content)) {
      this.#problem(path, `expected a table [${path.join('.')}]`);
      return undefined;
    }
    const before = this.#problems.length;
    const entry: Record<string, unknown> = {};
    for (const [key, given] of Object.entries(content)) {
      const row = Object.hasOwn(keys, key) ? keys[key] : undefined;
      if (row === undefined) {
        const near = nearest(key, Object.keys(keys));
        const hint = near === undefined
          ? `; there are ${Object.keys(keys).join(', ')}`
          : `; the nearest is ${near}`;
        this.#problem([...path, key], `unknown key${hint}`);
        continue;
      }
      // A bare port number reads as well as a name.
      const value = key === 'listen' && typeof given === 'number' ? String(given) : given;
      const parsed = row.kind.fromToml(value);
      if (parsed.ok) entry[key] = parsed.value;
      else this.#problem([...path, key], parsed.problem);
    }
    return this.#problems.length === before ? entry : undefined;
  }

  #services(content: unknown): readonly Service[] {
    if (!isTable(content)) {
      this.#problem(['services'], 'expected a table for each service, such as [services.imap]');
      return [];
    }
    const services: Service[] = [];
    for (const [name, given] of Object.entries(content)) {
      const path = ['services', name];
      if (!isEntryName(name)) {
        this.#problem(path, 'the name of a service has letters, digits, _ and - only');
        continue;
      }
      const draft = this.#entry(path, given, serviceKeys);
      if (draft === undefined) continue;
      const service = completeService(name, draft as ServiceDraft, this.#values);
      if ('text' in service) this.#problem(service.key === '' ? path : [...path, service.key], service.text);
      else services.push(service);
    }
    if (Object.keys(content).length === 0) this.#problem(['services'], 'at least one service is needed');
    return services;
  }

  #events(content: unknown): readonly ScheduledEvent[] {
    if (!isTable(content)) {
      this.#problem(['events'], 'expected a table for each event, such as [events.checkpoint]');
      return [];
    }
    const events: ScheduledEvent[] = [];
    for (const [name, given] of Object.entries(content)) {
      const path = ['events', name];
      if (!isEntryName(name)) {
        this.#problem(path, 'the name of an event has letters, digits, _ and - only');
        continue;
      }
      const entry = this.#entry(path, given, eventKeys);
      if (entry === undefined) continue;
      const { job, every, at } = entry as { job?: ScheduledEvent['job']; every?: number; at?: string };
      const when = every === undefined
        ? parseTimeOfDay(at ?? '')
        : at === undefined
        ? { kind: 'every', seconds: every } as const
        : undefined;
      if (job === undefined) this.#problem(path, 'job is missing: "checkpoint", "expire" or "backup"');
      else if (when === undefined) this.#problem(path, 'one of every and at is needed, and only one');
      else events.push({ name, job, when });
    }
    return events;
  }
}

function isEntryName(name: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(name);
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
