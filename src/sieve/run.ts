/** What runs: a program of flat instructions, and the state of one run over one message. */
import { limits } from '../limits.ts';
import type { Diagnostic, Position } from './diagnostic.ts';
import type { Host, StoredScript } from './host.ts';
import { listName } from './listname.ts';
import { Groups } from './match/groups.ts';
import type { Envelope, Message } from './message.ts';
import { fromOctets, toOctets } from './octets.ts';
import { type Content, Result } from './result.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.ts';

/** A compiled test. It answers with a promise where it waits for an external program, or pauses over a large body. */
export interface Test {
  evaluate(run: Run): boolean | Promise<boolean>;
}

/** A compiled action or control command. A promise as with tests. */
export interface Command {
  execute(run: Run): void | Promise<void>;
}

/** Steps, of about a microsecond each, after which a run gives others their turn. */
const PAUSE = 20_000;

/** What an instruction does. */
export const TEST = 0;
export const DO = 1;
export const JUMP = 2;
export const END = 3;

/** One step. All have the same members, so that the machine's loop sees one shape. */
export interface Instruction {
  readonly op: typeof TEST | typeof DO | typeof JUMP | typeof END;
  readonly position: Position;
  /** The command or test as the script names it. */
  readonly name: string;
  readonly test: Test | null;
  readonly command: Command | null;
  /** Where to go on: after a test that is true, after a command, by a jump. */
  readonly yes: number;
  /** Where to go on after a test that is false. */
  readonly no: number;
}

/** A compiled script. Immutable: many runs share it. */
export interface Program {
  /** The script's name, for diagnostics and `include`; '' where it has none. */
  readonly name: string;
  readonly code: readonly Instruction[];
  /** Capabilities it required. */
  readonly required: ReadonlySet<string>;
  /** Names of its variables by slot. */
  readonly variables: readonly string[];
  /** A script that it includes, compiled as this one was. `name` is octets. */
  load(name: string, script: StoredScript): LoadedScript;
}

/** A program, or why there is none. */
export interface LoadedScript {
  readonly program: Program | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Bounds of one run; the rows of `limits/sieve.ts` unless the caller has others. */
export interface RunLimits {
  readonly instructions: number;
  readonly memory: number;
  readonly actions: number;
  readonly redirects: number;
  /** Octets of a variable, and of a string with variables in it. */
  readonly variableSize: number;
  readonly valueSize: number;
  /** Levels and number of included scripts (RFC 6609 §3.1). */
  readonly includeDepth: number;
  readonly includes: number;
}

export const RUN_LIMITS: RunLimits = {
  instructions: limits.sieve_instructions.value,
  memory: limits.sieve_memory.value,
  actions: limits.sieve_actions.value,
  redirects: limits.sieve_redirects.value,
  variableSize: limits.sieve_variable.value,
  valueSize: limits.sieve_value.value,
  includeDepth: limits.sieve_include_depth.value,
  includes: limits.sieve_includes.value,
};

/** One line of a trace: what was decided where. */
export interface TraceLine extends Position {
  readonly script: string;
  readonly text: string;
}

/** What a run works on. */
export interface RunInput {
  readonly message: Message;
  readonly envelope: Envelope;
  readonly host: Host;
  readonly limits?: RunLimits;
  readonly settings?: Settings;
  /** Chars between user and detail of a localpart (RFC 5233 §3); "+" where it is missing. */
  readonly separators?: string;
  /** The mailbox that `keep` means, where it is known: fileinto it and keep are one copy then (RFC 5228 §2.10.3). */
  readonly defaultMailbox?: string;
  /** Where decisions go; the result of an earlier script of the same delivery, or a new one. */
  readonly result?: Result;
  readonly trace?: (line: TraceLine) => void;
}

/** A script that cannot go on. The message is kept (RFC 5228 §2.10.6). */
export class ScriptError extends Error {}

/** A key of state that an extension keeps while a script runs, with what it is in the beginning. */
export class StateKey<T> {
  readonly initial: () => T;

  constructor(initial: () => T) {
    this.initial = initial;
  }
}

/** A script that is being run: the one at the top, or one that it includes. */
export interface Frame {
  readonly program: Program;
  /** Location and name, for `include`. */
  readonly key: string;
  /** Index of the next instruction. */
  pc: number;
  readonly variables: string[];
  /** ${0} … of its last match; null where it has no variables. */
  readonly captures: Groups | null;
}

/** The state of one run. */
export class Run {
  message: Message;
  envelope: Envelope;
  result: Result;
  readonly host: Host;
  limits: RunLimits;
  settings: Settings;
  separators: string;
  readonly defaultMailbox: string | null;
  readonly trace: ((line: TraceLine) => void) | null;
  /** The scripts being run, the innermost last. */
  readonly frames: Frame[] = [];
  frame: Frame;
  /** Set by `stop`, or when the last script has ended. */
  ended = false;
  /** The instruction being carried out. */
  at: Instruction | null = null;
  #budget: number;
  #memory: number;
  /** Octets of changed messages that actions may hold yet, and those that they hold. */
  #room: number;
  readonly #held = new Set<ArrayBufferLike>();
  #pauseAt: number;
  readonly #states = new Map<StateKey<unknown>, unknown>();

