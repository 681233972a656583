/** POP3: opening a maildrop and listing it, and fetching messages one after the other, in a pipeline and not. */

import { connect, type Socket } from 'node:net';
import { PASSWORD, type RunningServer } from '../servers/server.ts';
import { costOf, type Workload } from '../workload.ts';
import { READER } from './fill.ts';

/** Commands sent before their answers are read; every server takes that many (RFC 2449 §6.8). */
const PIPELINE = 50;

export const pop3: Workload = {
  name: 'pop3',
  filled: true,
  users: () => [READER],

  async run(server, sizes, take) {
    const listed = await costOf(server, async () => {
      const client = await login(server);
      expectLines(await client.multiline('LIST'), sizes.fetched);
      expectLines(await client.multiline('UIDL'), sizes.fetched);
      await client.quit();
    });
    take.time('popListing', 1, listed, sizes.fetched);
    const client = await login(server);
    const one = Math.min(sizes.rounds, sizes.fetched);
    const alone = await costOf(server, async () => {
      for (let number = 1; number <= one; number++) await client.multiline(`RETR ${number}`);
    });
    take.time('popOne', one, alone);
    const count = Math.min(sizes.fetched, 4000);
    const many = await costOf(server, async () => {
      for (let from = 1; from <= count; from += PIPELINE) {
        const numbers = Array.from({ length: Math.min(PIPELINE, count - from + 1) }, (_, at) => from + at);
        await client.pipeline(numbers.map((number) => `RETR ${number}`));
      }
    });
    take.rate('popMany', count, many);
    await client.quit();
  },
};

function expectLines(lines: number, wanted: number): void {
  if (lines !== wanted) throw new Error(`POP3 listed ${lines} messages, expected ${wanted}`);
}

async function login(server: RunningServer): Promise<Pop3Client> {
  const client = await Pop3Client.open(server.ports.pop3);
  await client.line(`USER ${READER}`);
  await client.line(`PASS ${PASSWORD}`);
  return client;
}

const END = Buffer.from('\r\n.\r\n');

/** Counts what comes instead of keeping it: the client is not what is measured. */
class Pop3Client {
  readonly #socket: Socket;
  #buffer: Buffer = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  #failed: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
      this.#wake?.();
    });
    const end = (error?: Error) => {
      this.#failed = error ?? new Error('the server closed the connection');
      this.#wake?.();
    };
    socket.on('error', end);
    socket.on('close', () => end());
  }

  static async open(port: number): Promise<Pop3Client> {
    const client = new Pop3Client(connect({ host: '127.0.0.1', port }));
    await client.#answer();
    return client;
  }

  /** A command with an answer of one line. */
  async line(command: string): Promise<void> {
    this.#socket.write(`${command}\r\n`);
    await this.#answer();
  }

  /** A command with an answer of many lines; resolves to their number. */
  async multiline(command: string): Promise<number> {
    this.#socket.write(`${command}\r\n`);
    return await this.#many();
  }

  async pipeline(commands: readonly string[]): Promise<void> {
    this.#socket.write(commands.map((command) => `${command}\r\n`).join(''));
    for (let count = commands.length; count > 0; count--) await this.#many();
  }

  async quit(): Promise<void> {
    await this.line('QUIT');
    this.#socket.destroy();
  }

  async #answer(): Promise<void> {
    const line = await this.#until(Buffer.from('\r\n'));
    if (!line.toString('latin1', 0, 3).startsWith('+OK')) throw new Error(`POP3: ${line.toString('latin1')}`);
  }

  async #many(): Promise<number> {
    await this.#answer();
    const body = await this.#until(END, Buffer.from('.\r\n'));
    let lines = 0;
    for (let at = body.indexOf('\n'); at >= 0; at = body.indexOf('\n', at + 1)) lines++;
    return lines - 1;
  }

  /** Takes everything up to and with `end`, or `whole` where that is all there is. */
  async #until(end: Buffer, whole?: Buffer): Promise<Buffer> {
    let from = 0;
    for (;;) {
      if (whole !== undefined && this.#buffer.subarray(0, whole.length).equals(whole)) {
        return this.#cut(whole.length);
      }
      const at = this.#buffer.indexOf(end, from);
      if (at >= 0) return this.#cut(at + end.length);
      if (this.#failed !== undefined) throw this.#failed;
      from = Math.max(0, this.#buffer.length - end.length);
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  #cut(length: number): Buffer {
    const cut = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return cut;
  }
}
