/**
 * An IMAP client that does as little as possible, so that the server and not the client is measured: it looks
 * only for the tagged line that ends an answer and keeps the bytes before it unread.
 */

import { connect, type Socket } from 'node:net';

/** Bytes of an answer that can hold its last line. */
const TAIL = 2048;

interface Waiting {
  readonly prefix: string;
  resolve(answer: Buffer): void;
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
  static async open(port: number): Promise<BenchClient> {
    const socket = connect({ host: '127.0.0.1', port });
    const client = new BenchClient(socket);
    try {
      await client.#until('* ');
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
    const parts: Buffer[] = [];
    let tag = '';
    for (const command of commands) {
      tag = `b${++this.#tag}`;
      parts.push(Buffer.from(`${tag} `), command, Buffer.from('\r\n'));
    }
    const answer = this.#until(`${tag} `);
    this.#socket.write(Buffer.concat(parts));
    const bytes = await answer;
    const last = lastLine(bytes);
    if (!last.startsWith(`${tag} OK`)) {
      throw new Error(`${commands.at(-1)?.toString('latin1', 0, 80)}: ${last}`);
    }
    return bytes;
  }

  async login(user: string, password: string): Promise<void> {
    await this.command(`LOGIN ${user} ${password}`);
  }

  /** Goes into IDLE and stays there. */
  async idle(): Promise<void> {
    const going = this.#until('+ ');
    this.#socket.write(`b${++this.#tag} IDLE\r\n`);
    await going;
  }

  /** Drops the connection without LOGOUT. */
  close(): void {
    this.#socket.destroy();
  }

  #until(prefix: string): Promise<Buffer> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    this.#chunks = [];
    return new Promise((resolve, reject) => {
      this.#waiting = { prefix, resolve, reject };
    });
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    const waiting = this.#waiting;
    if (waiting === undefined || chunk[chunk.length - 1] !== 0x0a) return;
    if (!lastLine(this.#tail()).startsWith(waiting.prefix)) return;
    this.#waiting = undefined;
    waiting.resolve(this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks));
  }

  /** The last bytes received, over as many chunks as that takes. */
  #tail(): Buffer {
    let length = 0;
    let at = this.#chunks.length;
    while (at > 0 && length < TAIL) length += this.#chunks[--at]?.length ?? 0;
    return Buffer.concat(this.#chunks.slice(at));
  }

  #end(error: Error): void {
    this.#closed ??= error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}

function lastLine(bytes: Buffer): string {
  const start = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
  return bytes.toString('latin1', start, Math.min(bytes.length, start + 512));
}
