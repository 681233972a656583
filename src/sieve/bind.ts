/**
 * Arguments of a command or test against what its spec declares (RFC 5228 §2.6): tags first, in any order and once, then the
 * positional ones. One error per call: what follows from it is not told.
 */
import type { Position } from './diagnostic.ts';
import type {
  Call,
  CallSpec,
  Compiler,
  FieldSource,
  Modifier,
  Parameter,
  TagSpec,
  ValueType,
} from './extension.ts';
import { Keys } from './keys.ts';
import { listWrong } from './listname.ts';
import { printable } from './lexer.ts';
import { comparatorNamed } from './match/comparators.ts';
import type { Comparator } from './match/comparator.ts';
import { MatchError, type MatchType } from './match/matcher.ts';
import type { AddressPart } from './message.ts';
import type { Provided, Registry } from './registry.ts';
import type { ArgumentNode, CallNode, StringNode, TagNode } from './syntax.ts';
import { listOf, splitAll, type Text, type Texts } from './text.ts';

/** How errors call the kinds of calls. */
export type CallKind = 'command' | 'test';

const TYPE_NAMES: Readonly<Record<ValueType, string>> = {
  string: 'string',
  strings: 'string list',
  number: 'number',
};

const NODE_NAMES: Readonly<Record<ArgumentNode['kind'], string>> = {
  string: 'string',
  list: 'string list',
  number: 'number',
  tag: 'tag',
};

/** A tag that was given. */
interface GivenTag {
  readonly node: TagNode;
  readonly spec: TagSpec;
  readonly argument: ArgumentNode | null;
}

/** Binds the arguments of a call. Null after an error was reported. */
export function bind(
  node: CallNode,
  spec: CallSpec,
  kind: CallKind,
  registry: Registry,
  compiler: Compiler,
): Call | null {
  const binder = new Binder(node, spec, kind, registry, compiler);
  return binder.bind() ? binder : null;
}

class Binder implements Call {
  readonly node: CallNode;
  readonly #spec: CallSpec;
  readonly #registry: Registry;
  readonly #compiler: Compiler;
  readonly #what: string;
  readonly #tags = new Map<string, GivenTag>();
  readonly #values = new Map<string, ArgumentNode>();
  #matchType: MatchType | null = null;
  #matchParameter: string | null = null;
  #comparator: Comparator = comparatorNamed('i;ascii-casemap') as Comparator;
  #part: AddressPart | null = null;

  constructor(node: CallNode, spec: CallSpec, kind: CallKind, registry: Registry, compiler: Compiler) {
    this.node = node;
    this.#spec = spec;
    this.#registry = registry;
    this.#compiler = compiler;
    this.#what = `${node.name} ${kind}`;
  }

