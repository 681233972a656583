/**
 * The types an option can have. A kind reads a value from TOML and from the text of an imapd.conf line, and
 * writes it back as TOML; it knows no option. A value that does not fit is answered with a sentence that says
 * what is expected, never with a guess.
 */

import { isIP } from 'node:net';
import { tomlString } from './toml/quote.ts';

export type Parsed<T> = { readonly ok: true; readonly value: T } | {
  readonly ok: false;
  readonly problem: string;
};

export type KindName =
  | 'switch'
  | 'string'
  | 'integer'
  | 'size'
  | 'duration'
  | 'choice'
  | 'list'
  | 'path'
  | 'paths'
  | 'mode'
  | 'networks'
  | 'certificates';

/** How one type of value is read and written. */
export interface Kind<T> {
  readonly name: KindName;
  /** What a value looks like, in words: "true or false", "one of off, min, on". */
  readonly expects: string;
  /** The words a choice is made of. */
  readonly allowed?: readonly string[];
  /** The value of a TOML key, as the TOML parser gives it. */
  fromToml(value: unknown): Parsed<T>;
  /** The text behind the colon of an imapd.conf line; `unit` is what a bare number counts there. */
  fromText(text: string, unit?: string): Parsed<T>;
  /** The value as TOML source, on one line. */
  toToml(value: T): string;
}

