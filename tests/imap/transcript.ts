/**
 * Transcripts: what clients send and what they must get, line for line.
 *
 *     # a comment, to the end of the line; blank lines mean nothing
 *     ! set altnamespace true          a setting (before the first command)
 *     ! user django                    a user with an INBOX
 *     ! folder django Drafts
 *     ! append django INBOX \Seen      the message follows, ended by a line of one dot
 *     ! connect tls                    the connection that follows is encrypted (`starttls`: it can be)
 *     C: a LOGIN django secret         sent with CRLF; `C-` sends without it
 *     C< b APPEND INBOX                sent with the size of the message that follows, ended by a line of one dot;
 *                                      the message once the server has asked for it
 *     S: a OK {{.*}}                   must come: literal text with regular expressions in {{ }}
 *     S: * OK [UIDNEXT {{next=\d+}}]   keeps what matched; ${next} stands for it later
 *     S* * {{.*}}                      any number of lines like this
 *     S: <closed>                      the server has closed the connection
 *     2C: ... 2S: ...                  a second connection, opened when first mentioned
 *
 * Every line the server sends must be expected: one left over when the client goes on is a failure.
 */

import { readFileSync } from 'node:fs';
import type { Settings } from '../../src/config/settings.ts';
import { ImapServer } from './imapserver.ts';
import type { MemoryConnection, MemoryConnectionOptions } from './memory_connection.ts';

interface Step {
  readonly line: number;
  readonly who: string;
  readonly verb: 'C:' | 'C-' | 'C<' | 'S:' | 'S*' | '!';
  readonly text: string;
  /** Lines of a message. */
  readonly block: string[];
}

/** Plays a file. Throws with file and line where the server says something else. */
export async function playTranscript(path: string): Promise<void> {
  const steps = readSteps(readFileSync(path, 'utf8'));
  const settings: Record<string, unknown> = {};
  for (const { verb, text } of steps) {
    const match = verb === '!' ? /^set (\w+) (.*)$/.exec(text) : null;
    if (match !== null) settings[match[1] as string] = JSON.parse(match[2] as string);
  }
  const server = await ImapServer.open(settings as Partial<Settings>);
  try {
    await new Player(server, path).play(steps);
  } finally {
    await server.close();
  }
}

function readSteps(source: string): Step[] {
  const steps: Step[] = [];
  const lines = source.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const text = lines[i] as string;
    if (text.trim() === '' || text.startsWith('#')) continue;
    const match = /^(\d*)(C:|C-|C<|S:|S\*|!) ?(.*)$/.exec(text);
    if (match === null) throw new Error(`line ${i + 1} is no step: ${text}`);
    const block: string[] = [];
    const line = i + 1;
    if (match[2] === 'C<' || (match[2] === '!' && (match[3] as string).startsWith('append '))) {
      while (lines[++i] !== '.') block.push(lines[i] as string);
    }
    steps.push({
      line,
      who: match[1] || '1',
      verb: match[2] as Step['verb'],
      text: match[3] as string,
      block,
    });
  }
  return steps;
}

class Player {
  readonly #server: ImapServer;
  readonly #path: string;
  readonly #connections = new Map<string, MemoryConnection>();
  readonly #variables = new Map<string, string>();
  #options: MemoryConnectionOptions = {};
  /** A line read for `S*` that did not match: the next `S:` takes it. */
  readonly #ahead = new Map<string, string | null>();

  constructor(server: ImapServer, path: string) {
    this.#server = server;
    this.#path = path;
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      try {
        await this.#step(step);
      } catch (thrown) {
        throw new Error(`${this.#path}:${step.line}: ${(thrown as Error).message}`, { cause: thrown });
      }
    }
    this.#nothingLeft();
  }

  async #step({ who, verb, text, block }: Step): Promise<void> {
    switch (verb) {
      case '!':
        return await this.#arrange(text, block);
      case 'C:':
      case 'C-':
        this.#nothingLeft();
        this.#connection(who).send(
          Buffer.from(this.#fill(text) + (verb === 'C:' ? '\r\n' : '')).toString('latin1'),
        );
        return;
      case 'C<': {
        this.#nothingLeft();
        const message = block.map((line) => `${line}\r\n`).join('');
        const connection = this.#connection(who);
        connection.send(`${this.#fill(text)} {${Buffer.byteLength(message)}}\r\n`);
        const answer = await connection.line();
        if (answer?.startsWith('+') !== true) {
          throw new Error(`expected a continuation request, got: ${answer}`);
        }
        connection.send(Buffer.from(`${message}\r\n`).toString('latin1'));
        return;
      }
      case 'S:': {
        const line = await this.#line(who);
        if (text === '<closed>') {
          if (line !== null) throw new Error(`expected the end, got: ${line}`);
          return;
        }
        if (line === null) throw new Error(`connection closed; expected: ${text}`);
        if (!this.#matches(text, line)) throw new Error(`expected: ${this.#fill(text)}\n     got: ${line}`);
        return;
      }
      case 'S*':
        for (;;) {
          const line = await this.#line(who);
          if (line === null || !this.#matches(text, line)) {
            this.#ahead.set(who, line);
            return;
          }
        }
    }
  }

  async #arrange(text: string, block: string[]): Promise<void> {
    const [verb, user = '', path = '', ...flags] = text.split(' ');
    switch (verb) {
      case 'set':
        return;
      case 'connect':
        this.#options = { secure: user === 'tls', canStartTls: user === 'starttls' };
        return;
      case 'user':
        await this.#server.session(user);
        return;
      case 'folder':
        await (await this.#server.session(user)).create({ owner: user, path });
        return;
      case 'append': {
        const session = await this.#server.session(user);
        await this.#server.append(session, path === 'INBOX' ? '' : path, block.join('\n') + '\n', flags);
        return;
      }
      default:
        throw new Error(`no such arrangement: ${verb}`);
    }
  }

  #connection(who: string): MemoryConnection {
    let connection = this.#connections.get(who);
    if (connection === undefined) {
      connection = this.#server.connect(this.#options);
      this.#connections.set(who, connection);
    }
    return connection;
  }

  async #line(who: string): Promise<string | null> {
    const ahead = this.#ahead.get(who);
    if (ahead !== undefined) {
      this.#ahead.delete(who);
      return ahead;
    }
    const line = await this.#connection(who).line();
    return line === null ? null : Buffer.from(line, 'latin1').toString();
  }

  #nothingLeft(): void {
    for (const [who, connection] of this.#connections) {
      const left = this.#ahead.get(who) ?? '';
      this.#ahead.delete(who);
      const unread = left + connection.unread;
      if (unread !== '') throw new Error(`connection ${who} was told more than expected: ${unread}`);
    }
  }

  #fill(text: string): string {
    return text.replace(/\$\{(\w+)\}/g, (_whole, name: string) => this.#variables.get(name) ?? `\${${name}}`);
  }

  #matches(pattern: string, line: string): boolean {
    const names: string[] = [];
    let source = '';
    for (const piece of this.#fill(pattern).split(/(\{\{.*?\}\})/)) {
      const hole = /^\{\{(?:(\w+)=)?(.*)\}\}$/.exec(piece);
      if (hole === null) source += piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      else {
        if (hole[1] !== undefined) names.push(hole[1]);
        source += hole[1] === undefined ? `(?:${hole[2]})` : `(?<${hole[1]}>${hole[2]})`;
      }
    }
    const match = new RegExp(`^${source}$`).exec(line);
    for (const name of names) {
      if (match?.groups?.[name] !== undefined) this.#variables.set(name, match.groups[name]);
    }
    return match !== null;
  }
}
