/** Just enough of ManageSieve (RFC 5804) to give a user of a running store a script. */

import { connect, type Socket } from 'node:net';
import { PASSWORD, type TestStore } from './server.ts';

/** A command that was answered otherwise than with OK. */
export class Refusal extends Error {
  constructor(command: string, readonly answer: string) {
    super(`${command.slice(0, 60)}: ${answer}`);
  }
}

export class ManageSieveClient {
  readonly #socket: Socket;
  #input = '';
  #ended = false;
  #arrived: () => void = () => {};

  private constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('data', (chunk) => {
      this.#input += chunk.toString('utf8');
      this.#arrived();
    });
    // An error is followed by the end.
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.#ended = true;
      this.#arrived();
    });
  }

  static async login(
    store: TestStore,
    user: string,
    password: string = PASSWORD,
  ): Promise<ManageSieveClient> {
    const client = new ManageSieveClient(store.ports.sieve);
    await client.#answer();
    const proof = Buffer.from(`\0${user}\0${password}`).toString('base64');
    await client.ok(`AUTHENTICATE "PLAIN" "${proof}"`);
    return client;
  }

  /** Sends a command that must succeed; its whole answer. */
  async ok(command: string): Promise<string> {
    this.#socket.write(`${command}\r\n`);
    const answer = await this.#answer();
    if (!/(?:^|\n)OK[^\n]*\r\n$/.test(answer)) throw new Refusal(command, answer);
    return answer;
  }

  /** Stores a script and makes it the active one. */
  async activate(name: string, script: string): Promise<void> {
    await this.ok(`PUTSCRIPT "${name}" {${Buffer.byteLength(script)}+}\r\n${script}`);
    await this.ok(`SETACTIVE "${name}"`);
  }

  async logout(): Promise<void> {
    await this.ok('LOGOUT');
    this.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Up to the line that ends an answer. */
  async #answer(): Promise<string> {
    for (;;) {
      const end = /(?:^|\r\n)(?:OK|NO|BYE)[^\r]*\r\n/.exec(this.#input);
      if (end !== null) {
        const answer = this.#input.slice(0, end.index + end[0].length);
        this.#input = this.#input.slice(answer.length);
        return answer;
      }
      if (this.#ended) throw new Error(`the connection ended after: ${this.#input}`);
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
  }
}

/** Gives a user a script. */
export async function activateScript(store: TestStore, user: string, script: string): Promise<void> {
  const client = await ManageSieveClient.login(store, user);
  await client.activate('main', script);
  await client.logout();
}