  constructor(program: Program, input: RunInput) {
    this.message = input.message;
    this.envelope = input.envelope;
    this.host = input.host;
    this.limits = input.limits ?? RUN_LIMITS;
    this.settings = input.settings ?? DEFAULT_SETTINGS;
    this.separators = input.separators ?? '+';
    this.defaultMailbox = input.defaultMailbox ?? null;
    this.result = input.result ?? new Result();
    this.result.begin();
    this.trace = input.trace ?? null;
    this.#budget = this.limits.instructions;
    this.#memory = this.limits.memory;
    this.#room = limits.sieve_edited.value + 2 * this.message.size;
    this.#pauseAt = this.#budget - PAUSE;
    this.frame = this.enter(program, `personal ${program.name}`);
  }

  /** Runs a program next, and goes on here when it has ended. */
  enter(program: Program, key: string): Frame {
    const variables = program.variables.length === 0
      ? NO_VARIABLES
      : new Array<string>(program.variables.length).fill('');
    this.frame = {
      program,
      key,
      pc: 0,
      variables,
      captures: program.required.has('variables') ? new Groups() : null,
    };
    this.frames.push(this.frame);
    return this.frame;
  }

  /** Where a match puts what its wildcards stood for (RFC 5229 §3.2). */
  get captures(): Groups | null {
    return this.frame.captures;
  }

  /** Ends the innermost script. */
  leave(): void {
    this.frames.pop();
    const outer = this.frames[this.frames.length - 1];
    if (outer === undefined) this.ended = true;
    else this.frame = outer;
  }

  /** What stands on one of the site's lists and is the same as a value, or null (RFC 6134 §2.2). */
  listed(list: string, value: string): string | null {
    const name = listName(list);
    const found = this.settings.lists.has(name)
      ? this.host.listed(fromOctets(name), fromOctets(value))
      : null;
    return found === null ? null : toOctets(found);
  }

  /** The addresses on one of the site's lists, which must be there. One that leads nowhere is an error (RFC 6134 §2.3). */
  members(list: string): readonly string[] {
    const name = listName(list);
    if (!this.settings.lists.has(name)) throw new ScriptError(`there is no list "${list}"`);
    const members = this.host.members(fromOctets(name));
    if (members.length === 0) {
      throw new ScriptError(`the list "${list}" has no address that mail can be sent to`);
    }
    return members;
  }

  /** Takes work from the instruction budget. */
  spend(work: number): void {
    this.#budget -= work;
    if (this.#budget < 0) {
      throw new ScriptError(`the script takes more than ${this.limits.instructions} steps`);
    }
  }

  /** Takes octets of text from the memory budget; returns the text. */
  allocate(text: string): string {
    this.#memory -= text.length;
    if (this.#memory < 0) {
      throw new ScriptError(`the script makes more than ${this.limits.memory} octets of text`);
    }
    return text;
  }

  /** The message as it is now, or as told, for an action to hold: each change that is held takes memory of its own. */
  content(content: Content = this.message.content()): Content {
    for (const { buffer } of content ?? []) {
      if (this.#held.has(buffer)) continue;
      this.#held.add(buffer);
      this.#room -= buffer.byteLength;
    }
    if (this.#room < 0) {
      throw new ScriptError(
        `the actions of the script hold more than ${limits.sieve_edited.value} octets of changed messages`,
      );
    }
    return content;
  }

  /** True each time when a script has computed for so long that others should have their turn. */
  pauseDue(): boolean {
    if (this.#budget > this.#pauseAt) return false;
    this.#pauseAt = this.#budget - PAUSE;
    return true;
  }

  /** An extension's state. */
  state<T>(key: StateKey<T>): T {
    if (this.#states.has(key)) return this.#states.get(key) as T;
    const state = key.initial();
    this.#states.set(key, state);
    return state;
  }

  /** Sets an extension's state. */
  setState<T>(key: StateKey<T>, state: T): void {
    this.#states.set(key, state);
  }

  /** A line of the trace, at the instruction being carried out. Ask for `trace` first: text is not made for nobody. */
  note(text: string): void {
    const { line, column } = this.at?.position ?? { line: 0, column: 0 };
    this.trace?.({ script: this.frame.program.name, line, column, text });
  }
}

const NO_VARIABLES: string[] = [];

/** How a run ended. */
export interface Outcome {
  readonly result: Result;
  /** Null, or why the script could not go on and where; then the caller keeps the message (RFC 5228 §2.10.6). */
  readonly error: (Diagnostic & { readonly script: string }) | null;
}
