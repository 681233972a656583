/** Settings that test files make by the names Dovecot gives them, in the terms of the language here. */

import { DEFAULT_SETTINGS, type Settings } from '../../../sieve/settings.ts';
import { RUN_LIMITS, type RunLimits } from '../../../sieve/run.ts';

const YES = /^(?:yes|true|1)$/i;

export class Configuration {
  /** As they were set, effective or not. */
  readonly #values = new Map<string, string>();
  settings: Settings = DEFAULT_SETTINGS;
  limits: RunLimits = RUN_LIMITS;
  separators = '+';

  set(name: string, value: string): void {
    this.#values.set(name, value);
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
    };
    this.settings = {
      ...DEFAULT_SETTINGS,
      editheader: {
        forbidAdd: this.#headers('forbid_add'),
        forbidDelete: this.#headers('forbid_delete'),
        maxSize: this.size('sieve_editheader_max_header_size') ?? DEFAULT_SETTINGS.editheader.maxSize,
      },
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

  /** Members of a list of names, `a b c`. */
  members(name: string): string[] {
    return (this.get(name) ?? '').split(/\s+/).filter((member) => member !== '');
  }

  #headers(what: string): ReadonlySet<string> {
    return new Set(
      this.members('sieve_editheader_header')
        .filter((member) => this.isOn(`sieve_editheader_header/${member}/${what}`))
        .map((member) => member.toLowerCase()),
    );
  }
}