export function good<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function bad(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

/** What a wrong TOML value is, in TOML's words, for "expected …, found …". */
export function describeToml(value: unknown): string {
  if (typeof value === 'string') return `the string ${tomlString(shorten(value))}`;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') return `the integer ${value}`;
  if (typeof value === 'number') {
    return Number.isInteger(value) ? `the integer ${value}` : `the float ${value}`;
  }
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Date) return 'a date';
  return 'a table';
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function mismatch(expects: string, value: unknown): { readonly ok: false; readonly problem: string } {
  return bad(`expected ${expects}, found ${describeToml(value)}`);
}

/** A string that stays on its line: no NUL, CR, LF or other control character. */
function plainString(text: string): Parsed<string> {
  if (/[\x00-\x1f\x7f]/.test(text)) return bad('control characters are not allowed here');
  return good(text);
}

/** Yes or no. imapd.conf takes yes/no, on/off, true/false, t/f, y/n and 1/0. */
export function switchKind(): Kind<boolean> {
  const expects = 'true or false';
  return {
    name: 'switch',
    expects,
    fromToml: (value) => typeof value === 'boolean' ? good(value) : mismatch(expects, value),
    fromText(text) {
      const word = text.toLowerCase();
      if (['1', 'y', 'yes', 'on', 't', 'true'].includes(word)) return good(true);
      if (['0', 'n', 'no', 'off', 'f', 'false'].includes(word)) return good(false);
      return bad(`expected yes or no, found "${shorten(text)}"`);
    },
    toToml: (value) => String(value),
  };
}

/** Free text on one line. */
export function textKind(expects = 'a string', fits: (text: string) => boolean = () => true): Kind<string> {
  const check = (text: string): Parsed<string> => {
    const plain = plainString(text);
    if (!plain.ok || fits(text)) return plain;
    return bad(`expected ${expects}, found ${tomlString(shorten(text))}`);
  };
  return {
    name: 'string',
    expects,
    fromToml: (value) => typeof value === 'string' ? check(value) : mismatch(expects, value),
    fromText: check,
    toToml: tomlString,
  };
}

/** An absolute path, or an empty string for none. */
export function pathKind(expects = 'an absolute path'): Kind<string> {
  const check = (text: string): Parsed<string> => {
    const plain = plainString(text);
    if (!plain.ok) return plain;
    if (text === '') return good('');
    if (!text.startsWith('/')) return bad(`expected ${expects}, found ${tomlString(shorten(text))}`);
    return good(text.length > 1 ? text.replace(/\/+$/, '') || '/' : text);
  };
  return {
    name: 'path',
    expects,
    fromToml: (value) => typeof value === 'string' ? check(value) : mismatch(expects, value),
    fromText: check,
    toToml: tomlString,
  };
}

/** A whole number within bounds. */
export function integerKind(min: number, max: number = Number.MAX_SAFE_INTEGER): Kind<number> {
  const expects = max === Number.MAX_SAFE_INTEGER
    ? `a whole number of at least ${min}`
    : `a whole number from ${min} to ${max}`;
  const within = (value: number): Parsed<number> =>
    value >= min && value <= max ? good(value) : bad(`expected ${expects}, found ${value}`);
  return {
    name: 'integer',
    expects,
    fromToml: (value) =>
      typeof value === 'number' && Number.isSafeInteger(value) ? within(value) : mismatch(expects, value),
    fromText: (text) =>
      /^[+-]?\d{1,15}$/.test(text)
        ? within(Number(text))
        : bad(`expected ${expects}, found "${shorten(text)}"`),
    toToml: (value) => String(value),
  };
}

const sizeUnits = new Map<string, number>([
  ['', 1],
  ['B', 1],
  ['K', 2 ** 10],
  ['M', 2 ** 20],
  ['G', 2 ** 30],
  ['T', 2 ** 40],
]);

/**
 * A number of bytes: "64M", "2000M", "1G", or a bare number. K, M, G and T count in 1024s, with or without
 * B or iB behind them. `allowMinusOne` admits the -1 by which some options say "none".
 */
export function sizeKind(min: number, max: number, allowMinusOne = false): Kind<number> {
  const expects =
    `a size such as "64M" (K, M, G, T count in 1024s), from ${writeSize(min)} to ${writeSize(max)}` +
    (allowMinusOne ? ', or -1' : '');
  const within = (value: number): Parsed<number> => {
    if (allowMinusOne && value === -1) return good(value);
    return value >= min && value <= max ? good(value) : bad(`expected ${expects}, found ${value}`);
  };
  const read = (text: string, unit: string): Parsed<number> => {
    if (allowMinusOne && text === '-1') return good(-1);
    const match = /^(\d{1,15}) *(?:([KMGT])(?:i?B)?|(B))?$/i.exec(text);
    if (match === null) return bad(`expected ${expects}, found "${shorten(text)}"`);
    const factor = sizeUnits.get((match[2] ?? match[3] ?? unit).toUpperCase()) ?? 1;
    return within(Number(match[1]) * factor);
  };
  return {
    name: 'size',
    expects,
    fromToml(value) {
      if (typeof value === 'number' && Number.isSafeInteger(value)) return within(value);
      return typeof value === 'string' ? read(value, '') : mismatch(expects, value);
    },
    fromText: (text, unit = '') => read(text, unit),
    toToml: (value) => value < 1024 ? String(value) : tomlString(writeSize(value)),
  };
}

/** A number of bytes in the largest unit that divides it. */
export function writeSize(bytes: number): string {
  if (bytes <= 0) return String(bytes);
  for (const unit of ['T', 'G', 'M', 'K']) {
    const factor = sizeUnits.get(unit) ?? 1;
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return String(bytes);
}

const durationUnits = new Map<string, number>([['s', 1], ['m', 60], ['h', 3600], ['d', 86400], [
  'w',
  604800,
]]);

/** Seconds. Written with units, "30m", "3d", "1h30m", so that a number never means minutes here and days there. */
export function durationKind(min: number, max: number): Kind<number> {
  const expects = `a duration such as "30m" or "3d" (s, m, h, d, w), from ${writeDuration(min)} to ${
    writeDuration(max)
  }`;
  const read = (text: string, unit: string): Parsed<number> => {
    const whole = /^\d{1,12}$/.test(text) ? `${text}${unit}` : text;
    if (text !== '0' && !/^(?:\d{1,12}[smhdw])+$/.test(whole)) {
      return bad(`expected ${expects}, found "${shorten(text)}"`);
    }
    let seconds = 0;
    for (const part of whole.matchAll(/(\d+)([smhdw])/g)) {
      seconds += Number(part[1]) * (durationUnits.get(part[2] ?? '') ?? 0);
    }
    return seconds >= min && seconds <= max
      ? good(seconds)
      : bad(`expected ${expects}, found "${shorten(text)}"`);
  };
  return {
    name: 'duration',
    expects,
    fromToml: (value) => {
      if (value === 0) return read('0', '');
      return typeof value === 'string' ? read(value, '') : mismatch(expects, value);
    },
    fromText: (text, unit = '') => read(text, unit),
    toToml: (value) => tomlString(writeDuration(value)),
  };
}

/** Seconds in the largest unit that divides them. */
export function writeDuration(seconds: number): string {
  if (seconds === 0) return '0s';
  for (const unit of ['d', 'h', 'm']) {
    const factor = durationUnits.get(unit) ?? 1;
    if (seconds % factor === 0) return `${seconds / factor}${unit}`;
  }
  return `${seconds}s`;
}

/** One of a few words; `aliases` maps other spellings (imapd.conf only) to them. */
export function choiceKind<const W extends string>(
  words: readonly W[],
  aliases: Readonly<Record<string, NoInfer<W>>> = {},
): Kind<W> {
  const expects = `one of ${words.map((word) => `"${word}"`).join(', ')}`;
  const find = (text: string): W | undefined => words.find((word) => word === text.toLowerCase());
  return {
    name: 'choice',
    expects,
    allowed: words,
    fromToml(value) {
      const word = typeof value === 'string' ? find(value) : undefined;
      return word === undefined ? mismatch(expects, value) : good(word);
    },
    fromText(text) {
      const word = find(text) ??
        (Object.hasOwn(aliases, text.toLowerCase()) ? aliases[text.toLowerCase()] : undefined);
      return word === undefined ? bad(`expected ${expects}, found "${shorten(text)}"`) : good(word);
    },
    toToml: tomlString,
  };
}

/** How the items of a list stand in imapd.conf, and what one of them must look like. */
export interface ListRules {
  readonly separator: RegExp;
  readonly item: string;
  readonly check?: (item: string) => string | undefined;
  readonly upperCase?: boolean;
}

/** Several strings: an array in TOML, separated text in imapd.conf. */
export function listKind(rules: ListRules): Kind<readonly string[]> {
  const expects = `an array of ${rules.item}`;
  const collect = (items: readonly string[]): Parsed<readonly string[]> => {
    const list: string[] = [];
    for (const raw of items) {
      const item = rules.upperCase ? raw.toUpperCase() : raw;
      const plain = plainString(item);
      const problem = plain.ok
        ? (item === '' ? 'an empty string is not allowed here' : rules.check?.(item))
        : plain.problem;
      if (problem !== undefined) return bad(problem);
      if (!list.includes(item)) list.push(item);
    }
    return good(list);
  };
  return {
    name: 'list',
    expects,
    fromToml(value) {
      if (!Array.isArray(value)) return mismatch(expects, value);
      const odd = value.find((item) => typeof item !== 'string');
      return odd === undefined
        ? collect(value.map(String))
        : bad(`expected ${expects}, found ${describeToml(odd)} in it`);
    },
    fromText: (text) =>
      collect(text.split(rules.separator).map((item) => item.trim()).filter((item) => item !== '')),
    toToml: (value) => `[${value.map(tomlString).join(', ')}]`,
  };
}

/** Networks in CIDR form, or single addresses. */
export function networksKind(): Kind<readonly string[]> {
  const inner = listKind({
    separator: /[\s,]+/,
    item: 'networks such as "127.0.0.0/8" or "::1"',
    check(item) {
      const [address = '', prefix, ...rest] = item.split('/');
      const family = isIP(address);
      const fits = family !== 0 && rest.length === 0 &&
        (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128)));
      return fits
        ? undefined
        : `expected a network such as "127.0.0.0/8" or "::1", found ${tomlString(shorten(item))}`;
    },
  });
  return { ...inner, name: 'networks' };
}

