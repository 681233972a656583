/** Standard input of which a password may be the first line and commands the rest. */

import { userError } from '../../errors.ts';

/** More than a password can have, so that a wrong file on standard input is not read to its end. */
const MAX_LINE = 64 << 10;

export class Input {
  readonly #open: () => AsyncIterable<Uint8Array>;
  #opened: AsyncIterator<Uint8Array> | undefined;
  #rest: Uint8Array = new Uint8Array(0);

  /** @param open is called when something is read: a terminal that is asked for a password has the stream to itself */
  constructor(open: () => AsyncIterable<Uint8Array>) {
    this.#open = open;
  }

  get #chunks(): AsyncIterator<Uint8Array> {
    return this.#opened ??= this.#open()[Symbol.asyncIterator]();
  }

  /** The first line, without its end. @throws MailError 'cannot' where there is none, or it is not UTF-8 */
  async firstLine(): Promise<string> {
    let end = -1;
    while (end < 0 && this.#rest.length <= MAX_LINE) {
      const { value, done } = await this.#chunks.next();
      if (done === true) break;
      this.#rest = Buffer.concat([this.#rest, value]);
      end = this.#rest.indexOf(0x0a);
    }
    if (end < 0) end = this.#rest.length;
    let line: string;
    try {
      line = new TextDecoder('utf-8', { fatal: true }).decode(this.#rest.subarray(0, end));
    } catch {
      throw userError('cannot', 'the password on standard input is not UTF-8');
    }
    this.#rest = this.#rest.subarray(end + 1);
    if (line.endsWith('\r')) line = line.slice(0, -1);
    if (line === '') {
      throw userError('cannot', 'there is no password: -w is missing, and standard input has none');
    }
    return line;
  }

  /** Everything from here on, as it comes. */
  async *rest(): AsyncGenerator<Uint8Array> {
    if (this.#rest.length > 0) yield this.#rest;
    for (;;) {
      const { value, done } = await this.#chunks.next();
      if (done === true) return;
      yield value;
    }
  }
}
