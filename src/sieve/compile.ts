/** A script to a program: parse, check every command against what was required, emit flat code. */
import { limits } from '../limits.ts';
import { bind, type CallKind } from './bind.ts';
import { alternatives, type Diagnostic, type Position } from './diagnostic.ts';
import { Asked, Demand } from './conditional.ts';
import { Emitter } from './emit.ts';
import type {
  Call,
  CallSpec,
  Certainty,
  Chain,
  CommandSpec,
  CompileKey,
  Compiler,
  Extension,
  Inclusion,
  Label,
  TestSpec,
} from './extension.ts';
import type { StoredScript } from './host.ts';
import { Inclusions, type Scripts } from './inclusions.ts';
import { bytesToOctets, fromOctets } from './octets.ts';
import { parse } from './parser.ts';
import type { Provided, Registry } from './registry.ts';
import type { Command, Program, Test } from './run.ts';
import { Scope } from './scope.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.ts';
import type { CallNode, CommandNode, StringNode, TestNode } from './syntax.ts';
import type { Text } from './text.ts';
import type { Variable } from './variable.ts';

export interface CompileOptions {
  readonly settings?: Settings;
  /** The script's name, for messages. */
  readonly name?: string;
  /** Capabilities the site allows; all there are where it is missing. */
  readonly allowed?: ReadonlySet<string>;
  /** Octets a script may have (`limits.sieve_script` where it is missing). */
  readonly maxSize?: number;
  /** Findings at most (`limits.sieve_errors` where it is missing). */
  readonly maxErrors?: number;
  /**
   * Scripts that `include` names, where they can be had now: their errors are errors of this script then. Where it is missing, as
   * when a script is stored (RFC 6609 §3.1), they are looked at when the script runs.
   */
  readonly scripts?: Scripts;
  /** The bounds of `include`, where they are others than those of a run. */
  readonly includeDepth?: number;
  readonly includes?: number;
  /** A digest of the source, and where what is compiled is kept by it. */
  readonly hash?: string;
  readonly cache?: CompiledScripts;
}

export interface Compiled {
  /** Null if there is an error among the diagnostics. */
  readonly program: Program | null;
  readonly diagnostics: readonly Diagnostic[];
  /** Where the compiler stopped: a script with errors of form is not looked at for its meaning. */
  readonly failed: 'parse' | 'validation' | null;
}

/** Compiled scripts by the hash of their source; see `cache.ts`. */
export interface CompiledScripts {
  get(key: string): Compiled | null;
  /** `size` is octets of source. */
  put(key: string, compiled: Compiled, size: number): void;
}

/** Compiles a script, given as bytes or octets, with the extensions of a registry. `inclusions` is of the script that includes this one. */
export function compileWith(
  registry: Registry,
  source: string | Uint8Array,
  options: CompileOptions = {},
  inclusions: Inclusions | null = null,
): Compiled {
  const { cache, hash } = options;
  if (cache === undefined || hash === undefined) return compileSource(registry, source, options, inclusions);
  const key = `${options.name ?? ''}\n${hash}`;
  const known = cache.get(key);
  if (known !== null) return known;
  const compiled = compileSource(registry, source, options, inclusions);
  cache.put(key, compiled, source.length);
  return compiled;
}

function compileSource(
  registry: Registry,
  source: string | Uint8Array,
  options: CompileOptions,
  inclusions: Inclusions | null,
): Compiled {
  const maxSize = options.maxSize ?? limits.sieve_script.value;
  if (source.length > maxSize) {
    const text = `the script has ${source.length} octets: expected ${maxSize} at most`;
    return { program: null, diagnostics: [{ severity: 'error', line: 1, column: 1, text }], failed: 'parse' };
  }
  const maxErrors = options.maxErrors ?? limits.sieve_errors.value;
  const { script, diagnostics } = parse(
    typeof source === 'string' ? source : bytesToOctets(source),
    maxErrors,
  );
  if (diagnostics.length > 0) return { program: null, diagnostics, failed: 'parse' };
  const compiler = new ScriptCompiler(registry, options, maxErrors, inclusions);
  const program = compiler.compile(script.commands);
  return {
    program,
    diagnostics: compiler.diagnostics,
    failed: program === null ? 'validation' : null,
  };
}

class TooManyErrors extends Error {}

