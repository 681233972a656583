/**
 * Tokens to a syntax tree (RFC 5228 §8.2). Errors are collected: after one the parser goes on behind the command, so that one
 * slip does not hide the next.
 */
import { limits } from '../limits.ts';
import type { Diagnostic, Position } from './diagnostic.ts';
import { Lexer, printable, type Token, type TokenKind } from './lexer.ts';
import type { ArgumentNode, CommandNode, Script, StringNode, TestNode } from './syntax.ts';

/** A tree, of which only that of a script without errors may be used. */
export interface Parsed {
  readonly script: Script;
  readonly diagnostics: readonly Diagnostic[];
}

/** Parses the octets of a script; `maxErrors` findings at most (`limits.sieve_errors`). */
export function parse(source: string, maxErrors: number = limits.sieve_errors.value): Parsed {
  const parser = new Parser(source, maxErrors);
  try {
    return { script: parser.script(), diagnostics: parser.diagnostics };
  } catch (thrown) {
    if (!(thrown instanceof TooManyErrors)) throw thrown;
    return { script: { commands: [] }, diagnostics: parser.diagnostics };
  }
}

class TooManyErrors extends Error {}

interface Arguments {
  readonly arguments: ArgumentNode[];
  readonly tests: TestNode[];
  readonly testList: boolean;
}

class Parser {
  readonly diagnostics: Diagnostic[] = [];
  readonly #lexer: Lexer;
  readonly #maxErrors: number;
  #token: Token;
  /** An error was reported for the current command already: what follows from it is not. */
  #failed = false;

  constructor(source: string, maxErrors: number) {
    this.#maxErrors = maxErrors;
    this.#lexer = new Lexer(source, (position, text) => this.#report(position, text));
    this.#token = this.#next();
  }

  script(): Script {
    const commands = this.#commands(0);
    while (this.#token.kind !== 'end') {
      this.#error(`unexpected ${describe(this.#token)}: expected a command or the end of the script`);
      this.#skip();
      this.#failed = false;
      commands.push(...this.#commands(0));
    }
    return { commands };
  }

  #next(): Token {
    return this.#lexer.next();
  }

