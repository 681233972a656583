import { limits } from '../limits.ts';
import type { Compiled, CompiledScripts } from './compile.ts';

/**
 * Compiled scripts by the hash of their content: those used last, up to `limits.sieve_cache` octets of source. All scripts of one
 * cache are compiled with the same options but for their names.
 */
export class ScriptCache implements CompiledScripts {
  readonly #scripts = new Map<string, { readonly compiled: Compiled; readonly size: number }>();
  readonly #most: number;
  #size = 0;

  constructor(most: number = limits.sieve_cache.value) {
    this.#most = most;
  }

  get(key: string): Compiled | null {
    const found = this.#scripts.get(key);
    if (found === undefined) return null;
    this.#scripts.delete(key);
    this.#scripts.set(key, found);
    return found.compiled;
  }

  put(key: string, compiled: Compiled, size: number): void {
    if (this.#scripts.has(key)) return;
    this.#scripts.set(key, { compiled, size });
    this.#size += size;
    for (const [oldest, { size: given }] of this.#scripts) {
      if (this.#size <= this.#most) break;
      this.#scripts.delete(oldest);
      this.#size -= given;
    }
  }

  /** How many scripts there are. */
  get count(): number {
    return this.#scripts.size;
  }
}