/** File permissions, written in octal as a string: "0660". */
export function modeKind(): Kind<number> {
  const expects = 'permissions in octal such as "0660"';
  const read = (text: string): Parsed<number> =>
    /^0?[0-7]{3}$/.test(text)
      ? good(Number.parseInt(text, 8))
      : bad(`expected ${expects}, found "${shorten(text)}"`);
  return {
    name: 'mode',
    expects,
    fromToml: (value) => typeof value === 'string' ? read(value) : mismatch(expects, value),
    fromText: read,
    toToml: (value) => tomlString(`0${value.toString(8).padStart(3, '0')}`),
  };
}

/** Names with a path each: a table in TOML, one `<prefix>-<name>` line each in imapd.conf. */
export function pathsKind(): Kind<Readonly<Record<string, string>>> {
  const expects = 'a table of names and absolute paths';
  const path = pathKind();
  return {
    name: 'paths',
    expects,
    fromToml(value) {
      if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date) {
        return mismatch(expects, value);
      }
      const paths: Record<string, string> = {};
      for (const [name, entry] of Object.entries(value)) {
        if (!/^[a-z0-9][a-z0-9_]*$/i.test(name)) {
          return bad(`${tomlString(shorten(name))} is not a valid name: letters, digits and _ only`);
        }
        const parsed = path.fromToml(entry);
        if (!parsed.ok) return bad(`${name}: ${parsed.problem}`);
        if (parsed.value === '') return bad(`${name}: expected an absolute path, found an empty string`);
        paths[name.toLowerCase()] = parsed.value;
      }
      if (Object.keys(paths).length === 0) return bad('at least one entry is needed');
      return good(paths);
    },
    fromText: () => bad('a name is needed, as in partition-default: /var/spool/mailstore'),
    toToml: (value) =>
      `{ ${Object.entries(value).map(([name, entry]) => `${name} = ${tomlString(entry)}`).join(', ')} }`,
  };
}

