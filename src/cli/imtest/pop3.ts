/** POP3 up to the login (RFC 1939 §7, RFC 2449, RFC 2595 §4, RFC 5034). */

import { createHash } from '../../crypto.ts';
import { userError } from '../../errors.ts';
import type { Dialogue, Reply, ServerOffer } from './dialogue.ts';
import { OMITTED, type Talk } from './talk.ts';

/** A command line has at most 255 octets with its CRLF (RFC 2449 §4). */
const MAX_LINE = 255;

export class Pop3Dialogue implements Dialogue {
  readonly logout = 'QUIT';
  readonly #talk: Talk;
  /** What APOP hashes; '' where the server has none. */
  #timestamp = '';

  constructor(talk: Talk) {
    this.#talk = talk;
  }

  async greeting(): Promise<ServerOffer> {
    const line = await this.#talk.receive();
    if (!/^\+OK\b/i.test(line)) throw userError('cannot', 'the server refuses the connection');
    this.#timestamp = /<[^<>@]*@[^<>]*>/.exec(line)?.[0] ?? '';
    return await this.offer();
  }

  async offer(): Promise<ServerOffer> {
    this.#talk.send('CAPA');
    const lines: string[] = [];
    if (/^\+OK\b/i.test(await this.#talk.receive())) {
      for (let line = await this.#talk.receive(); line !== '.'; line = await this.#talk.receive()) {
        lines.push(line.toUpperCase());
      }
    }
    const sasl = lines.find((line) => line.startsWith('SASL '))?.slice('SASL '.length) ?? '';
    return {
      mechanisms: sasl.split(' ').filter((name) => name !== ''),
      starttls: lines.includes('STLS'),
      own: [...(this.#timestamp === '' ? [] : ['apop']), ...(lines.includes('USER') ? ['user'] : [])],
    };
  }

  async startTls(): Promise<void> {
    this.#talk.send('STLS');
    const line = await this.#talk.receive();
    if (!/^\+OK\b/i.test(line)) throw userError('cannot', `the server refuses STLS: ${line}`);
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
    const line = await this.#talk.receive();
    if (/^\+OK\b/i.test(line)) return { kind: 'ok', base64: null };
    const base64 = /^\+ ?(.*)$/.exec(line)?.[1];
    return base64 === undefined ? { kind: 'no', text: line } : { kind: 'challenge', base64 };
  }

  respond(base64: string, shown?: string): void {
    this.#talk.send(base64, shown);
  }

  cancel(): void {
    this.#talk.send('*');
  }

  async login(kind: string, user: string, password: string): Promise<Reply> {
    if (/[\x00-\x1f\x7f]/.test(user + password)) {
      throw userError('cannot', 'POP3 takes no control characters in names and passwords');
    }
    const bytes = (text: string) => Buffer.from(text).toString('latin1');
    if (kind === 'apop') {
      const digest = createHash('md5').update(this.#timestamp, 'latin1').update(password).digest('hex');
      this.#talk.send(`APOP ${bytes(user)} ${digest}`);
      return await this.reply();
    }
    this.#talk.send(`USER ${bytes(user)}`);
    const known = await this.reply();
    if (known.kind !== 'ok') return known;
    this.#talk.send(`PASS ${bytes(password)}`, `PASS ${OMITTED}`);
    return await this.reply();
  }

  isLogout(line: string): boolean {
    return /^QUIT$/i.test(line);
  }
}
