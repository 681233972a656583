/** RFC 6609: scripts in scripts, and variables that they share. */
import { limits } from '../../limits.ts';
import type { CommandSpec, Extension } from '../extension.ts';
import type { ScriptLocation } from '../host.ts';
import { printable } from '../lexer.ts';
import { fromOctets, lowerAscii } from '../octets.ts';
import { type Command, type Run, ScriptError, StateKey } from '../run.ts';
import type { Settings } from '../settings.ts';
import { type Settable, truncated } from '../variable.ts';
import { endOpenLoops } from './foreverypart.ts';

/** RFC 5804 §1.6; and no "/" where a name would be a path (§4). */
function nameWrong(octets: string, { scriptsAreFiles }: Settings): string | null {
  const name = fromOctets(octets);
  const fine = name !== '' && octets.length <= limits.store_script_name.value &&
    !/[\0-\x1f\x7f-\x9f\u2028\u2029]/.test(name) && !(scriptsAreFiles && name.includes('/'));
  return fine ? null : `"${printable(octets)}" cannot be the name of a script`;
}

/** Scripts that were included, by location and name. */
const INCLUDED = new StateKey<Set<string>>(() => new Set());

class Include implements Command {
  readonly #location: ScriptLocation;
  readonly #name: string;
  readonly #once: boolean;
  readonly #optional: boolean;

  constructor(location: ScriptLocation, name: string, once: boolean, optional: boolean) {
    this.#location = location;
    this.#name = name;
    this.#once = once;
    this.#optional = optional;
  }

  execute(run: Run): void {
    const key = `${this.#location} ${this.#name}`;
    const included = run.state(INCLUDED);
    const recursive = run.frames.some((frame) => frame.key === key);
    if (this.#once && (recursive || included.has(key))) return;
    const what = `the script "${fromOctets(this.#name)}"`;
    if (recursive) throw new ScriptError(`${what} includes itself`);
    if (run.frames.length > run.limits.includeDepth) {
      throw new ScriptError(`scripts are included more than ${run.limits.includeDepth} levels deep`);
    }
    const script = run.host.script(this.#location, fromOctets(this.#name));
    if (script === null) {
      if (this.#optional) return;
      throw new ScriptError(`${what}, which is included here, does not exist`);
    }
    included.add(key);
    if (included.size > run.limits.includes) {
      throw new ScriptError(`more than ${run.limits.includes} scripts are included`);
    }
    const { program, diagnostics } = run.frame.program.load(this.#name, script);
    if (program === null) {
      const [first] = diagnostics.filter(({ severity }) => severity === 'error');
      throw new ScriptError(
        `${what}, which is included here, has errors: line ${first?.line}: ${first?.text}`,
      );
    }
    if (run.trace !== null) run.note(`include ${what}`);
    run.enter(program, key);
  }
}

/** §3.2 */
const include: CommandSpec = {
  name: 'include',
  tags: [
    { name: 'personal', group: 'location' },
    { name: 'global', group: 'location' },
    { name: 'once' },
    { name: 'optional' },
  ],
  parameters: [{ name: 'value', type: 'string', constant: true, check: nameWrong }],
  emit(call, compiler) {
    const location = call.has('global') ? 'global' : 'personal';
    const name = call.constant('value');
    const [once, optional] = [call.has('once'), call.has('optional')];
    compiler.include({ location, name, once, optional }, call.position('value'));
    compiler.command(call.node, new Include(location, name, once, optional));
  },
};

const RETURN: Command = {
  execute(run: Run): void {
    if (run.trace !== null) run.note('return');
    run.leave();
  },
};

/** §3.3: of the script at the top the same as stop. */
const returnCommand: CommandSpec = {
  name: 'return',
  parameters: [],
  emit(call, compiler) {
    endOpenLoops(call.node, compiler);
    compiler.command(call.node, RETURN);
  },
};

const GLOBALS = new StateKey<Map<string, string>>(() => new Map());

/** §3.4: one and the same in all scripts of a run that know it. */
class GlobalVariable implements Settable {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  get(run: Run): string {
    return run.state(GLOBALS).get(this.#name) ?? '';
  }

  readonly set = (run: Run, value: string): void => {
    const globals = run.state(GLOBALS);
    globals.set(this.#name, run.allocate(truncated(value, run.limits.variableSize)));
    if (globals.size > limits.sieve_variables.value) {
      throw new ScriptError(`more than ${limits.sieve_variables.value} global variables`);
    }
  };
}

/** §3.4.1 */
const global: CommandSpec = {
  name: 'global',
  parameters: [{ name: 'names', type: 'strings', constant: true }],
  emit(call, compiler) {
    if (!compiler.enabled('variables')) {
      compiler.error(call.node.position, 'the global command needs require "variables"');
      return;
    }
    for (const name of call.texts('names').constant ?? []) {
      const key = lowerAscii(name);
      if (!/^[a-z_][a-z0-9_]*$/.test(key) || key.length > limits.sieve_variable_name.value) {
        compiler.error(call.position('names'), `"${printable(name)}" is no name of a variable`);
      } else if (!compiler.declare(key, new GlobalVariable(key))) {
        compiler.error(
          call.position('names'),
          `the variable "${name}" was set before: expected "global" to stand first`,
        );
      }
    }
  },
};

export const includeExtension: Extension = {
  capability: 'include',
  commands: [include, returnCommand, global],
  // §3.4.2
  namespaces: [{
    name: 'global',
    variable: (path) => {
      const [name] = path;
      return path.length === 1 && name !== undefined && /^[a-z_]/.test(name)
        ? new GlobalVariable(name)
        : `"global.${path.join('.')}" is no variable: expected one name behind "global."`;
    },
  }],
};
