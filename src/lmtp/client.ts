/** The client's side of LMTP (RFC 2033), for programs of this machine that deliver: one command, one reply. */

import { connect, type Socket } from 'node:net';
import { serverError } from '../errors.ts';
import { MessageEncoder } from './encoder.ts';

/** Where the server listens. */
export type LmtpPlace = { readonly path: string } | { readonly host: string; readonly port: number };

export interface ServerReply {
  readonly code: number;
  /** Enhanced status code, or '' where there was none. */
  readonly status: string;
  /** Text of the last line, without code and status. */
  readonly text: string;
  readonly lines: readonly string[];
}

/** How long the server may be silent: a delivery may wait for a batch, never for minutes (RFC 5321 §4.5.3.2.6). */
const SILENCE_MS = 5 * 60_000;
/** Longest reply that is looked at. */
const MAX_REPLY = 64 << 10;

const WHOLE_REPLY = /^(?:[2-5][0-9]{2}-[^\n]*\n)*[2-5][0-9]{2}(?: [^\n]*)?\n/;

export class LmtpClient {
  readonly #socket: Socket;
  #input = '';
  #waiting: { resolve(reply: ServerReply): void; reject(error: Error): void } | null = null;
  #failure: Error | null = null;
  #drained: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setTimeout(SILENCE_MS, () => socket.destroy(new Error('the server does not answer')));
    socket.on('data', (chunk: Buffer) => {
      this.#input += chunk.toString('latin1');
      if (this.#input.length > MAX_REPLY) socket.destroy(new Error('the reply of the server is too long'));
      this.#hand();
    });
    socket.on('drain', () => this.#drained());
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  /**
   * Connects and waits for the greeting.
   * @throws MailError 'unavailable' naming the place, when nobody listens or nobody may connect
   */
  static async connect(place: LmtpPlace): Promise<LmtpClient> {
    const client = new LmtpClient('path' in place ? connect({ path: place.path }) : connect({ ...place }));
    try {
      const greeting = await client.reply();
      if (greeting.code !== 220) throw new Error(`the server answered ${greeting.code} ${greeting.text}`);
      return client;
    } catch (thrown) {
      client.close();
      const where = 'path' in place ? place.path : `${place.host}:${place.port}`;
      const reason = thrown instanceof Error
        ? (thrown.cause instanceof Error ? thrown.cause : thrown).message
        : '';
      throw serverError(`no connection to LMTP at ${where}: ${reason}`, thrown);
    }
  }

  /** Sends a line (latin1, without CRLF) and waits for its reply. */
  say(line: string): Promise<ServerReply> {
    this.#socket.write(`${line}\r\n`, 'latin1');
    return this.reply();
  }

  /** Says LHLO; the keywords of the extensions with their parameters. */
  async lhlo(name: string): Promise<Map<string, string>> {
    const { code, text, lines } = await this.say(`LHLO ${name}`);
    if (code !== 250) throw serverError(`LMTP refuses LHLO: ${code} ${text}`);
    return new Map(
      lines.slice(1).map((line) => {
        const [keyword = '', ...parameters] = line.split(' ');
        return [keyword.toUpperCase(), parameters.join(' ')];
      }),
    );
  }

  /** Sends the message behind a 354, in pieces as they come, to the end of data. The replies are read by `reply`. */
  async sendMessage(message: AsyncIterable<Uint8Array>): Promise<void> {
    const encoder = new MessageEncoder();
    for await (const chunk of message) await this.#write(encoder.push(chunk));
    await this.#write(encoder.end());
  }

  /** The next reply. One caller at a time. @throws MailError 'unavailable' when the connection is gone */
  reply(): Promise<ServerReply> {
    const { promise, resolve, reject } = Promise.withResolvers<ServerReply>();
    this.#waiting = { resolve, reject };
    this.#hand();
    return promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #write(bytes: Buffer): Promise<void> {
    if (bytes.length === 0 || this.#socket.write(bytes)) return;
    if (this.#failure !== null) throw this.#lost(this.#failure);
    await new Promise<void>((resolve) => (this.#drained = resolve));
  }

  #hand(): void {
    if (this.#waiting === null) return;
    const whole = WHOLE_REPLY.exec(this.#input)?.[0];
    if (whole === undefined) {
      if (this.#failure !== null) this.#fail(this.#failure);
      return;
    }
    this.#input = this.#input.slice(whole.length);
    const raw = whole.trimEnd().split(/\r?\n/);
    const lines = raw.map((line) => line.slice(4));
    const last = lines.at(-1) ?? '';
    const status = /^[245]\.\d{1,3}\.\d{1,3}(?= |$)/.exec(last)?.[0] ?? '';
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting.resolve({
      code: Number(raw.at(-1)?.slice(0, 3)),
      status,
      text: last.slice(status.length).trimStart(),
      lines,
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#drained();
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(this.#lost(this.#failure));
  }

  #lost(error: Error): Error {
    return serverError(`the connection to LMTP is lost: ${error.message}`, error);
  }
}
