/**
 * LMTP as a mail server speaks it that has much to deliver: kept sessions, the envelope in one write (RFC 2920), the
 * message in another. Messages and envelopes are bytes made beforehand.
 */

import { connect, type Socket } from 'node:net';

export interface Deliveries {
  /** Path of the unix socket. */
  readonly place: string;
  readonly sessions: number;
  /** Number of messages. */
  readonly count: number;
  /** Messages delivered in turn. */
  readonly mails: readonly Mail[];
  /** Local parts that message `index` goes to. */
  readonly recipients: (index: number) => readonly string[];
}

/** Delivers all of them; rejects as soon as one recipient is refused. */
export async function deliver(work: Deliveries): Promise<void> {
  let next = 0;
  const session = async (): Promise<void> => {
    const lmtp = await LmtpSession.open(work.place);
    while (next < work.count) {
      const index = next++;
      const mail = work.mails[index % work.mails.length];
      if (mail !== undefined) await lmtp.deliver(mail.copy(), work.recipients(index));
    }
    lmtp.close();
  };
  await Promise.all(Array.from({ length: Math.min(work.sessions, work.count) }, session));
}

let copies = 0;

/**
 * A message as DATA wants it, dots at the beginning of lines doubled, ended by a lone dot. Every copy has a Message-ID of
 * its own: servers that suppress duplicates would have nothing to do with the second.
 */
export class Mail {
  readonly #before: Buffer;
  readonly #behind: Buffer;

  constructor(message: Buffer) {
    const text = message.toString('latin1').replaceAll('\r\n.', '\r\n..');
    const ended = `${text}${text.endsWith('\r\n') ? '' : '\r\n'}.\r\n`;
    const at = ended.indexOf('Message-ID: <') + 'Message-ID: <'.length;
    this.#before = Buffer.from(ended.slice(0, at), 'latin1');
    this.#behind = Buffer.from(ended.slice(at), 'latin1');
  }

  copy(): Buffer {
    return Buffer.concat([this.#before, Buffer.from(`${++copies}.`), this.#behind]);
  }
}

export class LmtpSession {
  readonly #socket: Socket;
  #text = '';
  #want = 0;
  #resolve: ((replies: string[]) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;
  #ended: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => this.#take(chunk));
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('the server closed the LMTP session')));
  }

  static async open(place: string): Promise<LmtpSession> {
    const session = new LmtpSession(connect({ path: place }));
    await session.#replies(1);
    session.#socket.write('LHLO bench.example.org\r\n');
    await session.#replies(1);
    return session;
  }

  /** One transaction, until every recipient has its answer; `sent` is called when the message is on its way. */
  async deliver(message: Buffer, recipients: readonly string[], sent?: () => void): Promise<void> {
    const to = recipients.map((recipient) => `RCPT TO:<${recipient}>\r\n`).join('');
    this.#socket.write(`MAIL FROM:<sender@example.org>\r\n${to}DATA\r\n`);
    const envelope = await this.#replies(recipients.length + 2);
    if (!envelope.at(-1)?.startsWith('354')) throw new Error(`DATA: ${envelope.join(' ')}`);
    this.#socket.write(message);
    sent?.();
    for (const reply of await this.#replies(recipients.length)) {
      if (!reply.startsWith('250')) throw new Error(`not delivered: ${reply}`);
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #replies(count: number): Promise<string[]> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    this.#want = count;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  #take(chunk: string): void {
    this.#text += chunk;
    if (!this.#text.endsWith('\n')) return;
    // The last line of a reply has a space behind its number.
    const replies = this.#text.split('\r\n').filter((line) => line.charAt(3) === ' ');
    if (replies.length < this.#want) return;
    this.#text = '';
    this.#resolve?.(replies);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#reject?.(error);
  }
}
