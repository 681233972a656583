/** Names that strings of a script may refer to, and what strings are (RFC 5228 §2.4.2.4, RFC 5229 §3). */
import { limits } from '../limits.ts';
import type { Position } from './diagnostic.ts';
import { decodeEncoded, type Reference, splitReferences, TemplateText } from './expand.ts';
import type { Compiler } from './extension.ts';
import { printable } from './lexer.ts';
import { lowerAscii } from './octets.ts';
import type { Registry } from './registry.ts';
import type { StringNode } from './syntax.ts';
import { ConstantText, type Text } from './text.ts';
import { LocalVariable, MatchVariable, type Variable } from './variable.ts';

/** The scope of one script while it is compiled. */
export class Scope {
  /** Names of the script's own variables. */
  readonly slots: string[] = [];
  readonly #registry: Registry;
  readonly #compiler: Compiler;
  /** A string is looked at once, however often it is asked for: its errors are told once. */
  readonly #texts = new Map<StringNode, Text>();
  readonly #variables = new Map<string, Variable>();
  /** Own variables that were set so far. */
  readonly #set = new Set<string>();
  #tooMany = false;

  constructor(registry: Registry, compiler: Compiler) {
    this.#registry = registry;
    this.#compiler = compiler;
  }

  /** A string of the script, with what is in it. */
  text(node: StringNode, constantOnly = false): Text {
    const known = this.#texts.get(node);
    if (known !== undefined) return known;
    const text = node.value.includes('${')
      ? this.#expanded(node, constantOnly)
      : new ConstantText(node.value);
    this.#texts.set(node, text);
    return text;
  }

  #expanded({ value, position }: StringNode, constantOnly: boolean): Text {
    let octets = value;
    if (this.#compiler.enabled('encoded-character')) {
      const { text, wrong } = decodeEncoded(value);
      if (wrong !== null) this.#compiler.error(position, wrong);
      octets = text;
    }
    const parts = this.#compiler.enabled('variables') ? splitReferences(octets) : null;
    if (parts === null) return new ConstantText(octets);
    if (constantOnly) {
      this.#compiler.error(position, 'this string must be constant: expected no variables in it');
      return new ConstantText('');
    }
    const resolved: (string | Variable)[] = [];
    for (const part of parts) {
      const found = typeof part === 'string' ? part : this.#reference(part, position);
      if (found !== null) resolved.push(found);
    }
    return new TemplateText(resolved);
  }

  /** What a reference in a string refers to. Null after an error was reported. */
  #reference(path: Reference, position: Position): Variable | null {
    const [name = ''] = path;
    if (path.length > 1) return this.#inNamespace(path, position);
    if (!/^[0-9]/.test(name)) return this.#named(name, position);
    const index = Number(name);
    if (index <= limits.sieve_match_captures.value) return new MatchVariable(index);
    this.#compiler.error(
      position,
      `there is no match variable \${${name}}: expected ${limits.sieve_match_captures.value} at most`,
    );
    return null;
  }

  #inNamespace(path: Reference, position: Position): Variable | null {
    const [name = '', ...rest] = path;
    const known = this.#registry.namespaces.get(name)?.find(({ capability }) =>
      this.#compiler.enabled(capability)
    );
    const found = known === undefined
      ? `unknown namespace "${name}" in the variable "${path.join('.')}"`
      : known.value
        .variable(rest, this.#compiler);
    if (typeof found !== 'string') return found;
    this.#compiler.error(position, found);
    return null;
  }

  #named(name: string, position: Position): Variable | null {
    const known = this.#variables.get(name);
    if (known !== undefined) return known;
    if (name.length > limits.sieve_variable_name.value) {
      this.#compiler.error(
        position,
        `a variable name of ${name.length} characters: expected ${limits.sieve_variable_name.value} at most`,
      );
      return null;
    }
    if (this.slots.length >= limits.sieve_variables.value) {
      if (!this.#tooMany) {
        this.#compiler.error(
          position,
          `"${name}" is one variable too many: expected ${limits.sieve_variables.value} at most`,
        );
      }
      this.#tooMany = true;
      return null;
    }
    const variable = new LocalVariable(this.slots.length);
    this.slots.push(name);
    this.#variables.set(name, variable);
    return variable;
  }

  /** The variable that a command changes. Null after an error was reported. */
  variable(name: string, position: Position): Variable | null {
    const path = lowerAscii(name).split('.');
    if (!path.every((part) => /^[a-z_][a-z0-9_]*$/.test(part))) {
      this.#compiler.error(
        position,
        `"${printable(name)}" is no name of a variable: expected letters, digits and '_', no digit first`,
      );
      return null;
    }
    if (path.length > 1) return this.#inNamespace(path, position);
    const known = path[0] as string;
    // What is global already may be declared again.
    if (!this.#variables.has(known) || this.#variables.get(known) instanceof LocalVariable) {
      this.#set.add(known);
    }
    return this.#named(known, position);
  }

  /** Gives a name another meaning from here on. False if `set` named it before. */
  declare(name: string, variable: Variable): boolean {
    if (this.#set.has(name)) return false;
    this.#variables.set(name, variable);
    return true;
  }
}
