/** SMTP and LMTP up to the login (RFC 5321, RFC 2033, RFC 3207, RFC 4954). */

import { userError } from '../../errors.ts';
import type { Dialogue, Reply, ServerOffer } from './dialogue.ts';
import type { Talk } from './talk.ts';

/** A command line has at most 512 octets, AUTH with its initial response, too (RFC 5321 §4.5.3.1.4, RFC 4954 §4). */
const MAX_LINE = 512;

interface SmtpReply {
  readonly code: number;
  /** Without the code. */
  readonly lines: readonly string[];
}

export class SmtpDialogue implements Dialogue {
  readonly logout = 'QUIT';
  readonly #talk: Talk;
  readonly #hello: string;

  /** @param hello the command that introduces us, with our name */
  constructor(talk: Talk, hello: string) {
    this.#talk = talk;
    this.#hello = hello;
  }

  async greeting(): Promise<ServerOffer> {
    const { code, lines } = await this.#receive();
    if (code !== 220) throw userError('cannot', `the server refuses the connection: ${lines.join(' ')}`);
    return await this.offer();
  }

  async offer(): Promise<ServerOffer> {
    this.#talk.send(this.#hello);
    const { code, lines } = await this.#receive();
    if (code !== 250) {
      throw userError('cannot', `the server refuses ${this.#hello.slice(0, 4)}: ${lines.join(' ')}`);
    }
    const extensions = lines.slice(1).map((line) => line.toUpperCase());
    const auth = extensions.find((line) => line.startsWith('AUTH '))?.slice('AUTH '.length) ?? '';
    return {
      mechanisms: auth.split(' ').filter((name) => name !== ''),
      starttls: extensions.includes('STARTTLS'),
      own: [],
    };
  }

  async startTls(): Promise<void> {
    this.#talk.send('STARTTLS');
    const { code, lines } = await this.#receive();
    if (code !== 220) throw userError('cannot', `the server refuses STARTTLS: ${lines.join(' ')}`);
  }

  takesInitial(mechanism: string, length: number): boolean {
    return `AUTH ${mechanism} `.length + Math.max(1, length) + 2 <= MAX_LINE;
  }

  authenticate(mechanism: string, initial: string | null, shown?: string): void {
    const command = `AUTH ${mechanism}`;
    if (initial === null) this.#talk.send(command);
    else this.#talk.send(`${command} ${initial || '='}`, `${command} ${shown ?? (initial || '=')}`);
  }

  async reply(): Promise<Reply> {
    const { code, lines } = await this.#receive();
    if (code === 334) return { kind: 'challenge', base64: lines.at(-1) ?? '' };
    if (code === 235) return { kind: 'ok', base64: null };
    return { kind: 'no', text: `${code} ${lines.join(' ')}` };
  }

  respond(base64: string, shown?: string): void {
    this.#talk.send(base64, shown);
  }

  cancel(): void {
    this.#talk.send('*');
  }

  login(kind: string): Promise<Reply> {
    throw userError('cannot', `SMTP has no login "${kind}"`);
  }

  isLogout(line: string): boolean {
    return /^QUIT$/i.test(line);
  }

  async #receive(): Promise<SmtpReply> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#talk.receive();
      const match = /^([2-5]\d\d)(?:([- ])(.*))?$/.exec(line);
      if (match === null) throw userError('cannot', 'the server does not speak SMTP');
      lines.push(match[3] ?? '');
      if (match[2] !== '-') return { code: Number(match[1]), lines };
    }
  }
}