  bind(): boolean {
    const given = this.node.arguments;
    let at = 0;
    const groups = new Map<string, string>();
    for (let tag = given[at]; tag?.kind === 'tag'; tag = given[at]) {
      const spec = this.#tagSpec(tag);
      if (spec === null) {
        this.#unknownTag(tag);
        return false;
      }
      at++;
      let argument: ArgumentNode | null = null;
      if (spec.parameter !== undefined) {
        argument = given[at] ?? null;
        if (!this.#fits(argument, spec.parameter, `behind ':${tag.name}'`, tag.position)) return false;
        at++;
      }
      const group = spec.group ?? spec.name;
      const before = groups.get(group);
      if (before !== undefined) {
        const text = before === tag.name
          ? `unexpected second ':${tag.name}' for the ${this.#what}: expected it once at most`
          : `unexpected ':${tag.name}' for the ${this.#what}: it excludes ':${before}', which was given before`;
        return this.#error(tag.position, text);
      }
      groups.set(group, tag.name);
      this.#tags.set(spec.name, { node: tag, spec, argument });
    }
    return this.#together() && this.#positional(given.slice(at)) && this.#matching();
  }

  /** Tags that depend on each other. */
  #together(): boolean {
    for (const { node, spec } of this.#tags.values()) {
      const { needs, excludes = [] } = spec;
      if (needs !== undefined && !this.#tags.has(needs)) {
        return this.#error(
          node.position,
          `the :${node.name} tag for the ${this.#what} cannot be specified without the :${needs} tag`,
        );
      }
      const excluded = excludes.find((name) => this.#tags.has(name));
      if (excluded !== undefined) {
        return this.#error(
          node.position,
          `the :${node.name} and :${excluded} tags for the ${this.#what} exclude each other`,
        );
      }
    }
    return true;
  }

  #error(position: Position, text: string): false {
    this.#compiler.error(position, text);
    return false;
  }

  /** What a tag means for this call, or null. */
  #tagSpec(tag: TagNode): TagSpec | null {
    const own = this.#spec.tags?.find((candidate) => candidate.name === tag.name);
    if (own !== undefined) return own;
    return this.#candidates(tag).find(({ capability }) => this.#compiler.enabled(capability))?.value ?? null;
  }

  /** What a tag could mean for this call if the right extension was required. */
  #candidates(tag: TagNode): Provided<TagSpec>[] {
    const brought: Provided<TagSpec>[] = this.#registry.tags(this.node.name, tag.name);
    if (this.#spec.match === true) {
      for (const { capability, value } of this.#registry.matchTypes.get(tag.name) ?? []) {
        const parameter = value.parameter;
        brought.push({
          capability,
          value: { name: tag.name, group: 'match type', ...(parameter === null ? {} : { parameter }) },
        });
      }
      if (tag.name === 'comparator') brought.push({ capability: '', value: COMPARATOR });
    }
    if (this.#spec.addressPart === true) {
      for (const { capability } of this.#registry.addressParts.get(tag.name) ?? []) {
        brought.push({ capability, value: { name: tag.name, group: 'address part' } });
      }
    }
    return brought;
  }

  /** Reports a tag that nobody knows. */
  #unknownTag(tag: TagNode): void {
    const [missing] = this.#candidates(tag).filter(({ capability }) => this.#compiler.available(capability));
    const hint = missing === undefined ? 'as it stands here' : `without require "${missing.capability}"`;
    const text = `unknown tagged argument ':${tag.name}' for the ${this.#what} ${hint}`;
    this.#compiler.errorOnce(`${this.#what} :${tag.name}`, tag.position, text);
  }

  #positional(given: readonly ArgumentNode[]): boolean {
    const parameters = this.#spec.parameters;
    const optional = parameters.filter((parameter) => parameter.optional === true).length;
    const spare = given.length - (parameters.length - optional);
    if (spare < 0) {
      const expected = optional === 0 ? `${parameters.length}` : `at least ${parameters.length - optional}`;
      const early = given.findIndex((argument) => argument.kind === 'tag');
      if (early >= 0) return this.#strayTag(given[early] as TagNode);
      return this.#error(
        this.node.position,
        `the ${this.#what} requires ${expected} positional argument${expected === '1' ? '' : 's'}, ` +
          `but ${given.length} ${given.length === 1 ? 'is' : 'are'} specified`,
      );
    }
    let left = spare;
    let at = 0;
    for (const parameter of parameters) {
      if (parameter.optional === true && left-- <= 0) continue;
      const argument = given[at++] as ArgumentNode;
      if (argument.kind === 'tag') return this.#strayTag(argument);
      if (!this.#fits(argument, parameter, `as argument ${at} (${parameter.name})`, argument.position)) {
        return false;
      }
      this.#values.set(parameter.name, argument);
    }
    const more = given[at];
    if (more === undefined) return true;
    if (more.kind === 'tag') return this.#strayTag(more);
    const most = parameters.length;
    const expected = most === 0
      ? 'no positional arguments'
      : `${most} positional argument${most === 1 ? '' : 's'} at most`;
    return this.#error(
      more.position,
      `the ${this.#what} expects ${expected}, but a ${NODE_NAMES[more.kind]} was found`,
    );
  }

  #strayTag(tag: TagNode): false {
    if (this.#tagSpec(tag) === null) {
      this.#unknownTag(tag);
      return false;
    }
    return this.#error(
      tag.position,
      `unexpected ':${tag.name}' for the ${this.#what} behind positional arguments: expected tags before them`,
    );
  }

  /** Checks the type of an argument, and its value where that is constant. */
  #fits(argument: ArgumentNode | null, parameter: Parameter, where: string, position: Position): boolean {
    const { type } = parameter;
    const kind = argument?.kind ?? null;
    const right = kind === type || type === 'strings' && (kind === 'string' || kind === 'list');
    if (argument === null || !right) {
      const found = argument === null ? 'nothing' : `a ${NODE_NAMES[argument.kind]}`;
      return this.#error(
        argument?.position ?? position,
        `the ${this.#what} expects a ${TYPE_NAMES[type]} ${where}, but ${found} was found`,
      );
    }
    if (argument.kind === 'number' && argument.value < (parameter.least ?? 0)) {
      return this.#error(
        argument.position,
        `the ${this.#what} expects a number of ${parameter.least} at least ${where}, but ${argument.value} was found`,
      );
    }
    if (parameter.check === undefined && parameter.doubt === undefined && parameter.constant !== true) {
      return true;
    }
    let fine = true;
    for (const item of strings(argument)) {
      const { errors } = this.#compiler;
      const text = this.#compiler.text(item, parameter.constant === true);
      if (this.#compiler.errors > errors) {
        fine = false;
        continue;
      }
      const wrong = text.constant === null
        ? null
        : parameter.check?.(text.constant, this.#compiler.settings, (tag) => this.#tags.has(tag)) ?? null;
      if (wrong !== null) fine = this.#error(item.position, `the ${this.#what}: ${wrong}`);
      const doubt = text.constant === null ? null : parameter.doubt?.(text.constant) ?? null;
      if (doubt !== null) this.#compiler.warning(item.position, `the ${this.#what}: ${doubt}`);
    }
    return fine;
  }

  /** Match type, comparator and address part together (RFC 5228 §2.7). */
  #matching(): boolean {
    for (const { node, spec, argument } of this.#tags.values()) {
      if (spec.group === 'address part') this.#part = spec.name as AddressPart;
      if (spec.group === 'match type') {
        this.#matchType = this.#registry.matchTypes.get(spec.name)?.[0]?.value.type ?? null;
        this.#matchParameter = argument?.kind === 'string' ? argument.value : null;
      }
      if (spec === COMPARATOR && argument?.kind === 'string' && !this.#takeComparator(node, argument)) {
        return false;
      }
    }
    if (this.#spec.match !== true) return true;
    this.#matchType ??= this.#registry.matchTypes.get('is')?.[0]?.value.type ?? null;
    const type = this.#matchType as MatchType;
    if (type.lists === true && this.#tags.has('comparator')) {
      return this.#error(
        this.position('comparator'),
        `a list is not compared: unexpected ':comparator' with ':${type.name}'`,
      );
    }
    if (!type.substrings || this.#comparator.substrings) return true;
    return this.#error(
      this.position('comparator'),
      `the comparator "${this.#comparator.name}" cannot compare parts of strings: expected another one with ':${type.name}'`,
    );
  }

  #takeComparator(tag: TagNode, argument: StringNode): boolean {
    const name = argument.value;
    const comparator = comparatorNamed(name);
    const capability = `comparator-${name}`;
    if (comparator === null) {
      return this.#error(argument.position, `unknown comparator "${printable(name)}" for the ${this.#what}`);
    }
    this.#comparator = comparator;
    // RFC 5228 §2.7.3 names two; Dovecot has the third without require, and scripts rely on that.
    const builtin = ['i;octet', 'i;ascii-casemap', 'i;unicode-casemap'].includes(name);
    if (builtin || this.#compiler.enabled(capability)) return true;
    return this.#error(tag.position, `the comparator "${name}" needs require "${capability}"`);
  }

  has(name: string): boolean {
    return this.#tags.has(name) || this.#values.has(name);
  }

  position(name: string): Position {
    return this.#tags.get(name)?.node.position ?? this.#values.get(name)?.position ?? this.node.position;
  }

  argument(name: string): ArgumentNode {
    const argument = this.#values.get(name) ?? this.#tags.get(name)?.argument;
    if (argument === undefined || argument === null) {
      throw new Error(`${this.#what} has no argument "${name}"`);
    }
    return argument;
  }

  number(name: string): number {
    const argument = this.argument(name);
    if (argument.kind !== 'number') throw new Error(`"${name}" of ${this.#what} is no number`);
    return argument.value;
  }

  text(name: string): Text {
    const argument = this.argument(name);
    if (argument.kind !== 'string') throw new Error(`"${name}" of ${this.#what} is no string`);
    return this.#compiler.text(argument);
  }

  texts(name: string): Texts {
    return listOf(strings(this.argument(name)).map((item) => this.#compiler.text(item)));
  }

  constant(name: string): string {
    const { constant } = this.text(name);
    if (constant === null) throw new Error(`"${name}" of ${this.#what} is not constant`);
    return constant;
  }

  keys(name: string, split?: (key: string) => string[]): Keys | null {
    const type = this.#matchType as MatchType;
    const items = strings(this.argument(name));
    const texts = items.map((item) => this.#compiler.text(item));
    let fine = true;
    texts.forEach(({ constant }, index) => {
      const wrong = constant === null
        ? null
        : type.check?.(constant, this.#comparator, this.#matchParameter) ?? null;
      if (wrong !== null) {
        fine = this.#error((items[index] as StringNode).position, `the ${this.#what}: ${wrong}`);
      }
    });
    if (!fine) return null;
    // A list may come to be there later.
    if (type.lists === true) this.#unknownLists(items, texts);
    try {
      const keys = split === undefined ? listOf(texts) : splitAll(listOf(texts), split);
      return new Keys(type, this.#comparator, keys, this.#matchParameter);
    } catch (thrown) {
      if (!(thrown instanceof MatchError)) throw thrown;
      this.#error(this.argument(name).position, `the ${this.#what}: ${thrown.message}`);
      return null;
    }
  }

  #unknownLists(items: readonly StringNode[], texts: readonly Text[]): void {
    texts.forEach(({ constant }, index) => {
      const wrong = constant === null ? null : listWrong(constant, this.#compiler.settings);
      if (wrong !== null) {
        this.#compiler.warning((items[index] as StringNode).position, `the ${this.#what}: ${wrong}`);
      }
    });
  }

  addressPart(): AddressPart {
    return this.#part ?? 'all';
  }

  hasAddressPart(): boolean {
    return this.#part !== null;
  }

  given(): readonly TagSpec[] {
    return [...this.#tags.values()].map(({ spec }) => spec);
  }

  modifiers(): readonly Modifier[] {
    const modifiers: Modifier[] = [];
    for (const { spec } of this.#tags.values()) {
      if (spec.modify !== undefined) modifiers.push(spec.modify(this, this.#compiler));
    }
    return modifiers;
  }

  source(): FieldSource {
    let source: FieldSource = MESSAGE_FIELDS;
    for (const { spec } of this.#tags.values()) source = spec.origin?.(this, this.#compiler) ?? source;
    for (const { spec } of this.#tags.values()) {
      if (spec.source !== undefined) source = spec.source(this, this.#compiler, source);
    }
    return source;
  }
}

const COMPARATOR: TagSpec = {
  name: 'comparator',
  parameter: { name: 'comparator', type: 'string', constant: true },
};

const MESSAGE_FIELDS: FieldSource = { fields: (run, name) => run.message.fields(name) };

function strings(argument: ArgumentNode): readonly StringNode[] {
  return argument.kind === 'list' ? argument.items : argument.kind === 'string' ? [argument] : [];
}
