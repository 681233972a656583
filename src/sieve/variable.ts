/** Variables (RFC 5229): where a script's are kept, and names that other extensions give values to. */
import type { Run } from './run.ts';

/** Something with a value that a string may refer to. */
export interface Variable {
  get(run: Run): string;
  /** Missing where `set` must not change it. */
  readonly set?: (run: Run, value: string) => void;
}

/** A variable that `set` may change. */
export type Settable = Variable & Required<Pick<Variable, 'set'>>;

/** A variable of the script itself. */
export class LocalVariable implements Variable {
  readonly #slot: number;

  constructor(slot: number) {
    this.#slot = slot;
  }

  get(run: Run): string {
    return run.frame.variables[this.#slot] ?? '';
  }

  readonly set = (run: Run, value: string): void => {
    run.frame.variables[this.#slot] = run.allocate(truncated(value, run.limits.variableSize));
  };
}

/** ${1} … (RFC 5229 §3.2): what the wildcards of the last match stood for. */
export class MatchVariable implements Variable {
  readonly #index: number;

  constructor(index: number) {
    this.#index = index;
  }

  get(run: Run): string {
    return run.captures?.groups[this.#index] ?? '';
  }
}

/** Octets up to a size, without half a character of UTF-8 at the end (RFC 5229 §6). */
export function truncated(octets: string, size: number): string {
  if (octets.length <= size) return octets;
  let end = size;
  while (end > 0 && size - end < 3 && (octets.charCodeAt(end) & 0xc0) === 0x80) end--;
  return octets.slice(0, end);
}
