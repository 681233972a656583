/** IMAP up to the login (RFC 9051 §6.2, RFC 3501, RFC 4959). */

import { userError } from '../../errors.ts';
import type { Dialogue, Reply, ServerOffer } from './dialogue.ts';
import { OMITTED, type Talk } from './talk.ts';

/** Longest command line with an initial response; longer ones wait for the server's continuation. */
const MAX_LINE = 8000;

export class ImapDialogue implements Dialogue {
  readonly logout = 'Q01 LOGOUT';
  readonly #talk: Talk;
  #initialResponses = false;

  constructor(talk: Talk) {
    this.#talk = talk;
  }

  async greeting(): Promise<ServerOffer> {
    const line = await this.#talk.receive();
    if (/^\* PREAUTH /i.test(line)) throw userError('cannot', 'the server has logged us in already');
    if (!/^\* OK\b/i.test(line)) throw userError('cannot', 'the server refuses the connection');
    const told = /^\* OK \[CAPABILITY ([^\]]*)\]/i.exec(line)?.[1];
    return told === undefined ? await this.offer() : this.#read(told);
  }

  async offer(): Promise<ServerOffer> {
    this.#talk.send('C01 CAPABILITY');
    let told = '';
    const { text } = await this.#until('C01', (line) => {
      told = /^\* CAPABILITY (.*)$/i.exec(line)?.[1] ?? told;
    });
    return this.#read(told === '' ? text : told);
  }

  async startTls(): Promise<void> {
    this.#talk.send('S01 STARTTLS');
    const { ok, text } = await this.#until('S01');
    if (!ok) throw userError('cannot', `the server refuses STARTTLS: ${text}`);
  }

  takesInitial(mechanism: string, length: number): boolean {
    return this.#initialResponses && mechanism.length + length < MAX_LINE;
  }

  authenticate(mechanism: string, initial: string | null, shown?: string): void {
    const command = `A01 AUTHENTICATE ${mechanism}`;
    if (initial === null) this.#talk.send(command);
    else this.#talk.send(`${command} ${initial || '='}`, `${command} ${shown ?? (initial || '=')}`);
  }

  async reply(): Promise<Reply> {
    let base64: string | undefined;
    const { ok, text } = await this.#until('A01', (line) => {
      base64 = /^\+ ?(.*)$/.exec(line)?.[1];
      return base64 !== undefined;
    });
    if (base64 !== undefined) return { kind: 'challenge', base64 };
    return ok ? { kind: 'ok', base64: null } : { kind: 'no', text };
  }

  respond(base64: string, shown?: string): void {
    this.#talk.send(base64, shown);
  }

  cancel(): void {
    this.#talk.send('*');
  }

  /** LOGIN, with the password as a literal: it may have any characters. */
  async login(_kind: string, user: string, password: string): Promise<Reply> {
    if (!/^[\x20-\x7e]+$/.test(user)) {
      throw userError('cannot', 'LOGIN takes names in ASCII; use a SASL mechanism (-m)');
    }
    const name = /^[A-Za-z0-9!#$&'+,\-./:;<=>?@^_`|}~]+$/.test(user)
      ? user
      : `"${user.replace(/["\\]/g, '\\$&')}"`;
    this.#talk.send(`L01 LOGIN ${name} {${Buffer.byteLength(password)}}`);
    let go = false;
    const first = await this.#until('L01', (line) => go = line.startsWith('+'));
    if (!go) return first.ok ? { kind: 'ok', base64: null } : { kind: 'no', text: first.text };
    this.#talk.send(Buffer.from(password).toString('latin1'), OMITTED);
    const { ok, text } = await this.#until('L01');
    return ok ? { kind: 'ok', base64: null } : { kind: 'no', text };
  }

  async compress(): Promise<void> {
    this.#talk.send('Z01 COMPRESS DEFLATE');
    const { ok, text } = await this.#until('Z01');
    if (!ok) throw userError('cannot', `the server does not compress (-q): ${text}`);
  }

  isLogout(line: string): boolean {
    return /^\S+ LOGOUT$/i.test(line);
  }

  /** Lines up to the tagged one, or to one of which `stops` says so. */
  async #until(
    tag: string,
    stops: (line: string) => boolean | void = () => {},
  ): Promise<{ ok: boolean; text: string }> {
    for (;;) {
      const line = await this.#talk.receive();
      if (line.startsWith(`${tag} `)) {
        const text = line.slice(tag.length + 1);
        return { ok: /^OK\b/i.test(text), text };
      }
      if (stops(line) === true) return { ok: false, text: line };
    }
  }

  #read(capabilities: string): ServerOffer {
    const words = capabilities.split(' ').map((word) => word.toUpperCase());
    this.#initialResponses = words.includes('SASL-IR');
    return {
      mechanisms: words.filter((word) => word.startsWith('AUTH=')).map((word) => word.slice(5)),
      starttls: words.includes('STARTTLS'),
      own: words.includes('LOGINDISABLED') ? [] : ['login'],
    };
  }
}
