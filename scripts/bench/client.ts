/**
 * An IMAP client that does as little as possible, so that the server and not the client is measured: it looks
 * only for the tagged line that ends an answer and keeps the bytes before it unread.
 */

import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Bytes of an answer that can hold its last line. */
const TAIL = 2048;

interface Waiting {
  /** Whether what came so far is all that is waited for; it has just grown by a chunk that ends a line. */
  done(client: BenchClient): boolean;
  resolve(answer: Buffer[]): void;
  reject(error: Error): void;
}

export class BenchClient {
  #socket: Socket;
  #chunks: Buffer[] = [];
  #waiting: Waiting | undefined;
  #closed: Error | undefined;
  #tag = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('the server closed the connection')));
  }

  /** Connects and waits for the greeting; rejects when the server is not there (yet). */
  static async open(port: number, tls = false): Promise<BenchClient> {
    const socket = tls
      ? connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
      : connect({ host: '127.0.0.1', port });
    const client = new BenchClient(socket);
    try {
      await client.#until(ends('* '));
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return client;
  }

  /** Sends one command and resolves to the whole answer; rejects unless it ends in OK. */
  async command(line: string): Promise<Buffer> {
    return await this.pipeline([Buffer.from(line, 'latin1')]);
  }

  /** Sends commands without waiting in between; resolves when the last is answered OK. */
  async pipeline(commands: readonly Buffer[]): Promise<Buffer> {
    const chunks = await this.#answered(commands);
    const [only] = chunks;
    return only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks);
  }

  /** Sends one command and resolves to the number of bytes of its answer, which are not kept together. */
  async count(line: string): Promise<number> {
    const chunks = await this.#answered([Buffer.from(line, 'latin1')]);
    return chunks.reduce((total, chunk) => total + chunk.length, 0);
  }

  async login(user: string, password: string): Promise<void> {
    await this.command(`LOGIN ${user} ${password}`);
  }

  /** Goes into IDLE and stays there. */
  async idle(): Promise<void> {
    // News may come in the same breath.
    const going = this.#until((client) => /(^|\n)\+ /.test(client.#tail().toString('latin1')));
    this.#socket.write(`b${++this.#tag} IDLE\r\n`);
    await going;
  }

  /** Ends IDLE. */
  async done(): Promise<void> {
    const ended = this.#until(ends(`b${this.#tag} OK`));
    this.#socket.write('DONE\r\n');
    await ended;
  }

  /** Resolves when an answer that nobody asked for holds this text. To be called before it can come. */
  async told(text: string): Promise<void> {
    await this.#until((client) => client.#tail().includes(text));
  }

  /** Drops the connection without LOGOUT. */
  close(): void {
    this.#socket.destroy();
  }

  async #answered(commands: readonly Buffer[]): Promise<Buffer[]> {
    const parts: Buffer[] = [];
    let tag = '';
    for (const command of commands) {
      tag = `b${++this.#tag}`;
      parts.push(Buffer.from(`${tag} `), command, Buffer.from('\r\n'));
    }
    const answer = this.#until(ends(`${tag} `));
    this.#socket.write(Buffer.concat(parts));
    const chunks = await answer;
    const last = lastLine(tailOf(chunks));
    if (!last.startsWith(`${tag} OK`)) {
      throw new Error(`${commands.at(-1)?.toString('latin1', 0, 80)}: ${last}`);
    }
    return chunks;
  }

  #until(done: (client: BenchClient) => boolean): Promise<Buffer[]> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    this.#chunks = [];
    return new Promise((resolve, reject) => {
      this.#waiting = { done, resolve, reject };
    });
  }

  #take(chunk: Buffer): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return; // news while nobody waits
    this.#chunks.push(chunk);
    if (chunk[chunk.length - 1] !== 0x0a || !waiting.done(this)) return;
    this.#waiting = undefined;
    const chunks = this.#chunks;
    this.#chunks = [];
    waiting.resolve(chunks);
  }

  #tail(): Buffer {
    return tailOf(this.#chunks);
  }

  /** Whether the last line received begins so. */
  endsWith(prefix: string): boolean {
    return lastLine(this.#tail()).startsWith(prefix);
  }

  #end(error: Error): void {
    this.#closed ??= error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}

function ends(prefix: string): (client: BenchClient) => boolean {
  return (client) => client.endsWith(prefix);
}

/** The last bytes received, over as many chunks as that takes. */
function tailOf(chunks: readonly Buffer[]): Buffer {
  const last = chunks.at(-1);
  if (last !== undefined && (chunks.length === 1 || last.length >= TAIL)) return last;
  let length = 0;
  let at = chunks.length;
  while (at > 0 && length < TAIL) length += chunks[--at]?.length ?? 0;
  return Buffer.concat(chunks.slice(at));
}

function lastLine(bytes: Buffer): string {
  const start = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
  return bytes.toString('latin1', start, Math.min(bytes.length, start + 512));
}