  #skip(): void {
    this.#token = this.#next();
  }

  #report(position: Position, text: string): void {
    if (this.diagnostics.length < this.#maxErrors) {
      this.diagnostics.push({ severity: 'error', line: position.line, column: position.column, text });
      return;
    }
    this.diagnostics[this.#maxErrors - 1] = {
      severity: 'error',
      line: position.line,
      column: position.column,
      text: 'too many errors; nothing behind this place was looked at',
    };
    throw new TooManyErrors();
  }

  /** Reports an error at the current token, unless it is the consequence of one. */
  #error(text: string, position: Position = this.#token.position): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#report(position, text);
  }

  #is(kind: TokenKind): boolean {
    return this.#token.kind === kind;
  }

  #commands(depth: number): CommandNode[] {
    const commands: CommandNode[] = [];
    for (;;) {
      this.#failed = false;
      while (this.#is('error') || this.#is('garbage')) this.#skip();
      if (!this.#is('identifier')) {
        if (this.#is('end') || this.#is('}')) return commands;
        this.#error(`unexpected ${describe(this.#token)}: expected a command`);
        this.#recover();
        continue;
      }
      commands.push(this.#command(depth));
    }
  }

  #command(depth: number): CommandNode {
    const { text: name, position } = this.#token;
    this.#skip();
    const given = this.#arguments(0);
    let block: CommandNode[] | null = null;
    while (this.#is('error')) this.#skip();
    if (this.#is(';')) this.#skip();
    else if (this.#is('{')) block = this.#block(depth);
    else {
      this.#error(`expected ';' or '{' behind the command "${name}", but found ${describe(this.#token)}`);
      if (!this.#is('identifier')) this.#recover();
    }
    const { arguments: values, tests, testList } = given;
    return { kind: 'command', name, arguments: values, tests, testList, block, position };
  }

  #block(depth: number): CommandNode[] {
    const open = this.#token.position;
    if (depth >= limits.sieve_block_depth.value) {
      this.#error(`blocks are nested too deep: expected ${limits.sieve_block_depth.value} levels at most`);
      this.#skip();
      this.#skipBlock();
      return [];
    }
    this.#skip();
    const commands = this.#commands(depth + 1);
    if (this.#is('}')) this.#skip();
    else {
      this.#failed = false;
      this.#error(
        `expected '}' for the block that begins in line ${open.line}, but found ${describe(this.#token)}`,
      );
    }
    return commands;
  }

  /** Behind the end of the command in which an error was found: its ';', its block, or before the end of the block it is in. */
  #recover(): void {
    for (;;) {
      if (this.#is('end') || this.#is('}')) return;
      const kind = this.#token.kind;
      this.#skip();
      if (kind === ';') return;
      if (kind === '{') {
        this.#skipBlock();
        return;
      }
    }
  }

  /** Behind the '}' of a block whose '{' was read. */
  #skipBlock(): void {
    for (let depth = 1; depth > 0 && !this.#is('end'); this.#skip()) {
      if (this.#is('{')) depth++;
      else if (this.#is('}')) depth--;
    }
  }

  #arguments(depth: number): Arguments {
    const given: ArgumentNode[] = [];
    for (;;) {
      const argument = this.#argument();
      if (argument === null) break;
      if (given.length < limits.sieve_arguments.value) given.push(argument);
      else {this.#error(
          `too many arguments: expected ${limits.sieve_arguments.value} at most`,
          argument.position,
        );}
    }
    if (depth >= limits.sieve_test_depth.value && (this.#is('identifier') || this.#is('('))) {
      this.#error(`tests are nested too deep: expected ${limits.sieve_test_depth.value} levels at most`);
      while (!this.#is('end') && !this.#is(';') && !this.#is('{') && !this.#is('}')) this.#skip();
      return { arguments: given, tests: [], testList: false };
    }
    if (this.#is('identifier')) return { arguments: given, tests: [this.#test(depth)], testList: false };
    if (this.#is('(')) return { arguments: given, tests: this.#testList(depth), testList: true };
    return { arguments: given, tests: [], testList: false };
  }

  /** One argument, or null where there is none. Errors of the lexer were reported and are passed over. */
  #argument(): ArgumentNode | null {
    while (this.#is('error')) this.#skip();
    const { kind, text, number, position } = this.#token;
    switch (kind) {
      case 'string':
        this.#skip();
        return { kind, value: text, position };
      case 'tag':
        this.#skip();
        return { kind, name: text, position };
      case 'number':
        this.#skip();
        return { kind, value: number, position };
      case '[':
        return this.#list();
      default:
        return null;
    }
  }

  #list(): ArgumentNode {
    const position = this.#token.position;
    const items: StringNode[] = [];
    do {
      this.#skip();
      if (this.#is('error')) this.#skip();
      else if (this.#is('string')) {
        items.push({ kind: 'string', value: this.#token.text, position: this.#token.position });
        this.#skip();
      } else {
        this.#error(`expected a string in the list, but found ${describe(this.#token)}`);
        break;
      }
    } while (this.#is(','));
    if (!this.#is(']')) {
      this.#error(`expected ',' or ']' in the list of strings, but found ${describe(this.#token)}`);
      while (!this.#is(']') && !this.#is('end') && !this.#is(';') && !this.#is('{') && !this.#is('}')) {
        this.#skip();
      }
    }
    if (this.#is(']')) this.#skip();
    return { kind: 'list', items, position };
  }

  #test(depth: number): TestNode {
    const { text: name, position } = this.#token;
    this.#skip();
    const given = this.#arguments(depth + 1);
    const { arguments: values, tests, testList } = given;
    return { kind: 'test', name, arguments: values, tests, testList, position };
  }

  /** `(`, tests with commas between, `)`. */
  #testList(depth: number): TestNode[] {
    const tests: TestNode[] = [];
    do {
      this.#skip();
      while (this.#is('error')) this.#skip();
      if (!this.#is('identifier')) {
        this.#error(`expected a test, but found ${describe(this.#token)}`);
        break;
      }
      tests.push(this.#test(depth));
    } while (this.#is(','));
    if (!this.#is(')')) {
      this.#error(`expected ',' or ')' in the list of tests, but found ${describe(this.#token)}`);
      while (!this.#is(')') && !this.#is('end') && !this.#is(';') && !this.#is('{') && !this.#is('}')) {
        this.#skip();
      }
    }
    if (this.#is(')')) this.#skip();
    return tests;
  }
}

/** A token for a message. */
function describe({ kind, text, number }: Token): string {
  switch (kind) {
    case 'end':
      return 'the end of the script';
    case 'identifier':
      return `"${text}"`;
    case 'tag':
      return `the tag ":${text}"`;
    case 'number':
      return `the number ${number}`;
    case 'string': {
      const shown = text.length > 30 ? `${text.slice(0, 30)}…` : text;
      return `the string ${JSON.stringify(printable(shown))}`;
    }
    default:
      return kind === 'error' || kind === 'garbage' ? 'something else' : `'${kind}'`;
  }
}
