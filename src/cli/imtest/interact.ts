/** After the login: what somebody types, or a file says, goes to the server, and what the server says is shown. */

import type { CommandIo } from '../command.ts';
import type { Dialogue } from './dialogue.ts';
import type { Wire } from '../../net/wire.ts';

/** How long the server may go on answering when everything was said. */
const PATIENCE_MS = 60_000;
/** Bytes of a line that are kept to see whether it ends the session. */
const LONGEST_LOGOUT = 256;

/**
 * Sends `input` with CRLF at the end of its lines and shows what comes back, until the server closes. At the end of
 * the input the session is ended as the protocol has it, unless the last line did so already.
 * @param echo show what is sent, as nobody typed it
 */
export async function interact(
  wire: Wire,
  dialogue: Pick<Dialogue, 'logout' | 'isLogout'>,
  input: AsyncIterable<Uint8Array>,
  io: Pick<CommandIo, 'stdout'>,
  echo: boolean,
): Promise<void> {
  const closed = wire.pump((chunk) => io.stdout(chunk));
  const said = say(wire, dialogue, input, io, echo);
  // Somebody at a terminal may type nothing more, ever.
  await Promise.race([closed, said]);
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, PATIENCE_MS);
  await Promise.race([closed, late]);
  clearTimeout(timer);
  wire.close();
}

async function say(
  wire: Wire,
  dialogue: Pick<Dialogue, 'logout' | 'isLogout'>,
  input: AsyncIterable<Uint8Array>,
  io: Pick<CommandIo, 'stdout'>,
  echo: boolean,
): Promise<void> {
  const lines = new LineEnds();
  for await (const chunk of input) {
    if (echo) io.stdout(chunk);
    if (!wire.write(lines.push(chunk))) await wire.drained();
  }
  if (dialogue.isLogout(lines.last)) return;
  io.stdout(`C: ${dialogue.logout}\n`);
  wire.write(Buffer.from(`${lines.midLine ? '\r\n' : ''}${dialogue.logout}\r\n`));
}

/** Makes line ends CRLF, wherever the pieces are cut. */
export class LineEnds {
  #afterCr = false;
  #line = '';
  #last = '';

  push(chunk: Uint8Array): Buffer {
    const bare: number[] = [];
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) {
      if (at === 0 ? !this.#afterCr : chunk[at - 1] !== 0x0d) bare.push(at);
    }
    const out = Buffer.alloc(chunk.length + bare.length);
    let [from, to] = [0, 0];
    for (const at of bare) {
      out.set(chunk.subarray(from, at), to);
      to += at - from;
      out[to++] = 0x0d;
      from = at;
    }
    out.set(chunk.subarray(from), to);
    if (chunk.length > 0) this.#afterCr = chunk[chunk.length - 1] === 0x0d;
    this.#remember(out);
    return out;
  }

  /** The last line that is not empty. */
  get last(): string {
    return this.#line.trim() === '' ? this.#last : this.#line.trim();
  }

  /** The last line has no end yet. */
  get midLine(): boolean {
    return this.#line !== '';
  }

  #remember(bytes: Buffer): void {
    const text = this.#line + bytes.toString('latin1', Math.max(0, bytes.length - 4 * LONGEST_LOGOUT));
    const lines = text.split('\n');
    this.#line = (lines.pop() ?? '').slice(-LONGEST_LOGOUT);
    this.#last = lines.findLast((line) => line.trim() !== '')?.trim() ?? this.#last;
  }
}
