/**
 * What an extension is (RFC 5228 §6): a capability that brings commands, tests, tags for those of others, match types. Each
 * stands in a file of its own in `extensions/`; their list is `extensions.ts`. Arguments are declared with types, so that
 * checking them is done in one place (`bind.ts`).
 */
import type { Position } from './diagnostic.ts';
import type { ScriptLocation } from './host.ts';
import type { Keys } from './keys.ts';
import type { MatchType } from './match/matcher.ts';
import type { AddressPart, Fields } from './message.ts';
import type { Dispatch, Placement } from './result.ts';
import type { Command, Run, Test } from './run.ts';
import type { ArgumentNode, CallNode, CommandNode, StringNode, TestNode } from './syntax.ts';
import type { Settings } from './settings.ts';
import type { Text, Texts } from './text.ts';
import type { Variable } from './variable.ts';

/** What a parameter takes; 'strings' is one string or a list. */
export type ValueType = 'string' | 'strings' | 'number';

export interface Parameter {
  /** What it means, as errors call it and as `Call` finds it. */
  readonly name: string;
  readonly type: ValueType;
  /** May be left out where fewer arguments are given than there are parameters (RFC 5232 §4). */
  readonly optional?: boolean;
  /** True if the strings must not hold variables. */
  readonly constant?: boolean;
  /** The smallest number there may be. */
  readonly least?: number;
  /** What a constant string can hardly mean, or null: a warning. */
  readonly doubt?: (text: string) => string | null;
  /** What is wrong with a constant string, or null. `has` tells which tags were given before it. */
  readonly check?: (text: string, settings: Settings, has: (tag: string) => boolean) => string | null;
}

export interface TagSpec {
  /** In lower case, without its colon. */
  readonly name: string;
  /** Of the tags of one group only one may be given. A tag without a group is one of its own. */
  readonly group?: string;
  readonly parameter?: Parameter;
  /** Another tag without which this one is an error, and tags with which it is one. */
  readonly needs?: string;
  readonly excludes?: readonly string[];
  /** For tags of actions: what it changes about the action, whenever that is carried out. */
  readonly modify?: (call: Call, compiler: Compiler) => Modifier;
  /** For modifiers of `set`. */
  readonly change?: TextChange;
  /** For tags of tests over header fields: whose header it is, instead of the message's. */
  readonly origin?: (call: Call, compiler: Compiler) => FieldSource;
  /** For tags of tests over header fields: what of the fields counts that `inner` has. */
  readonly source?: (call: Call, compiler: Compiler, inner: FieldSource) => FieldSource;
}

/** What a modifier of `set` does with a value (RFC 5229 §4.1); the one of the highest precedence comes first. */
export interface TextChange {
  readonly precedence: number;
  /** `size` is how many octets a variable may have. */
  apply(text: string, size: number): string;
}

/** Variables that an extension gives values to (RFC 5229 §3): `${name.…}`. */
export interface Namespace {
  readonly name: string;
  /** The variable of a path behind the name, or what is wrong with it. */
  variable(path: readonly string[], compiler: Compiler): Variable | string;
}

/** An action that is being made, as tags see it. */
export interface Draft {
  /** :copy (RFC 3894): the implicit keep stays. */
  copy: boolean;
  /** Where the message goes, or the copy that `fcc` is. */
  readonly target: Placement;
  /** A copy of what the action sends (RFC 8580), or null. */
  fcc: Placement | null;
  /** Of a redirect (RFC 6009). */
  dispatch: Dispatch;
}

export interface Modifier {
  apply(run: Run, draft: Draft): void;
}

/** Where a test finds header fields: the message, one part of it, one of several fields. */
export interface FieldSource {
  fields(run: Run, name: string): Fields;
}

/** What commands and tests have in common. */
export interface CallSpec {
  readonly name: string;
  readonly tags?: readonly TagSpec[];
  /** Takes match types and comparators (RFC 5228 §2.7). */
  readonly match?: boolean;
  /** Takes address parts. */
  readonly addressPart?: boolean;
  readonly parameters: readonly Parameter[];
  /** Takes one test, or tests in parentheses; none where it is missing. */
  readonly tests?: 'one' | 'list';
}

export interface TestSpec extends CallSpec {
  /** What it is for the machine. Null after an error was reported. */
  readonly compile?: (call: Call, compiler: Compiler) => Test | null;
  /** For those that are made of other tests: emits code that goes on at one of the labels. */
  readonly branch?: (call: Call, compiler: Compiler, yes: Label, no: Label) => Certainty;
}

export interface CommandSpec extends CallSpec {
  /** Takes a block, and must have one. */
  readonly block?: boolean;
  /** Emits its code; errors are reported to the compiler. */
  readonly emit: (call: Call, compiler: Compiler, node: CommandNode) => void;
  /** Only directly behind one of these commands (RFC 5228 §3.1). */
  readonly follows?: readonly string[];
  /** Goes on with the chain of branches that its predecessor began. */
  readonly chained?: boolean;
}

