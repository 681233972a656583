/** ManageSieve up to the login (RFC 5804 §1.2, §2.1, §2.2, §4). */

import { userError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { Dialogue, Reply, ServerOffer } from './dialogue.ts';
import type { Talk } from './talk.ts';

/** Quoted strings have at most 1,024 octets (RFC 5804 §1.2), longer ones are sent as literals. */
const MAX_QUOTED = 1024;
/** Longest literal that is taken from a server: no script is longer. */
const MAX_LITERAL = limits.store_script_size.value;

/** A word of a line: strings keep their content, everything else is upper case. */
export interface SieveToken {
  readonly string: boolean;
  readonly text: string;
}

/** The scripts are on another server (RFC 5804 §1.3). */
export class Referral extends Error {
  /** @param said all that the server says */
  constructor(readonly url: string, said: string) {
    super(`the server refers to another: ${said}`);
  }
}

export class SieveDialogue implements Dialogue {
  readonly logout = 'LOGOUT';
  readonly #talk: Talk;

  constructor(talk: Talk) {
    this.#talk = talk;
  }

  greeting(): Promise<ServerOffer> {
    return this.offer();
  }

  /** The server lists its capabilities by itself: when it greets, and when TLS or a layer begins (§1.7, §2.1, §2.2). */
  async offer(): Promise<ServerOffer> {
    const capabilities = new Map<string, string>();
    for (;;) {
      const tokens = await this.words();
      const [name, value] = tokens;
      if (name?.string === true) {
        capabilities.set(name.text.toUpperCase(), value?.text ?? '');
        continue;
      }
      if (name?.text !== 'OK') {
        throw userError('cannot', `the server refuses the connection: ${textOf(tokens)}`);
      }
      const sasl = capabilities.get('SASL')?.toUpperCase() ?? '';
      return {
        mechanisms: sasl.split(' ').filter((mechanism) => mechanism !== ''),
        starttls: capabilities.has('STARTTLS'),
        own: [],
      };
    }
  }

  async startTls(): Promise<void> {
    this.#talk.send('STARTTLS');
    const tokens = await this.words();
    if (tokens[0]?.text !== 'OK') {
      throw userError('cannot', `the server refuses STARTTLS: ${textOf(tokens)}`);
    }
  }

  takesInitial(): boolean {
    return true;
  }

  authenticate(mechanism: string, initial: string | null, shown?: string): void {
    const command = `AUTHENTICATE "${mechanism}"`;
    if (initial === null) this.#talk.send(command);
    else this.#talk.send(`${command} ${stringOf(initial)}`, `${command} ${shown ?? stringOf(initial)}`);
  }

  async reply(): Promise<Reply> {
    const tokens = await this.words();
    const [first, open, code, data] = tokens;
    if (first?.string === true) return { kind: 'challenge', base64: first.text };
    if (first?.text !== 'OK') return { kind: 'no', text: textOf(tokens) };
    const final = open?.text === '(' && code?.text === 'SASL' && data?.string === true ? data.text : null;
    return { kind: 'ok', base64: final };
  }

  respond(base64: string, shown?: string): void {
    this.#talk.send(stringOf(base64), shown);
  }

  cancel(): void {
    this.#talk.send('"*"');
  }

  login(kind: string): Promise<Reply> {
    throw userError('cannot', `ManageSieve has no login "${kind}"`);
  }

  isLogout(line: string): boolean {
    return /^LOGOUT$/i.test(line);
  }

  /** The words of one logical line of the server: literals belong to it. @throws Referral where it sends the client elsewhere */
  async words(): Promise<readonly SieveToken[]> {
    const tokens = await this.#line();
    const [first, open, code, url] = tokens;
    const refers = first?.string === false && open?.text === '(' && code?.text === 'REFERRAL';
    if (refers && url?.string === true) throw new Referral(url.text, textOf(tokens));
    return tokens;
  }

  async #line(): Promise<SieveToken[]> {
    const tokens: SieveToken[] = [];
    for (;;) {
      const line = await this.#talk.receive();
      const literal = /\{(\d{1,10})\+?\}$/.exec(line);
      tokens.push(...readTokens(literal === null ? line : line.slice(0, literal.index)));
      if (literal === null) return tokens;
      const length = Number(literal[1]);
      if (length > MAX_LITERAL) throw userError('cannot', `the server sends a string of ${length} bytes`);
      tokens.push({ string: true, text: await this.#talk.receiveBytes(length) });
    }
  }
}

/** The words of a line without its literals. */
export function readTokens(line: string): SieveToken[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|([()])|([^\s()"]+)/g)].map(([, quoted, bracket, word]) =>
    quoted === undefined
      ? { string: false, text: (bracket ?? word ?? '').toUpperCase() }
      : { string: true, text: quoted.replace(/\\(.)/g, '$1') }
  );
}

/** A string of one char per byte, quoted where that can be. */
export function stringOf(bytes: string): string {
  return bytes.length > MAX_QUOTED || /[\r\n\0]/.test(bytes)
    ? `{${bytes.length}+}\r\n${bytes}`
    : `"${bytes.replace(/["\\]/g, '\\$&')}"`;
}

/** What a response says to people: its last string, else all of it. */
function textOf(tokens: readonly SieveToken[]): string {
  return tokens.map(({ text }) => text).join(' ');
}
