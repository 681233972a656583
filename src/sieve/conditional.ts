/** RFC 5463 §4: extensions that may be used from the moment at which a script asked for them, and not before. */
import { type Command, type Frame, type Run, ScriptError, StateKey } from './run.ts';

/** What each script of a run has asked for. Those that are included ask for themselves (RFC 6609 §3.2). */
const ASKED = new StateKey<WeakMap<Frame, Set<string>>>(() => new WeakMap());

/** A test for capabilities was evaluated and is true. */
export class Asked implements Command {
  readonly #capabilities: readonly string[];

  constructor(capabilities: readonly string[]) {
    this.#capabilities = capabilities;
  }

  execute(run: Run): void {
    const scripts = run.state(ASKED);
    const asked = scripts.get(run.frame) ?? new Set();
    for (const capability of this.#capabilities) asked.add(capability);
    scripts.set(run.frame, asked);
  }
}

/** Something of an extension is used next. */
export class Demand implements Command {
  readonly #capability: string;

  constructor(capability: string) {
    this.#capability = capability;
  }

  execute(run: Run): void {
    if (run.state(ASKED).get(run.frame)?.has(this.#capability) === true) return;
    throw new ScriptError(`"${this.#capability}" is used here, but ihave did not find it before`);
  }
}
