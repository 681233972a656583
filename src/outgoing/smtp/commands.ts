/** The client's side of SMTP and LMTP up to where mail can be handed over (RFC 5321, 2033, 3207, 4954). */

import type { SaslCarrier, SaslReply } from '../../auth/client/exchange.ts';
import { userError } from '../../errors.ts';
import { readExtensions, readReply, type SmtpReply } from './reply.ts';

/** A command line has at most 512 octets, AUTH with its initial response, too (RFC 5321 §4.5.3.1.4, RFC 4954 §4). */
const MAX_LINE = 512;

/** What the commands go through. Bytes are characters up to \xff, lines are without their CRLF. */
export interface Lines {
  /** Sends one line, or several with CRLF between them; `shown` stands for what must not be shown of it. */
  send(text: string, shown?: string): void;
  /** The next line of the server. */
  receive(): Promise<string>;
}

export class SmtpCommands implements SaslCarrier {
  readonly #lines: Lines;
  readonly #hello: string;

  /** @param hello the command that introduces us, with our name */
  constructor(lines: Lines, hello: string) {
    this.#lines = lines;
    this.#hello = hello;
  }

  /** Waits until the server is ready. @throws MailError 'cannot' where it does not want us */
  async ready(): Promise<void> {
    this.#accept(await this.read(), 220, 'the server refuses the connection');
  }

  /** Introduces us; what the server can do. @throws MailError 'cannot' where it refuses */
  async hello(): Promise<Map<string, string>> {
    const reply = await this.say(this.#hello);
    this.#accept(reply, 250, `the server refuses ${this.#hello.slice(0, 4)}`);
    return readExtensions(reply);
  }

  /** Asks for TLS; the handshake follows. @throws MailError 'cannot' where the server refuses */
  async startTls(): Promise<void> {
    this.#accept(await this.say('STARTTLS'), 220, 'the server refuses STARTTLS');
  }

  /** Sends a line and waits for its reply. */
  say(line: string): Promise<SmtpReply> {
    this.#lines.send(line);
    return this.read();
  }

  /** Sends lines whose replies are read one by one (RFC 2920). */
  pipeline(lines: readonly string[]): void {
    this.#lines.send(lines.join('\r\n'));
  }

  /** The next reply. */
  read(): Promise<SmtpReply> {
    return readReply(() => this.#lines.receive());
  }

  takesInitial(mechanism: string, length: number): boolean {
    return `AUTH ${mechanism} `.length + Math.max(1, length) + 2 <= MAX_LINE;
  }

  authenticate(mechanism: string, initial: string | null, shown?: string): void {
    const command = `AUTH ${mechanism}`;
    if (initial === null) this.#lines.send(command);
    else this.#lines.send(`${command} ${initial || '='}`, `${command} ${shown ?? (initial || '=')}`);
  }

  async reply(): Promise<SaslReply> {
    const { code, lines } = await this.read();
    if (code === 334) return { kind: 'challenge', base64: lines.at(-1) ?? '' };
    if (code === 235) return { kind: 'ok', base64: null };
    return { kind: 'no', text: `${code} ${lines.join(' ')}` };
  }

  respond(base64: string, shown?: string): void {
    this.#lines.send(base64, shown);
  }

  cancel(): void {
    this.#lines.send('*');
  }

  #accept(reply: SmtpReply, wanted: number, refusal: string): void {
    if (reply.code !== wanted) {
      throw userError('cannot', `${refusal}: ${reply.code} ${reply.lines.join(' ')}`);
    }
  }
}
