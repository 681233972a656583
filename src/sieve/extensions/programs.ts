/**
 * vnd.dovecot.pipe, filter and execute: programs that the administrator put into a folder for it, by their names alone. There is no
 * shell, and nothing of a message gets into their arguments unless the script puts it there.
 */
import { act, checkConflict, draft } from '../action.ts';
import type { Call, CallSpec, Compiler, Extension, Modifier, Parameter } from '../extension.ts';
import type { ProgramKind, ProgramOutcome } from '../host.ts';
import { printable } from '../lexer.ts';
import { bytesToOctets, fromOctets, octetBytes, strictFromOctets } from '../octets.ts';
import { type Command, type Run, ScriptError, type Test } from '../run.ts';
import type { Text, Texts } from '../text.ts';
import type { Settable } from '../variable.ts';

const LONGEST_NAME = 128;

/** What is wrong with the name of a program, or null: it is a file's name and no path. */
export function programWrong(octets: string): string | null {
  const name = strictFromOctets(octets);
  const bad = name === null || name === '' || name.length > LONGEST_NAME || name === '.' || name === '..' ||
    /[/\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(name);
  return bad
    ? `invalid program name "${printable(octets)}": expected the name of a file without a path`
    : null;
}

/** What is wrong with an argument, or null. */
function argumentWrong(argument: string): string | null {
  return /[\x00\r\n]/.test(argument) ? 'invalid program argument: it has a line end or a NUL' : null;
}

const PROGRAM: Parameter = { name: 'program', type: 'string', check: programWrong };
const ARGUMENTS: Parameter = { name: 'arguments', type: 'strings', optional: true, check: argumentWrong };

/** A program as a script names it. */
interface ProgramCall {
  readonly program: Text;
  readonly args: Texts | null;
}

function programCall(call: Call): ProgramCall {
  return {
    program: call.text('program'),
    args: call.has('arguments') ? call.texts('arguments') : null,
  };
}

/** The name and the arguments as they are now. */
function named(run: Run, { program, args }: ProgramCall): { name: string; args: string[] } {
  const name = program.value(run);
  const given = args?.values(run) ?? [];
  const wrong = programWrong(name) ?? given.map(argumentWrong).find((found) => found !== null) ?? null;
  if (wrong !== null) throw new ScriptError(wrong);
  return { name: fromOctets(name), args: given.map(fromOctets) };
}

/** Runs it. Each costs a lot of steps, so that a script cannot start very many. */
function start(run: Run, kind: ProgramKind, call: ProgramCall, input: Uint8Array): Promise<ProgramOutcome> {
  const { name, args } = named(run, call);
  run.spend(COST);
  if (run.trace !== null) run.note(`${kind} ${name}`);
  const { from, to, originalTo } = run.envelope;
  return run.host.program({
    kind,
    name,
    args,
    input,
    sender: fromOctets(from),
    recipient: fromOctets(to),
    originalRecipient: fromOctets(originalTo ?? to),
  });
}

const COST = 50_000;

class Pipe implements Command {
  readonly #call: ProgramCall;
  readonly #modifiers: readonly Modifier[];
  readonly #attempt: boolean;

  constructor(call: ProgramCall, modifiers: readonly Modifier[], attempt: boolean) {
    this.#call = call;
    this.#modifiers = modifiers;
    this.#attempt = attempt;
  }

  execute(run: Run): void {
    const { name, args } = named(run, this.#call);
    const { copy } = draft(run, this.#modifiers);
    checkConflict(run, 'pipe');
    if (!copy) run.result.implicitKeep = false;
    const content = run.content();
    act(run, { kind: 'pipe', program: name, args, attempt: this.#attempt, content }, () => `pipe ${name}`);
  }
}

/** The message goes to a program's input, when the script has ended. */
export const pipe: Extension = {
  capability: 'vnd.dovecot.pipe',
  offered: ({ programs }) => programs.has('pipe'),
  commands: [{
    name: 'pipe',
    tags: [{ name: 'try' }],
    parameters: [PROGRAM, ARGUMENTS],
    emit: (call, compiler) =>
      compiler.command(call.node, new Pipe(programCall(call), call.modifiers(), call.has('try'))),
  }],
};

/** A program whose failure is an error of the script, or, asked as a test, false. */
abstract class Running implements Command, Test {
  /** Why it failed, or null. */
  protected abstract go(run: Run): Promise<string | null>;

  async execute(run: Run): Promise<void> {
    const failed = await this.go(run);
    if (failed !== null) throw new ScriptError(failed);
  }

  async evaluate(run: Run): Promise<boolean> {
    const failed = await this.go(run);
    if (failed !== null && run.trace !== null) run.note(failed);
    return failed === null;
  }
}

class Filter extends Running {
  readonly #call: ProgramCall;

  constructor(call: ProgramCall) {
    super();
    this.#call = call;
  }

  protected override async go(run: Run): Promise<string | null> {
    const outcome = await start(run, 'filter', this.#call, run.message.bytes());
    if (outcome.failed !== null) return outcome.failed;
    run.message.become(withCrlf(outcome.output));
    return null;
  }
}

/** Line ends of a message are CRLF, whatever a program writes. */
function withCrlf(bytes: Uint8Array): Uint8Array {
  return octetBytes(bytesToOctets(bytes).replace(/\r?\n/g, '\r\n'));
}

function both(
  spec: CallSpec,
  make: (call: Call, compiler: Compiler) => Running | null,
): Pick<Extension, 'commands' | 'tests'> {
  return {
    commands: [{
      ...spec,
      emit(call, compiler) {
        const made = make(call, compiler);
        if (made !== null) compiler.command(call.node, made);
      },
    }],
    tests: [{ ...spec, compile: make }],
  };
}

/** What a program makes of the message is the message from here on. */
export const filter: Extension = {
  capability: 'vnd.dovecot.filter',
  offered: ({ programs }) => programs.has('filter'),
  ...both({ name: 'filter', parameters: [PROGRAM, ARGUMENTS] }, (call) => new Filter(programCall(call))),
};

class Execute extends Running {
  readonly #call: ProgramCall;
  readonly #input: Text | 'message' | null;
  readonly #output: Settable | null;

  constructor(call: ProgramCall, input: Text | 'message' | null, output: Settable | null) {
    super();
    this.#call = call;
    this.#input = input;
    this.#output = output;
  }

  protected override async go(run: Run): Promise<string | null> {
    const input = this.#input === null
      ? new Uint8Array(0)
      : this.#input === 'message'
      ? run.message.bytes()
      : octetBytes(this.#input.value(run));
    const outcome = await start(run, 'execute', this.#call, input);
    if (outcome.failed !== null) return outcome.failed;
    // More than a variable holds is cut where it is set.
    const most = run.limits.variableSize + 4;
    this.#output?.set(run, bytesToOctets(outcome.output.subarray(0, most)));
    return null;
  }
}

/** A program with an input, whose output a variable may take. */
export const execute: Extension = {
  capability: 'vnd.dovecot.execute',
  offered: ({ programs }) => programs.has('execute'),
  ...both({
    name: 'execute',
    tags: [
      { name: 'input', group: 'input', parameter: { name: 'input', type: 'string' } },
      { name: 'pipe', group: 'input' },
      { name: 'output', parameter: { name: 'output', type: 'string', constant: true } },
    ],
    parameters: [PROGRAM, ARGUMENTS],
  }, (call, compiler) => {
    const input = call.has('pipe') ? 'message' : call.has('input') ? call.text('input') : null;
    if (!call.has('output')) return new Execute(programCall(call), input, null);
    if (!compiler.enabled('variables')) {
      compiler.error(call.position('output'), 'the execute command: \':output\' needs require "variables"');
      return null;
    }
    const name = call.constant('output');
    const variable = compiler.variable(name, call.position('output'));
    if (variable === null) return null;
    if (variable.set === undefined) {
      compiler.error(call.position('output'), `the variable "${name}" cannot be set`);
      return null;
    }
    return new Execute(programCall(call), input, variable as Settable);
  }),
};