class ScriptCompiler implements Compiler {
  readonly diagnostics: Diagnostic[] = [];
  readonly settings: Settings;
  atBeginning = true;
  depth = -1;
  chain: Chain = { end: { at: -1 }, taken: false };
  readonly #registry: Registry;
  readonly #options: CompileOptions;
  readonly #name: string;
  readonly #allowed: ReadonlySet<string> | null;
  readonly #maxErrors: number;
  readonly #required = new Set(['']);
  /** Those of them that are there only if the script has asked for them when it runs. */
  readonly #conditional = new Set<string>();
  /** Those of these that what is compiled now uses, until its first instruction asks whether they are there. */
  #used = new Set<string>();
  readonly #states = new Map<CompileKey<unknown>, unknown>();
  readonly #scope: Scope;
  #inclusions: Inclusions | null;
  /** Names nobody knows: each is reported once. */
  readonly #unknown = new Set<string>();
  /** Extensions required so far that need others. */
  readonly #needy: { capability: string; needs: readonly string[]; position: Position }[] = [];
  #code = new Emitter();
  errors = 0;

  constructor(registry: Registry, options: CompileOptions, maxErrors: number, inclusions: Inclusions | null) {
    this.#registry = registry;
    this.#options = options;
    this.#scope = new Scope(registry, this);
    this.#inclusions = inclusions;
    this.settings = options.settings ?? DEFAULT_SETTINGS;
    this.#name = options.name ?? '';
    this.#allowed = options.allowed ?? null;
    this.#maxErrors = maxErrors;
  }

  compile(commands: readonly CommandNode[]): Program | null {
    try {
      this.block(commands);
      this.#missing();
    } catch (thrown) {
      if (!(thrown instanceof TooManyErrors)) throw thrown;
    }
    if (this.errors > 0) return null;
    this.#code.end(commands.at(-1));
    return {
      name: this.#name,
      code: this.#code.finish(),
      required: this.#required,
      variables: this.#scope.slots,
      load: (name, script) => this.#load(name, script),
    };
  }

  #load(name: string, { bytes, hash }: StoredScript): Compiled {
    // Whether it includes itself the run knows better: what is `:once` was included before.
    const { scripts: _, ...options } = this.#options;
    return compileWith(this.#registry, bytes, { ...options, name, hash });
  }

  /** Reports extensions that others need and that nobody required, in whichever order. */
  #missing(): void {
    for (const { capability, needs, position } of this.#needy) {
      const missing = needs.filter((needed) => !this.#required.has(needed));
      if (missing.length === 0) continue;
      const names = missing.map((name) => `"${name}"`).join(' and ');
      this.error(position, `the extension "${capability}" needs require ${names}`);
    }
  }

