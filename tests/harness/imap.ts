/** An IMAP client for tests: sends commands as written, returns answers as logical lines with their literals. */

import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** One line of an answer; literals are taken out of the text, where `{n}` stays in their place. */
export interface ImapLine {
  readonly text: string;
  readonly literals: readonly Buffer[];
}

/** Everything up to the tagged line of a command. */
export interface ImapAnswer {
  readonly status: string;
  /** The tagged line without its tag: `OK [APPENDUID 1 2] Completed`. */
  readonly text: string;
  readonly untagged: readonly ImapLine[];
}

/** The connection ended, or the server answered something else than OK. */
export class ImapFailure extends Error {
  /** The answer, or undefined when the connection ended before there was one. */
  readonly answer: ImapAnswer | undefined;

  constructor(text: string, answer?: ImapAnswer) {
    super(text);
    this.answer = answer;
  }
}

interface Wanted {
  readonly matches: (text: string) => boolean;
  readonly resolve: (lines: ImapLine[]) => void;
  readonly reject: (error: Error) => void;
}

export interface ConnectOptions {
  readonly port: number;
  /** Of this end. */
  readonly localAddress?: string;
  readonly host?: string;
  readonly tls?: boolean;
}

export class ImapClient {
  #socket: Socket;
  #input: Buffer = Buffer.alloc(0);
  /** The logical line being read: its text so far, and the bytes its open literal still lacks. */
  #text = '';
  #literals: Buffer[] = [];
  #literalLength = -1;
  #lines: ImapLine[] = [];
  #wanted: Wanted | undefined;
  #ended: Error | undefined;
  #tag = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#attach(socket);
  }

  /** Connects and waits for the greeting. */
  static async connect(options: ConnectOptions): Promise<ImapClient> {
    const { host = '127.0.0.1', port, localAddress } = options;
    const place = { host, port, ...(localAddress === undefined ? {} : { localAddress }) };
    const socket = options.tls ? connectTls({ ...place, rejectUnauthorized: false }) : connect(place);
    const client = new ImapClient(socket);
    try {
      await client.#until((text) => text.startsWith('* '));
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return client;
  }

  /** How many bytes have come so far: where an answer stands in what the server sent. */
  get received(): number {
    return this.#socket.bytesRead;
  }

  /** Sends a command, its literals (after the server asked for each), and resolves to the answer. */
  async command(text: string, ...literals: readonly Buffer[]): Promise<ImapAnswer> {
    const tag = `a${++this.#tag}`;
    const untagged: ImapLine[] = [];
    const tagged = (line: string): boolean => line.startsWith(`${tag} `);
    const pieces = literals.map((literal) => [`{${literal.length}}`, literal] as const);
    let rest = `${tag} ${text}`;
    for (const [announcement, literal] of pieces) {
      const asked = this.#until((line) => line.startsWith('+') || tagged(line));
      this.#socket.write(`${rest} ${announcement}\r\n`);
      const lines = await asked;
      const last = lines.pop();
      untagged.push(...lines);
      if (last !== undefined && tagged(last.text)) return answerOf(last, untagged);
      this.#socket.write(literal);
      rest = '';
    }
    const done = this.#until(tagged);
    this.#socket.write(`${rest}\r\n`);
    const lines = await done;
    const last = lines.pop();
    untagged.push(...lines);
    if (last === undefined) throw new ImapFailure('no answer');
    return answerOf(last, untagged);
  }

  /** As `command`, but anything else than OK is a failure. */
  async ok(text: string, ...literals: readonly Buffer[]): Promise<ImapAnswer> {
    const answer = await this.command(text, ...literals);
    if (answer.status !== 'OK') throw new ImapFailure(`${text}: ${answer.status} ${answer.text}`, answer);
    return answer;
  }

  async login(user: string, password: string): Promise<void> {
    await this.ok(`LOGIN ${user} ${password}`);
  }

  /** LOGOUT, then waits for the server to close. */
  async logout(): Promise<void> {
    if (this.#ended !== undefined) return;
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    await this.ok('LOGOUT');
    this.#socket.end();
    await closed;
  }

  /** Drops the connection. */
  destroy(): void {
    this.#socket.destroy();
  }

  #attach(socket: Socket): void {
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#end(new ImapFailure(error.message)));
    socket.on('close', () => this.#end(new ImapFailure('the server closed the connection')));
  }

  #until(matches: (text: string) => boolean): Promise<ImapLine[]> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#wanted = { matches, resolve, reject };
      this.#deliver();
    });
  }

  #take(chunk: Buffer): void {
    this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk]);
    let at = 0;
    for (;;) {
      if (this.#literalLength >= 0) {
        if (this.#input.length - at < this.#literalLength) break;
        this.#literals.push(this.#input.subarray(at, at + this.#literalLength));
        at += this.#literalLength;
        this.#literalLength = -1;
      }
      const end = this.#input.indexOf('\r\n', at);
      if (end < 0) break;
      this.#text += this.#input.toString('latin1', at, end);
      at = end + 2;
      const literal = /\{(\d+)\}$/.exec(this.#text);
      if (literal !== null) {
        this.#literalLength = Number(literal[1]);
        continue;
      }
      this.#lines.push({ text: this.#text, literals: this.#literals });
      this.#text = '';
      this.#literals = [];
    }
    this.#input = this.#input.subarray(at);
    this.#deliver();
  }

  #deliver(): void {
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    const found = this.#lines.findIndex((line) => wanted.matches(line.text));
    if (found < 0) return;
    this.#wanted = undefined;
    wanted.resolve(this.#lines.splice(0, found + 1));
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#wanted?.reject(this.#ended);
    this.#wanted = undefined;
  }
}

function answerOf(tagged: ImapLine, untagged: ImapLine[]): ImapAnswer {
  const text = tagged.text.slice(tagged.text.indexOf(' ') + 1);
  return { status: text.split(' ', 1)[0] ?? '', text, untagged };
}

/** What tests want to know of a message. */
export interface FetchedMessage {
  readonly sequence: number;
  readonly uid: number;
  readonly flags: readonly string[];
  /** The literal or quoted text of the first BODY item asked for. */
  readonly body: Buffer;
}

/** The FETCH lines of an answer to FETCH with UID, FLAGS and at most one body item. */
export function fetched(answer: ImapAnswer): FetchedMessage[] {
  const messages: FetchedMessage[] = [];
  for (const { text, literals } of answer.untagged) {
    const line = /^\* (\d+) FETCH \(/.exec(text);
    if (line === null) continue;
    const quoted = /BODY\[[^\]]*\](?:<\d+>)? "((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
    messages.push({
      sequence: Number(line[1]),
      uid: Number(/[( ]UID (\d+)/.exec(text)?.[1] ?? 0),
      flags: /[( ]FLAGS \(([^)]*)\)/.exec(text)?.[1]?.split(' ').filter((flag) => flag !== '').sort() ?? [],
      body: literals[0] ?? Buffer.from(quoted?.replace(/\\(.)/g, '$1') ?? '', 'latin1'),
    });
  }
  return messages;
}
