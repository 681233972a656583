/** The client's side of LMTP (RFC 2033), for programs of this machine that deliver: one command, one reply. */

import { asMailError, serverError } from '../errors.ts';
import { type Place, Wire } from '../net/wire.ts';
import { SmtpCommands } from '../outgoing/smtp/commands.ts';
import type { SmtpReply } from '../outgoing/smtp/reply.ts';
import { MessageEncoder } from './encoder.ts';

/** How long the server may be silent: a delivery may wait for a batch, never for minutes (RFC 5321 §4.5.3.2.6). */
const SILENCE_MS = 5 * 60_000;

export class LmtpClient {
  readonly #wire: Wire;
  readonly #commands: SmtpCommands;

  private constructor(wire: Wire, clientName: string) {
    this.#wire = wire;
    this.#commands = new SmtpCommands({
      send: (text) => void wire.write(Buffer.from(`${text}\r\n`, 'latin1')),
      receive: () => wire.line(),
    }, `LHLO ${clientName}`);
  }

  /**
   * Connects and waits for the greeting.
   * @throws MailError 'unavailable' naming the place, when nobody listens or nobody may connect
   */
  static async connect(place: Place, clientName: string): Promise<LmtpClient> {
    const where = 'path' in place ? place.path : `${place.host}:${place.port}`;
    let wire: Wire | undefined;
    try {
      wire = await Wire.connect(place, SILENCE_MS);
      const client = new LmtpClient(wire, clientName);
      await client.#commands.ready();
      return client;
    } catch (thrown) {
      wire?.destroy();
      const { message } = asMailError(thrown);
      throw serverError(
        `no connection to LMTP at ${where}: ${message.replace(/^no connection to [^ ]+: /, '')}`,
        thrown,
      );
    }
  }

  /** Sends a line (latin1, without CRLF) and waits for its reply. @throws MailError 'unavailable' when the connection is gone */
  say(line: string): Promise<SmtpReply> {
    return this.#commands.say(line);
  }

  /** Introduces us; the keywords of the extensions with their parameters. */
  async lhlo(): Promise<Map<string, string>> {
    return await this.#commands.hello().catch((thrown: unknown) => {
      throw serverError(asMailError(thrown).message, thrown);
    });
  }

  /** Sends the message behind a 354, in pieces as they come, to the end of data. The replies are read by `reply`. */
  async sendMessage(message: AsyncIterable<Uint8Array>): Promise<void> {
    const encoder = new MessageEncoder();
    for await (const chunk of message) await this.#write(encoder.push(chunk));
    await this.#write(encoder.end());
  }

  /** The next reply. One caller at a time. @throws MailError 'unavailable' when the connection is gone */
  reply(): Promise<SmtpReply> {
    return this.#commands.read();
  }

  close(): void {
    this.#wire.destroy();
  }

  async #write(bytes: Buffer): Promise<void> {
    if (bytes.length > 0 && !this.#wire.write(bytes)) await this.#wire.drained();
  }
}
