/** The Sieve language as a configuration allows it: the same for scripts that are put and for those that run. */

import type { Settings } from '../config/settings.ts';
import { MailError } from '../errors.ts';
import type { ProgramKind } from '../sieve/host.ts';
import { capabilities } from '../sieve/extensions.ts';
import { DEFAULT_LIST, listName } from '../sieve/listname.ts';
import { scoreField, type ScoreSource } from '../sieve/score.ts';
import { DEFAULT_SETTINGS, type Settings as SieveSettings } from '../sieve/settings.ts';

export type LanguageSettings = Pick<
  Settings,
  | 'sieve_extensions'
  | 'sieve_lists'
  | 'sieve_pipe_bin_dir'
  | 'sieve_filter_bin_dir'
  | 'sieve_execute_bin_dir'
  | 'sieve_editheader_forbid_add'
  | 'sieve_editheader_forbid_delete'
  | 'sieve_spamtest_status_header'
  | 'sieve_spamtest_status_type'
  | 'sieve_spamtest_max'
  | 'sieve_spamtest_texts'
  | 'sieve_virustest_status_header'
  | 'sieve_virustest_texts'
  | 'imapsieve'
>;

/** What `require` may name here, in the order in which it is announced (`sieve_extensions`). Comparators always. */
export function allowedCapabilities(settings: LanguageSettings): string[] {
  const names = new Set(settings.sieve_extensions.map((name) => name.toLowerCase()));
  const lists = Object.keys(settings.sieve_lists).length > 0;
  return capabilities(sieveSettings(settings)).filter((name) => lists || name !== 'extlists').filter((name) =>
    names.size === 0 || name.startsWith('comparator-') || names.has(name.toLowerCase())
  );
}

/** What the administrator says about extensions. @throws MailError 'config' for an expression or a number that is none */
export function sieveSettings(settings: LanguageSettings): SieveSettings {
  const lower = (names: readonly string[]) => new Set(names.map((name) => name.toLowerCase()));
  const folders: readonly (readonly [ProgramKind, string])[] = [
    ['pipe', settings.sieve_pipe_bin_dir],
    ['filter', settings.sieve_filter_bin_dir],
    ['execute', settings.sieve_execute_bin_dir],
  ];
  return {
    ...DEFAULT_SETTINGS,
    editheader: {
      forbidAdd: lower(settings.sieve_editheader_forbid_add),
      forbidDelete: lower(settings.sieve_editheader_forbid_delete),
      maxSize: DEFAULT_SETTINGS.editheader.maxSize,
    },
    spamtest: settings.sieve_spamtest_status_header === '' ? null : spamSource(settings),
    virustest: settings.sieve_virustest_status_header === '' ? null : {
      status: fieldOf('sieve.virustest_status_header', settings.sieve_virustest_status_header),
      type: 'text',
      max: null,
      texts: textsOf('sieve.virustest_texts', settings.sieve_virustest_texts, 5),
    },
    lists: new Set([DEFAULT_LIST, ...Object.keys(settings.sieve_lists).map(listName)]),
    imapEvents: settings.imapsieve,
    programs: new Set(folders.filter(([, folder]) => folder !== '').map(([kind]) => kind)),
  };
}

function spamSource(settings: LanguageSettings): ScoreSource {
  const { sieve_spamtest_status_type: type, sieve_spamtest_max: max } = settings;
  const number = Number(max);
  if (type !== 'text' && (max === '' || !Number.isNaN(number) && number <= 0)) {
    throw wrong('sieve.spamtest_max', 'a score needs to be told from where on it is certainly spam');
  }
  return {
    status: fieldOf('sieve.spamtest_status_header', settings.sieve_spamtest_status_header),
    type,
    max: max === '' ? null : Number.isNaN(number) ? fieldOf('sieve.spamtest_max', max) : number,
    texts: textsOf('sieve.spamtest_texts', settings.sieve_spamtest_texts, 10),
  };
}

function fieldOf(option: string, text: string) {
  try {
    return scoreField(text);
  } catch (thrown) {
    throw wrong(option, (thrown as Error).message);
  }
}

function textsOf(option: string, items: readonly string[], most: number): Map<string, number> {
  return new Map(items.map((item) => {
    const match = /^(.*)=(\d{1,2})$/s.exec(item);
    if (match === null || Number(match[2]) > most) {
      throw wrong(option, `"${item}" is no text with = and a number up to ${most}`);
    }
    return [match[1] ?? '', Number(match[2])];
  }));
}

function wrong(option: string, text: string): MailError {
  return new MailError('server', 'config', `${option}: ${text}`);
}