  enabled(capability: string): boolean {
    if (this.#conditional.has(capability)) this.#used.add(capability);
    return this.#required.has(capability);
  }

  ask(capabilities: readonly string[], node: CallNode): void {
    const before = new Set(this.#required);
    for (const capability of capabilities) this.require(capability, node.position);
    for (const capability of this.#required) {
      if (!before.has(capability)) this.#conditional.add(capability);
    }
    const implied = capabilities.flatMap((name) => this.#registry.extensions.get(name)?.implies ?? []);
    const asked = [...capabilities, ...implied].filter((name) => this.#conditional.has(name));
    if (asked.length > 0) this.command(node, new Asked(asked));
  }

  askable(capability: string): boolean {
    if (capability !== '' && this.#required.has(capability)) return true;
    const extension = this.#registry.extensions.get(capability);
    return extension !== undefined && this.available(capability) && this.#conflict(extension) === undefined;
  }

  available(capability: string): boolean {
    const extension = this.#registry.extensions.get(capability);
    return extension !== undefined && extension.offered?.(this.settings) !== false &&
      (capability === '' || (this.#allowed?.has(capability) ?? true));
  }

  require(capability: string, position: Position): boolean {
    const extension = this.#registry.extensions.get(capability);
    if (extension === undefined || capability === '') {
      this.error(position, `there is no extension "${capability}"`);
      return false;
    }
    if (!this.available(capability)) {
      this.error(position, `the extension "${capability}" is not allowed here`);
      return false;
    }
    const conflict = this.#conflict(extension);
    if (conflict !== undefined) {
      this.error(position, `the extensions "${capability}" and "${conflict}" cannot be used together`);
      return false;
    }
    if (extension.needs !== undefined) this.#needy.push({ capability, needs: extension.needs, position });
    this.#required.add(capability);
    for (const implied of extension.implies ?? []) this.#required.add(implied);
    return true;
  }

  #conflict({ capability, conflicts = [] }: Extension): string | undefined {
    return [...this.#required].find((other) =>
      conflicts.includes(other) || this.#registry.extensions.get(other)?.conflicts?.includes(capability)
    );
  }

  error(position: Position, text: string): void {
    this.errors++;
    this.#report('error', position, text);
  }

  errorOnce(key: string, position: Position, text: string): void {
    if (this.#unknown.has(key)) {
      this.errors++;
      return;
    }
    this.#unknown.add(key);
    this.error(position, text);
  }

  warning(position: Position, text: string): void {
    this.#report('warning', position, text);
  }

  #report(severity: Diagnostic['severity'], { line, column }: Position, text: string): void {
    this.#found({ severity, line, column, text });
  }

  #found(found: Diagnostic): void {
    if (this.diagnostics.length < this.#maxErrors) {
      this.diagnostics.push(found);
      return;
    }
    const { line, column } = found;
    const stopped = 'too many errors; nothing behind this place was looked at';
    this.diagnostics[this.#maxErrors - 1] = { severity: 'error', line, column, text: stopped };
    this.errors++;
    throw new TooManyErrors();
  }

  text(node: StringNode, constantOnly = false): Text {
    return this.#scope.text(node, constantOnly);
  }

  variable(name: string, position: Position): Variable | null {
    return this.#scope.variable(name, position);
  }

  declare(name: string, variable: Variable): boolean {
    return this.#scope.declare(name, variable);
  }

  include(inclusion: Inclusion, position: Position): void {
    const { scripts } = this.#options;
    if (scripts === undefined) return;
    this.#inclusions ??= new Inclusions(this.#name, this.#options);
    const wrong = this.#inclusions.check(inclusion, scripts, (script, inclusions) => {
      const { diagnostics, failed } = compileWith(
        this.#registry,
        bytesToOctets(script.bytes),
        { ...this.#options, name: inclusion.name },
        inclusions,
      );
      for (const found of diagnostics) this.#found({ script: fromOctets(inclusion.name), ...found });
      return failed === null;
    });
    if (wrong !== null) this.error(position, wrong);
  }

  state<T>(key: CompileKey<T>): T {
    if (!this.#states.has(key)) this.#states.set(key, key.initial());
    return this.#states.get(key) as T;
  }

  label(): Label {
    return { at: -1 };
  }

  place(label: Label): void {
    this.#code.place(label);
  }

  jump(label: Label): void {
    this.#code.jump(label);
  }

  command(node: CallNode, command: Command): void {
    this.#demand(node);
    this.#code.command(node, command);
  }

  test(node: CallNode, test: Test, yes: Label, no: Label): void {
    this.#demand(node);
    this.#code.test(node, test, yes, no);
  }

  #demand(node: CallNode): void {
    for (const capability of this.#used) this.#code.command(node, new Demand(capability));
    this.#used.clear();
  }

  end(node: CallNode): void {
    this.#code.end(node);
  }

  block(commands: readonly CommandNode[]): void {
    const outer = this.chain;
    this.depth++;
    let before: string | null = null;
    let open = false;
    for (const node of commands) {
      const spec = this.#spec('command', node, this.#registry.commands);
      if (open && spec?.chained !== true) {
        this.place(this.chain.end);
        open = false;
      }
      if (!open) this.chain = { end: this.label(), taken: false };
      open = true;
      this.#command(node, spec, before);
      if (node.name !== 'require') this.atBeginning = false;
      before = node.name;
    }
    if (open) this.place(this.chain.end);
    this.depth--;
    this.chain = outer;
  }

  skipped(commands: readonly CommandNode[]): void {
    const code = this.#code;
    const used = this.#used;
    const errors = this.errors;
    const found = this.diagnostics.length;
    this.#code = new Emitter();
    this.#used = new Set();
    this.block(commands);
    this.#code = code;
    this.#used = used;
    this.errors = errors;
    this.diagnostics.length = found;
  }

  /** The spec of a command or test whose extension was required; null after an error was reported. */
  #spec<T extends CallSpec>(kind: CallKind, node: CallNode, specs: Map<string, Provided<T>[]>): T | null {
    const provided = specs.get(node.name) ?? [];
    const known = provided.find(({ capability }) => this.enabled(capability));
    if (known !== undefined) return known.value;
    const needed = provided.find(({ capability }) => this.available(capability));
    if (needed !== undefined) {
      this.error(node.position, `unknown ${kind} "${node.name}": it needs require "${needed.capability}"`);
      return null;
    }
    const other = kind === 'command' ? this.#registry.tests : this.#registry.commands;
    const used = kind === 'command' ? 'test' : 'command';
    if (other.has(node.name)) {
      this.error(node.position, `attempted to use ${used} '${node.name}' as a ${kind}`);
    } else this.errorOnce(node.name, node.position, `unknown ${kind} "${node.name}"`);
    return null;
  }

  #command(node: CommandNode, spec: CommandSpec | null, before: string | null): void {
    if (spec === null) {
      this.#lookInto(node);
      if (node.block !== null) this.block(node.block);
      return;
    }
    if (spec.follows !== undefined && !spec.follows.includes(before ?? '')) {
      this.error(
        node.position,
        `the ${node.name} command expects to stand directly behind ${alternatives(spec.follows)}`,
      );
      this.#lookInto(node);
      if (node.block !== null) this.block(node.block);
      return;
    }
    const call = this.#call(node, spec, 'command');
    let fine = call !== null;
    if (call !== null && spec.block === true && node.block === null) {
      fine = false;
      this.error(node.position, `the ${node.name} command expects a block '{ … }', but there is none`);
    } else if (call !== null && spec.block !== true && node.block !== null) {
      fine = false;
      this.error(node.position, `the ${node.name} command expects no block, but there is one: expected ';'`);
    }
    if (call !== null && fine) {
      spec.emit(call, this, node);
      this.#demand(node);
      return;
    }
    if (spec.tests !== undefined) this.#lookInto(node);
    if (node.block !== null) this.block(node.block);
  }

  /** Arguments, and whether there are as many tests as there must be. */
  #call(node: CallNode, spec: CallSpec, kind: CallKind): Call | null {
    const call = bind(node, spec, kind, this.#registry, this);
    const wrong = this.#testsWrong(node, spec, kind);
    if (wrong === null) return call;
    this.error(node.tests[0]?.position ?? node.position, wrong);
    return null;
  }

  #testsWrong(node: CallNode, spec: CallSpec, kind: CallKind): string | null {
    const what = `${node.name} ${kind}`;
    const [first] = node.tests;
    if (spec.tests === 'list') {
      return node.testList ? null : `the ${what} expects tests in parentheses '( … )', but there are none`;
    }
    if (spec.tests === 'one') {
      if (node.testList) return `the ${what} expects one test, but a list of tests was found`;
      return first === undefined ? `the ${what} expects a test, but there is none` : null;
    }
    if (first === undefined) return null;
    const mistyped = this.#mistyped(node, spec, kind);
    if (mistyped !== null) return mistyped;
    return kind === 'test'
      ? `the ${what} accepts no sub-tests, but one was specified`
      : `the ${what} takes no sub-tests, but one was specified`;
  }

  /** A test where none can be, because a sign before it was forgotten. */
  #mistyped(node: CallNode, spec: CallSpec, kind: CallKind): string | null {
    const [test] = node.tests;
    if (
      test === undefined || node.testList || spec.tests !== undefined || this.#registry.tests.has(test.name)
    ) return null;
    if (this.#registry.isTag(node.name, test.name)) {
      return `missing colon ':' before "${test.name}": it is a tag of the ${node.name} ${kind}`;
    }
    return kind === 'test'
      ? null
      : `missing semicolon ';' behind the ${node.name} command in line ${node.position.line}`;
  }

  /** Finds errors in the tests of a call that is wrong itself. */
  #lookInto(node: CallNode): void {
    const code = this.#code;
    this.#code = new Emitter();
    for (const test of node.tests) this.condition(test, this.label(), this.label());
    this.#code = code;
  }

  condition(node: TestNode, yes: Label, no: Label): Certainty {
    const spec = this.#spec('test', node, this.#registry.tests);
    if (spec === null) {
      this.#lookInto(node);
      return 'unknown';
    }
    const call = this.#call(node, spec, 'test');
    if (call === null) {
      if (spec.tests !== undefined) this.#lookInto(node);
      return 'unknown';
    }
    return this.#test(spec, call, yes, no);
  }

  #test(spec: TestSpec, call: Call, yes: Label, no: Label): Certainty {
    if (spec.branch !== undefined) return spec.branch(call, this, yes, no);
    const test = spec.compile?.(call, this) ?? null;
    if (test !== null) this.test(call.node, test, yes, no);
    return 'unknown';
  }
}