export interface Extension {
  /** What `require` calls it; '' is the language itself. */
  readonly capability: string;
  readonly commands?: readonly CommandSpec[];
  readonly tests?: readonly TestSpec[];
  /** Tags for commands and tests of others, by their names. */
  readonly tags?: readonly { readonly on: readonly string[]; readonly tag: TagSpec }[];
  readonly matchTypes?: readonly MatchType[];
  /** For match types that take a string behind their tag. */
  readonly matchParameter?: Parameter;
  readonly namespaces?: readonly Namespace[];
  readonly addressParts?: readonly AddressPart[];
  /** A comparator it makes known. */
  readonly comparator?: string;
  /** Capabilities that must not be required together with it. */
  readonly conflicts?: readonly string[];
  /** False where the administrator's settings leave nothing of it; it can be required then as little as one that is not there. */
  readonly offered?: (settings: Settings) => boolean;
  /** Capabilities that must be required beside it. */
  readonly needs?: readonly string[];
  /** Capabilities it brings with it. */
  readonly implies?: readonly string[];
}

/** A place in the code that is being made. */
export interface Label {
  at: number;
}

/**
 * What `ihave` (RFC 5463) says about a test before it runs: certainly false, certainly true, or nothing. What can never be reached
 * because of that is not looked at.
 */
export type Certainty = 'missing' | 'present' | 'unknown';

/** Arguments of a command or test that were found to be right. Asking for what its spec does not have is a fault of ours. */
export interface Call {
  readonly node: CallNode;
  /** True if the tag, or the parameter that may be left out, was given. */
  has(name: string): boolean;
  /** Where a tag or parameter stands; the call itself where it was not given. */
  position(name: string): Position;
  /** The node of a parameter, or of a tag's parameter. */
  argument(name: string): ArgumentNode;
  number(name: string): number;
  text(name: string): Text;
  texts(name: string): Texts;
  /** The only string of a parameter that is constant. */
  constant(name: string): string;
  /**
   * The match type and comparator of the call with keys of a parameter, each of which may be split into several. Null after an
   * error was reported.
   */
  keys(name: string, split?: (key: string) => string[]): Keys | null;
  /** The address part given, or `all`. */
  addressPart(): AddressPart;
  /** Whether one is given. */
  hasAddressPart(): boolean;
  /** The tags given, in order. */
  given(): readonly TagSpec[];
  /** What the tags of the call change about an action. */
  modifiers(): readonly Modifier[];
  /** Where the call's header fields come from. */
  source(): FieldSource;
}

/** A key of what an extension keeps while a script is compiled. */
export class CompileKey<T> {
  readonly initial: () => T;

  constructor(initial: () => T) {
    this.initial = initial;
  }
}

/** What `include` names. */
export interface Inclusion {
  readonly location: ScriptLocation;
  /** Octets. */
  readonly name: string;
  readonly once: boolean;
  readonly optional: boolean;
}

/** What extensions may ask of the compiler. */
export interface Compiler {
  readonly settings: Settings;
  /** True if a capability was required before this place; what asks uses it then. */
  enabled(capability: string): boolean;
  /** Makes capabilities known from here on that are there only if the code gets here (RFC 5463 §4). Emits that it did. */
  ask(capabilities: readonly string[], node: CallNode): void;
  /** True if there is a capability, and it can be used beside those that are known. */
  askable(capability: string): boolean;
  /** Makes a capability known from here on. False after an error was reported. */
  require(capability: string, position: Position): boolean;
  /** True if there is such a capability and the site allows it. */
  available(capability: string): boolean;
  /** True while nothing but `require` was seen. */
  readonly atBeginning: boolean;
  /** Blocks around the current command. */
  readonly depth: number;
  /** How many errors there are. */
  readonly errors: number;
  error(position: Position, text: string): void;
  /** An error about something nobody knows, which is only told where it stands first. */
  errorOnce(key: string, position: Position, text: string): void;
  warning(position: Position, text: string): void;
  /** A string with what encoded-character and variables mean in it. */
  text(node: StringNode, constantOnly?: boolean): Text;
  /** The variable of a name as `set` takes it (RFC 5229 §4), made if it is new. Null after an error was reported. */
  variable(name: string, position: Position): Variable | null;
  /** Gives a name that is not a variable yet a meaning of its own (RFC 6609 §3.3). False if `set` named it before. */
  declare(name: string, variable: Variable): boolean;
  /** Compiles what is included too, where scripts can be had while one is compiled; its errors are errors of this one. */
  include(inclusion: Inclusion, position: Position): void;
  state<T>(key: CompileKey<T>): T;

  label(): Label;
  /** The label is the next instruction. */
  place(label: Label): void;
  jump(label: Label): void;
  /** Emits a command that goes on with the next instruction. */
  command(node: CallNode, command: Command): void;
  /** Emits a test that goes on at one of the labels. */
  test(node: CallNode, test: Test, yes: Label, no: Label): void;
  /** Emits the end of the script. */
  end(node: CallNode): void;
  /** Checks and emits a test of the script. */
  condition(node: TestNode, yes: Label, no: Label): Certainty;
  /** Checks and emits the commands of a block. */
  block(commands: readonly CommandNode[]): void;
  /** The same for a block that can never be reached because of `ihave`: errors in it do not count. */
  skipped(commands: readonly CommandNode[]): void;
  /** Where the chain of branches (if, elsif, else) that the current command belongs to goes on. */
  readonly chain: Chain;
}

/** if, elsif, else: where it ends, and whether a branch before is certainly taken. */
export interface Chain {
  readonly end: Label;
  taken: boolean;
}