/** A further certificate for SNI: PEM files. */
export interface CertificateFiles {
  readonly server_cert: string;
  readonly server_key: string;
}

/** Further certificates: an array of tables with `server_cert` and `server_key`. */
export function certificatesKind(): Kind<readonly CertificateFiles[]> {
  const expects = 'an array of tables with server_cert and server_key';
  const path = pathKind();
  return {
    name: 'certificates',
    expects,
    fromToml(value) {
      if (!Array.isArray(value)) return mismatch(expects, value);
      const list: CertificateFiles[] = [];
      for (const entry of value) {
        if (typeof entry !== 'object' || entry === null) return bad(`expected ${expects}`);
        const { server_cert, server_key, ...rest } = entry as Record<string, unknown>;
        const odd = Object.keys(rest)[0];
        if (odd !== undefined) {
          return bad(`unknown key ${tomlString(shorten(odd))}: a certificate has server_cert and server_key`);
        }
        const cert = path.fromToml(server_cert ?? '');
        const key = path.fromToml(server_key ?? '');
        if (!cert.ok) return bad(`server_cert: ${cert.problem}`);
        if (!key.ok) return bad(`server_key: ${key.problem}`);
        if (cert.value === '' || key.value === '') {
          return bad('a certificate needs both server_cert and server_key');
        }
        list.push({ server_cert: cert.value, server_key: key.value });
      }
      return good(list);
    },
    fromText: () => bad('further certificates can only be given in TOML'),
    toToml: (value) =>
      `[${
        value.map((c) =>
          `{ server_cert = ${tomlString(c.server_cert)}, server_key = ${tomlString(c.server_key)} }`
        ).join(', ')
      }]`,
  };
}
