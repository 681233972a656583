/** An LMTP client for tests (RFC 2033): one dialogue step at a time, or a whole delivery. */

import { connect, type Socket } from 'node:net';

/** Where LMTP listens: the path of a unix socket, or a port of this host. */
export type LmtpPlace = string | number;

export class LmtpClient {
  #socket: Socket;
  #input = '';
  #wanted: { resolve(reply: string): void; reject(error: Error): void } | undefined;
  #ended: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      this.#input += chunk;
      this.#deliver();
    });
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('the server closed the connection')));
  }

  /**
   * Connects, waits for the greeting and says LHLO.
   * @param localAddress of this end
   */
  static async connect(place: LmtpPlace, localAddress?: string): Promise<LmtpClient> {
    const socket = typeof place === 'string'
      ? connect({ path: place })
      : connect({ host: '127.0.0.1', port: place, ...(localAddress === undefined ? {} : { localAddress }) });
    const client = new LmtpClient(socket);
    try {
      await client.reply();
      await client.say('LHLO client.example.org');
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return client;
  }

  /** Sends a line and resolves to the reply, all its lines joined by CRLF. */
  async say(line: string): Promise<string> {
    this.#socket.write(`${line}\r\n`, 'latin1');
    return await this.reply();
  }

  /** The next reply. */
  reply(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#wanted = { resolve, reject };
      this.#deliver();
      if (this.#ended !== undefined) this.#end(this.#ended);
    });
  }

  /** As `deliver`, with BDAT in two chunks (RFC 3030). */
  async deliverChunked(from: string, to: readonly string[], message: Buffer): Promise<string[]> {
    await this.say(`MAIL FROM:<${from}>`);
    const replies: string[] = [];
    for (const recipient of to) replies.push(await this.say(`RCPT TO:<${recipient}>`));
    if (!replies.some((reply) => reply.startsWith('2'))) {
      await this.say('RSET');
      return replies;
    }
    const half = message.length >> 1;
    this.#socket.write(`BDAT ${half}\r\n`, 'latin1');
    this.#socket.write(message.subarray(0, half));
    const going = await this.reply();
    if (!going.startsWith('2')) return replies.map((reply) => reply.startsWith('2') ? going : reply);
    this.#socket.write(`BDAT ${message.length - half} LAST\r\n`, 'latin1');
    this.#socket.write(message.subarray(half));
    for (const [index, reply] of replies.entries()) {
      if (reply.startsWith('2')) replies[index] = await this.reply();
    }
    return replies;
  }

  /** One transaction; resolves to the reply of each recipient, in order. Dots are stuffed here. */
  async deliver(from: string, to: readonly string[], message: Buffer): Promise<string[]> {
    await this.say(`MAIL FROM:<${from}>`);
    const replies: string[] = [];
    for (const recipient of to) replies.push(await this.say(`RCPT TO:<${recipient}>`));
    const accepted = replies.filter((reply) => reply.startsWith('2')).length;
    if (accepted === 0) {
      await this.say('RSET');
      return replies;
    }
    const going = await this.say('DATA');
    if (!going.startsWith('354')) return replies.map((reply) => reply.startsWith('2') ? going : reply);
    const stuffed = message.toString('latin1').replace(/^\./gm, '..');
    this.#socket.write(stuffed + (stuffed.endsWith('\r\n') ? '' : '\r\n') + '.\r\n', 'latin1');
    for (const [index, reply] of replies.entries()) {
      if (reply.startsWith('2')) replies[index] = await this.reply();
    }
    return replies;
  }

  /** How many bytes have come so far. */
  get received(): number {
    return this.#socket.bytesRead;
  }

  async quit(): Promise<void> {
    await this.say('QUIT');
    this.#socket.destroy();
  }

  /** Drops the connection. */
  destroy(): void {
    this.#socket.destroy();
  }

  #deliver(): void {
    const whole = /^(?:\d{3}-[^\r\n]*\r\n)*\d{3}(?: [^\r\n]*)?\r\n/.exec(this.#input);
    if (whole === null || this.#wanted === undefined) return;
    this.#input = this.#input.slice(whole[0].length);
    const wanted = this.#wanted;
    this.#wanted = undefined;
    wanted.resolve(whole[0].trimEnd());
  }

  #end(error: Error): void {
    this.#ended = error;
    this.#wanted?.reject(error);
    this.#wanted = undefined;
  }
}
