/** What `include` names, looked at while a script is compiled (RFC 6609 §3.1). */
import { limits } from '../limits.ts';
import type { Inclusion } from './extension.ts';
import type { ScriptLocation, StoredScript } from './host.ts';
import { fromOctets } from './octets.ts';

/** Finds the scripts there are; null for none. Names are Unicode. */
export type Scripts = (location: ScriptLocation, name: string) => StoredScript | null;

interface Bounds {
  readonly includeDepth?: number;
  readonly includes?: number;
}

/** What one script has been included by, and all that were included from the script at the top. */
export class Inclusions {
  readonly #around: readonly string[];
  readonly #bounds: Bounds;
  /** Whether each is without errors. */
  readonly #known: Map<string, boolean>;

  constructor(
    name: string,
    bounds: Bounds,
    around: readonly string[] = [`personal ${name}`],
    known = new Map<string, boolean>(),
  ) {
    this.#around = around;
    this.#bounds = bounds;
    this.#known = known;
  }

  /** Has a script compiled that is included; what is wrong with that, or null. */
  check(
    { location, name, once, optional }: Inclusion,
    scripts: Scripts,
    compile: (script: StoredScript, inclusions: Inclusions) => boolean,
  ): string | null {
    const key = `${location} ${name}`;
    const what = `the script "${fromOctets(name)}"`;
    if (this.#around.includes(key)) return once ? null : `${what} includes itself`;
    const depth = this.#bounds.includeDepth ?? limits.sieve_include_depth.value;
    if (this.#around.length > depth) return `scripts are included more than ${depth} levels deep`;
    let fine = this.#known.get(key);
    if (fine === undefined) {
      const script = scripts(location, fromOctets(name));
      if (script === null) return optional ? null : `${what}, which is included here, does not exist`;
      const most = this.#bounds.includes ?? limits.sieve_includes.value;
      if (this.#known.size >= most) return `more than ${most} scripts are included`;
      this.#known.set(key, true);
      fine = compile(script, new Inclusions(name, this.#bounds, [...this.#around, key], this.#known));
      this.#known.set(key, fine);
    }
    return fine ? null : `${what}, which is included here, has errors`;
  }
}
