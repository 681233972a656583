/** Settings that test files make by the names Dovecot gives them, in the terms of the language here. */

import { existsSync, readFileSync } from 'node:fs';
import { listName } from '../../../sieve/listname.ts';
import { scoreField, type ScoreSource } from '../../../sieve/score.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../../sieve/settings.ts';
import { RUN_LIMITS, type RunLimits } from '../../../sieve/run.ts';

const YES = /^(?:yes|true|1)$/i;

/** All kinds there are: nothing is kept from a test. */
const PROGRAMS: Settings['programs'] = new Set(['pipe', 'filter', 'execute']);

export class Configuration {
  /** As they were set, effective or not. */
  readonly #values = new Map<string, string>();
  settings: Settings = {
    ...DEFAULT_SETTINGS,
    programs: PROGRAMS,
    imapEvents: true,
    utf8Addresses: false,
    scriptsAreFiles: true,
  };
  limits: RunLimits = RUN_LIMITS;
  separators = '+';

  set(name: string, value: string): void {
    this.#values.set(name, value.trim());
  }

  unset(name: string): void {
    for (const known of [...this.#values.keys()]) {
      if (known === name || known.startsWith(`${name}/`)) this.#values.delete(known);
    }
  }

  /** Makes what was set effective. */
  reload(): void {
    this.separators = this.get('recipient_delimiter') ?? '+';
    this.limits = {
      ...RUN_LIMITS,
      variableSize: this.size('sieve_variables_max_variable_size') ?? RUN_LIMITS.variableSize,
      valueSize: this.size('sieve_variables_max_value_size') ?? RUN_LIMITS.valueSize,
      includeDepth: this.size('sieve_include_max_nesting_depth') ?? RUN_LIMITS.includeDepth,
      includes: this.size('sieve_include_max_includes') ?? RUN_LIMITS.includes,
    };
    this.settings = {
      ...DEFAULT_SETTINGS,
      editheader: {
        forbidAdd: this.#headers('forbid_add'),
        forbidDelete: this.#headers('forbid_delete'),
        maxSize: this.size('sieve_editheader_max_header_size') ?? DEFAULT_SETTINGS.editheader.maxSize,
      },
      spamtest: this.#score('spamtest'),
      virustest: this.#score('virustest'),
      programs: PROGRAMS,
      imapEvents: true,
      utf8Addresses: false,
      scriptsAreFiles: true,
      notify: {
        ...DEFAULT_SETTINGS.notify,
        most: this.size('sieve_notify_max_notifications') ?? DEFAULT_SETTINGS.notify.most,
      },
      lists: new Set(this.names('sieve_extlists_list').map(listName)),
    };
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** `4096`, `64k`, `1M`, `2s`: octets or seconds. */
  size(name: string): number | undefined {
    const found = /^\s*(\d+)\s*([kmg]?)b?\s*s?\s*$/i.exec(this.get(name) ?? '');
    if (found === null) return undefined;
    const factor = { k: 1 << 10, m: 1 << 20, g: 1 << 30 }[(found[2] ?? '').toLowerCase()] ?? 1;
    return Number(found[1]) * factor;
  }

  isOn(name: string): boolean {
    return YES.test(this.get(name) ?? '');
  }

  /** What stands on an external list, in lower case: the keys of a file of keys and values, a line each. */
  members(list: string): readonly string[] {
    const path = this.get(`sieve_extlists_list/${list}/dict/file/path`);
    if (path === undefined || !existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split(/\r?\n/).filter((line) => line !== '');
    return lines.filter((_, index) => index % 2 === 0).map((key) =>
      key.slice(key.lastIndexOf('/') + 1).toLowerCase()
    );
  }

  #score(what: 'spamtest' | 'virustest'): ScoreSource | null {
    const header = this.get(`sieve_${what}_status_header`);
    if (header === undefined || header === '') return null;
    const type = this.get(`sieve_${what}_status_type`);
    const maxHeader = this.get(`sieve_${what}_score_max_header`);
    const maxValue = this.get(`sieve_${what}_score_max_value`);
    const prefix = `sieve_${what}_text_value/`;
    return {
      status: scoreField(header),
      type: type === 'strlen' || type === 'text' ? type : 'score',
      max: maxHeader !== undefined ? scoreField(maxHeader) : maxValue === undefined ? null : Number(maxValue),
      texts: new Map(
        [...this.#values].filter(([name]) => name.startsWith(prefix))
          .map(([name, text]) => [text, Number(name.slice(prefix.length))]),
      ),
    };
  }

  /** Members of a list of names, `a b c`. */
  names(name: string): string[] {
    return (this.get(name) ?? '').split(/\s+/).filter((member) => member !== '');
  }

  #headers(what: string): ReadonlySet<string> {
    return new Set(
      this.names('sieve_editheader_header')
        .filter((member) => this.isOn(`sieve_editheader_header/${member}/${what}`))
        .map((member) => member.toLowerCase()),
    );
  }
}
