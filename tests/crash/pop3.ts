/** A client of POP3 that deletes mail: what its QUIT was acknowledged for is gone, as a whole (RFC 1939 §6). */

import { connect } from 'node:net';
import { ImapFailure } from '../harness/imap.ts';
import type { TestStore } from '../harness/server.ts';

/** Lines of one session. */
class Lines {
  readonly #socket;
  #input = '';
  #ended = false;
  #wake: () => void = () => {};

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (chunk: string) => {
      this.#input += chunk;
      this.#wake();
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#input.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#input.slice(0, end);
        this.#input = this.#input.slice(end + 2);
        return line;
      }
      if (this.#ended) throw new ImapFailure('the connection ended');
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** Sends a command; the first line of its answer. */
  async ask(command: string): Promise<string> {
    this.#socket.write(`${command}\r\n`);
    return await this.line();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/**
 * Deletes messages of INBOX. `quitting` is called right before QUIT, from when on they may be gone. Resolves to the answer that
 * counts: the first that is not +OK, or that of QUIT. Rejects with ImapFailure where the connection ends before.
 */
export async function deleteByPop3(
  store: TestStore,
  user: { readonly name: string; readonly password: string },
  uids: readonly number[],
  quitting: () => void,
): Promise<string> {
  const lines = new Lines(store.ports.pop3);
  try {
    let answer = await lines.line();
    for (const command of [`USER ${user.name}`, `PASS ${user.password}`, 'UIDL']) {
      if (answer.startsWith('+OK')) answer = await lines.ask(command);
    }
    if (!answer.startsWith('+OK')) return answer;
    const numbers = new Map<number, string>();
    for (let line = await lines.line(); line !== '.'; line = await lines.line()) {
      const [, number = '', uid] = /^(\d+) \d+\.(\d+)$/.exec(line) ?? [];
      numbers.set(Number(uid), number);
    }
    for (const uid of uids) {
      answer = await lines.ask(`DELE ${numbers.get(uid) ?? 'that is not there'}`);
      if (!answer.startsWith('+OK')) return `${answer} (uid ${uid})`;
    }
    quitting();
    return await lines.ask('QUIT');
  } finally {
    lines.destroy();
  }
}
