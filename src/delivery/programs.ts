/** Active scripts as programs, compiled once per worker: the hash of a script names its program. */

import { ScriptCache } from '../sieve/cache.ts';
import type { Compiled, CompileOptions } from '../sieve/compile.ts';
import { compile } from '../sieve/extensions.ts';
import type { Program } from '../sieve/run.ts';
import type { Settings as SieveSettings } from '../sieve/settings.ts';
import type { Store } from '../store/border.ts';
import { allowedCapabilities, type LanguageSettings, sieveSettings } from './language.ts';

/** A program, or why there is none: a script that was put under other rules. */
export type ActiveProgram =
  | { readonly program: Program }
  | { readonly program: null; readonly problem: string };

export class Programs {
  readonly #store: Pick<Store, 'scriptByHash' | 'activeScript'>;
  readonly #cache = new ScriptCache();
  readonly #options: CompileOptions;
  /** What the administrator says about extensions, for the runs. */
  readonly settings: SieveSettings;

  constructor(
    store: Pick<Store, 'scriptByHash' | 'activeScript'>,
    settings: LanguageSettings,
  ) {
    this.#store = store;
    // RFC 6785 is for what users do; at a delivery nobody may require it.
    this.settings = { ...sieveSettings(settings), imapEvents: false };
    this.#options = {
      settings: this.settings,
      allowed: new Set(allowedCapabilities(settings)),
      cache: this.#cache,
      // What is stored was short enough when it was put.
      maxSize: Number.MAX_SAFE_INTEGER,
    };
  }

  /**
   * The program of a user's active script; null where the user has none by now.
   * @param hash of `DeliveryTarget.script`
   */
  active(userid: string, hash: string): ActiveProgram | null {
    const known = this.#cache.get(keyOf(hash));
    if (known !== null) return activeProgram(known);
    const content = this.#store.scriptByHash(userid, hash);
    if (content !== null) return this.#compile(content, hash);
    const active = this.#store.activeScript(userid);
    return active === null ? null : this.#compile(active.content, active.hash);
  }

  #compile(content: Uint8Array, hash: string): ActiveProgram {
    const compiled = compile(content, this.#options);
    this.#cache.put(keyOf(hash), compiled, content.length);
    return activeProgram(compiled);
  }
}

/** Apart from the keys of included scripts. */
function keyOf(hash: string): string {
  return `active ${hash}`;
}

function activeProgram({ program, diagnostics }: Compiled): ActiveProgram {
  if (program !== null) return { program };
  const first = diagnostics.find(({ severity }) => severity === 'error');
  const place = first === undefined ? '' : `line ${first.line}, column ${first.column}: `;
  return { program: null, problem: `${place}${first?.text ?? 'the script cannot be compiled'}` };
}
