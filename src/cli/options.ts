/** The options of the command line: one way to read them, and those every command has. */

import { existsSync } from 'node:fs';
import { type MailError, syntaxError } from '../errors.ts';
import { type ConfigFiles, type Loaded, loadSettings } from '../config/load.ts';
import { ConfigError } from '../config/finding.ts';

/** An option of a command. Its long name is its key in the table, with - for every capital: `noWait` is `--no-wait`. */
export interface ArgumentRow {
  /** The letter, as in `-c`. */
  readonly short?: string;
  /** What stands behind it, in capitals as in the usage text; without it the option is a switch. */
  readonly value?: string;
  /** It may be given several times. */
  readonly many?: true;
}

export type ArgumentTable = Readonly<Record<string, ArgumentRow>>;

/** A switch gives a boolean, an option with a value a string or undefined, one that may be repeated an array. */
export type Arguments<Table extends ArgumentTable> = {
  readonly [Name in keyof Table]: Table[Name]['value'] extends string
    ? (Table[Name]['many'] extends true ? readonly string[] : string | undefined)
    : boolean;
};

export interface ParsedArguments<Table extends ArgumentTable> {
  readonly options: Arguments<Table>;
  readonly operands: readonly string[];
}

/** The options every command takes that works on a store. */
export const configArguments = {
  config: { short: 'c', value: 'FILE' },
  imapdConf: { short: 'C', value: 'FILE' },
  cyrusConf: { short: 'M', value: 'FILE' },
  help: { short: 'h' },
  json: {},
} as const satisfies ArgumentTable;

/** What to say about them in a usage text. */
export const configUsage =
  `  -c, --config FILE       the configuration; /etc/mailstore/mailstore.toml unless given
  -C, --imapd-conf FILE   an imapd.conf of Cyrus instead
  -M, --cyrus-conf FILE   the cyrus.conf that goes with it
`;

/** Where the configuration is when no option names it. */
export const defaultConfig = '/etc/mailstore/mailstore.toml';

/** The command line is wrong: exit code EX_USAGE. */
export function usageError(text: string): MailError {
  return syntaxError(`${text}; --help explains the options`);
}

/**
 * Reads arguments the usual way: `-c FILE`, `-cFILE`, `--config FILE`, `--config=FILE`, `-ab` for two switches, `--`
 * before operands that begin with a dash; options and operands in any order. Throws `badsyntax` (EX_USAGE) for
 * whatever is not in the table.
 */
export function parseArgs<const Table extends ArgumentTable>(
  args: readonly string[],
  table: Table,
): ParsedArguments<Table> {
  const found: Record<string, boolean | string | string[] | undefined> = {};
  const byFlag = new Map<string, readonly [string, ArgumentRow]>();
  for (const [name, row] of Object.entries(table)) {
    byFlag.set(`--${longName(name)}`, [name, row]);
    if (row.short !== undefined) byFlag.set(`-${row.short}`, [name, row]);
    found[name] = row.value === undefined ? false : row.many === true ? [] : undefined;
  }
  const operands: string[] = [];
  const rest = [...args];
  const take = (flag: string, attached: string | undefined): void => {
    const entry = byFlag.get(flag);
    if (entry === undefined) throw usageError(`there is no option ${flag}`);
    const [name, row] = entry;
    if (row.value === undefined) {
      if (attached !== undefined) throw usageError(`${flag} takes no value`);
      found[name] = true;
      return;
    }
    const value = attached ?? rest.shift();
    if (value === undefined) throw usageError(`${flag} needs ${row.value}`);
    const before = found[name];
    if (Array.isArray(before)) before.push(value);
    else if (before === undefined) found[name] = value;
    else throw usageError(`${flag} is given twice`);
  };

  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      operands.push(...rest);
      break;
    }
    if (word.startsWith('--')) {
      const equals = word.indexOf('=');
      if (equals < 0) take(word, undefined);
      else take(word.slice(0, equals), word.slice(equals + 1));
    } else if (word.startsWith('-') && word.length > 1) {
      for (let at = 1; at < word.length; at++) {
        const flag = `-${word[at]}`;
        const attached = word.slice(at + 1);
        if (byFlag.get(flag)?.[1].value !== undefined && attached !== '') {
          take(flag, attached);
          break;
        }
        take(flag, undefined);
      }
    } else operands.push(word);
  }
  return { options: found as Arguments<Table>, operands };
}

function longName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The files -c, -C and -M name. Throws `badsyntax` where they contradict each other. */
export function configFilesFrom(
  options: Pick<Arguments<typeof configArguments>, 'config' | 'imapdConf' | 'cyrusConf'>,
): ConfigFiles {
  const { config, imapdConf, cyrusConf } = options;
  if (imapdConf !== undefined) {
    if (config !== undefined) throw usageError('-c and -C name two configurations; one is needed');
    return { imapdConf, cyrusConf };
  }
  if (cyrusConf !== undefined) {
    throw usageError('-M names a cyrus.conf; the imapd.conf that goes with it is missing (-C)');
  }
  return { toml: config ?? defaultConfig };
}

/**
 * The settings of the configuration -c, -C and -M name, and its warnings. Throws `config` (EX_CONFIG) with every
 * problem, `badsyntax` (EX_USAGE) where the options contradict each other.
 */
export function settingsFrom(
  options: Pick<Arguments<typeof configArguments>, 'config' | 'imapdConf' | 'cyrusConf'>,
): Loaded {
  const files = configFilesFrom(options);
  if ('toml' in files && options.config === undefined && !existsSync(files.toml)) {
    const text = 'there is no such file; name a configuration by -c FILE or by -C imapd.conf -M cyrus.conf';
    throw new ConfigError([{ file: files.toml, line: 0, key: '', text }]);
  }
  return loadSettings(files);
}
