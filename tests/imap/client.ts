/**
 * An IMAP client that believes what it is told and nothing else: it keeps the message list from EXISTS, EXPUNGE and FETCH
 * as RFC 9051 §5.2 and §7.5 say, and fails where the server tells something that cannot be.
 */

import type { MemoryConnection } from './memory_connection.ts';

/** One message as the client knows it; null where it was not told. */
export interface KnownMessage {
  uid: number | null;
  flags: string | null;
}

export interface Answer {
  readonly untagged: string[];
  /** `OK ...`, `NO ...` or `BAD ...`. */
  readonly result: string;
}

/** Commands in whose answer no EXPUNGE may come (RFC 9051 §7.5.1). */
const BY_SEQUENCE = /^(?:FETCH|STORE|SEARCH|SORT|THREAD) /;

export class ModelClient {
  readonly connection: MemoryConnection;
  messages: KnownMessage[] = [];
  /** UIDs told as expunged, while their message's UID was known. */
  readonly expunged = new Set<number>();
  #serial = 0;

  constructor(connection: MemoryConnection) {
    this.connection = connection;
  }

  async greeting(): Promise<void> {
    const line = await this.connection.line();
    if (line?.startsWith('* OK') !== true) throw new Error(`no greeting: ${line}`);
  }

  /** Sends a command and takes in all it is told until the tag is answered. */
  async command(text: string, literal?: string): Promise<Answer> {
    const tag = `t${++this.#serial}`;
    this.connection.send(
      `${tag} ${text}${literal === undefined ? '' : ` {${literal.length}+}\r\n${literal}`}\r\n`,
    );
    return await this.#answer(tag, BY_SEQUENCE.test(text));
  }

  /** IDLE until something was told or `stop` resolves, then DONE. */
  async idle(stop: Promise<void>): Promise<void> {
    const tag = `t${++this.#serial}`;
    this.connection.send(`${tag} IDLE\r\n`);
    await stop;
    this.connection.send('DONE\r\n');
    await this.#answer(tag, false);
  }

  async #answer(tag: string, bySequence: boolean): Promise<Answer> {
    const untagged: string[] = [];
    for (;;) {
      const line = await this.#line();
      if (line === null) throw new Error(`connection closed instead of an answer to ${tag}`);
      if (line.startsWith(`${tag} `)) return { untagged, result: line.slice(tag.length + 1) };
      if (line.startsWith('+')) continue;
      if (!line.startsWith('* ')) throw new Error(`unexpected: ${line}`);
      untagged.push(line);
      this.#take(line, bySequence);
    }
  }

  /** A line with its literals in it. */
  async #line(): Promise<string | null> {
    let text = await this.connection.line();
    for (;;) {
      const literal = text === null ? null : /\{(\d+)\}$/.exec(text);
      if (literal === null) return text;
      text += (await this.connection.bytes(Number(literal[1]))).toString('latin1');
      text += (await this.connection.line()) ?? '';
    }
  }

  #take(line: string, bySequence: boolean): void {
    const match = /^\* (\d+) (EXISTS|EXPUNGE|FETCH)(?: \(([^]*)\))?$/.exec(line);
    if (match === null) return;
    const number = Number(match[1]);
    switch (match[2]) {
      case 'EXISTS':
        if (number < this.messages.length) {
          throw new Error(`${line} takes away ${this.messages.length - number}`);
        }
        while (this.messages.length < number) this.messages.push({ uid: null, flags: null });
        break;
      case 'EXPUNGE': {
        if (bySequence) throw new Error(`${line} while sequence numbers are in use`);
        const [gone] = this.messages.splice(number - 1, 1);
        if (gone === undefined) throw new Error(`${line}: there is no such message`);
        if (gone.uid !== null) this.expunged.add(gone.uid);
        break;
      }
      case 'FETCH': {
        const message = this.messages[number - 1];
        if (message === undefined) throw new Error(`${line}: there is no such message`);
        const items = match[3] ?? '';
        const uid = /\bUID (\d+)/.exec(items)?.[1];
        if (uid !== undefined) this.#identify(message, Number(uid), line);
        const flags = /FLAGS \(([^)]*)\)/.exec(items)?.[1];
        if (flags !== undefined) message.flags = flags.split(' ').filter((f) => f !== '\\Recent').join(' ');
        break;
      }
    }
  }

  #identify(message: KnownMessage, uid: number, line: string): void {
    if (message.uid !== null && message.uid !== uid) throw new Error(`${line}: this was UID ${message.uid}`);
    if (this.expunged.has(uid)) throw new Error(`${line}: UID ${uid} was expunged`);
    message.uid = uid;
  }
}
