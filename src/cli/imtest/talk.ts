/** What a dialogue speaks through: lines to and from the server, each shown as Cyrus's imtest shows it. */

import { printable } from '../table.ts';
import type { Wire } from '../../net/wire.ts';

/** Stands in the place of what would tell a password. */
export const OMITTED = '<omitted>';

/** Bytes are characters up to \xff, lines are without their CRLF. */
export interface Talk {
  /**
   * Sends one line, or several with CRLF between them.
   * @param shown what to show of it in its place
   */
  send(text: string, shown?: string): void;
  /**
   * The next line of the server.
   * @throws MailError 'unavailable' when it closed the connection or says nothing
   */
  receive(): Promise<string>;
  /** So many bytes of the server, which a line announced. @throws MailError as `receive` */
  receiveBytes(length: number): Promise<string>;
}

/** Over a connection, with `S: ` and `C: ` before everything that is said. */
export class ShownTalk implements Talk {
  readonly #wire: Wire;
  readonly #show: (text: string) => void;

  constructor(wire: Wire, show: (text: string) => void) {
    this.#wire = wire;
    this.#show = show;
  }

  send(text: string, shown: string = text): void {
    for (const line of shown.split('\r\n')) this.#show(`C: ${visible(line)}\n`);
    this.#wire.write(Buffer.from(`${text}\r\n`, 'latin1'));
  }

  async receive(): Promise<string> {
    const line = await this.#wire.line();
    this.#show(`S: ${visible(line)}\n`);
    return line;
  }

  async receiveBytes(length: number): Promise<string> {
    const text = (await this.#wire.bytes(length)).toString('latin1');
    for (const line of text.split('\r\n')) this.#show(`S: ${visible(line)}\n`);
    return text;
  }
}

/** What servers say is theirs; it shall not move the cursor. */
function visible(line: string): string {
  return printable(Buffer.from(line, 'latin1').toString('utf8'));
}
