/** A mail server for tests that takes everything, keeps what it was given to the byte, and can be told to refuse. */

import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';

/** One message that was handed over. */
export interface Sunk {
  /** MAIL and its parameters as they were sent. */
  readonly mail: string;
  /** RCPT commands that were accepted. */
  readonly rcpts: readonly string[];
  /** Bytes as characters, dots undone. */
  readonly data: string;
  readonly how: 'DATA' | 'BDAT';
  readonly tls: boolean;
  readonly user: string | null;
}

export interface SinkOptions {
  /** Lines of EHLO; SIZE, PIPELINING, 8BITMIME, SMTPUTF8, DSN, DELIVERBY, CHUNKING and ENHANCEDSTATUSCODES where not given. */
  readonly extensions?: readonly string[];
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Name and password; then nothing is taken without a login. */
  readonly user?: readonly [name: string, password: string];
  /** The reply to a command line or to the end of a message (`.`); null for the usual one, '' for none at all. */
  readonly answer?: (line: string) => string | null;
}

const ALL = [
  'PIPELINING',
  'SIZE 0',
  '8BITMIME',
  'SMTPUTF8',
  'DSN',
  'DELIVERBY 0',
  'CHUNKING',
  'ENHANCEDSTATUSCODES',
];

export class SmtpSink {
  readonly messages: Sunk[] = [];
  /** All command lines, in order. */
  readonly lines: string[] = [];
  /** Writes of the client's that were seen, for counting round trips. */
  reads = 0;
  options: SinkOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #waiting: { count: number; resolve: () => void }[] = [];

  private constructor(options: SinkOptions) {
    this.options = options;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      new Dialogue(this, socket, (message) => this.#sink(message));
    });
  }

  static async start(options: SinkOptions = {}): Promise<SmtpSink> {
    const sink = new SmtpSink(options);
    await new Promise<void>((resolve) => sink.#server.listen(0, '127.0.0.1', resolve));
    return sink;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when so many messages are here. */
  async until(count: number): Promise<readonly Sunk[]> {
    if (this.messages.length < count) {
      await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
    }
    return this.messages;
  }

  clear(): void {
    this.messages.length = 0;
    this.lines.length = 0;
    this.reads = 0;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #sink(message: Sunk): void {
    this.messages.push(message);
    this.#waiting = this.#waiting.filter(({ count, resolve }) => {
      if (this.messages.length < count) return true;
      resolve();
      return false;
    });
  }
}

class Dialogue {
  readonly #sink: SmtpSink;
  readonly #done: (message: Sunk) => void;
  #socket: Socket;
  #input = '';
  #mode: 'line' | 'data' | 'chunk' | 'response' = 'line';
  #chunk = 0;
  #last = false;
  #data = '';
  #mail = '';
  #rcpts: string[] = [];
  #tls = false;
  #user: string | null = null;
  #challenge = '';

  constructor(sink: SmtpSink, socket: Socket, done: (message: Sunk) => void) {
    this.#sink = sink;
    this.#socket = socket;
    this.#done = done;
    this.#listen(socket);
    this.#say(this.#sink.options.answer?.('CONNECT') ?? '220 sink.example.org ESMTP');
  }

  #listen(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#sink.reads++;
      this.#input += chunk.toString('latin1');
      while (this.#step());
    });
  }

  #say(text: string): void {
    if (text !== '') this.#socket.write(`${text}\r\n`, 'latin1');
  }

  #step(): boolean {
    if (this.#mode === 'chunk') {
      const piece = this.#input.slice(0, this.#chunk);
      this.#input = this.#input.slice(piece.length);
      this.#data += piece;
      this.#chunk -= piece.length;
      if (this.#chunk > 0) return false;
      this.#mode = 'line';
      if (this.#last) this.#end('BDAT');
      else this.#say('250 2.0.0 go on');
      return true;
    }
    const end = this.#input.indexOf('\r\n');
    if (end < 0) return false;
    const line = this.#input.slice(0, end);
    this.#input = this.#input.slice(end + 2);
    if (this.#mode === 'data') {
      if (line === '.') {
        this.#mode = 'line';
        this.#end('DATA');
      } else this.#data += `${line.startsWith('.') ? line.slice(1) : line}\r\n`;
      return true;
    }
    if (this.#mode === 'response') {
      this.#mode = 'line';
      this.#judge(line);
      return true;
    }
    this.#sink.lines.push(line);
    this.#command(line);
    return true;
  }

  #end(how: 'DATA' | 'BDAT'): void {
    const answer = this.#sink.options.answer?.('.') ?? '250 2.0.0 Ok: queued as SINK';
    if (answer.startsWith('2')) {
      const { data, mail, rcpts } = { data: this.#data, mail: this.#mail, rcpts: [...this.#rcpts] };
      this.#done({ mail, rcpts, data, how, tls: this.#tls, user: this.#user });
    }
    this.#reset();
    this.#say(answer);
  }

  #reset(): void {
    this.#mail = '';
    this.#rcpts = [];
    this.#data = '';
  }

  #command(line: string): void {
    const { options } = this.#sink;
    const own = options.answer?.(line) ?? null;
    const verb = line.split(/[ :]/)[0]?.toUpperCase() ?? '';
    if (own !== null && !own.startsWith('2')) {
      if (verb === 'BDAT') {
        // What follows must be read all the same.
        this.#chunk = 0;
      }
      return this.#say(own);
    }
    if (options.user !== undefined && this.#user === null && /^(?:MAIL|RCPT|DATA|BDAT)$/.test(verb)) {
      return this.#say('530 5.7.0 Authentication required');
    }
    switch (verb) {
      case 'EHLO': {
        const lines = [...(options.extensions ?? ALL)];
        if (options.tls !== undefined && !this.#tls) lines.push('STARTTLS');
        if (options.user !== undefined && this.#user === null) lines.push('AUTH PLAIN CRAM-MD5');
        return this.#say(
          ['sink.example.org', ...lines].map((each, at) => `250${at === lines.length ? ' ' : '-'}${each}`)
            .join('\r\n'),
        );
      }
      case 'STARTTLS':
        return this.#startTls();
      case 'AUTH': {
        const [, mechanism, initial] = line.split(' ');
        if (mechanism === 'PLAIN' && initial !== undefined) return this.#judge(initial);
        this.#mode = 'response';
        this.#challenge = mechanism === 'CRAM-MD5' ? '<1.2@sink.example.org>' : '';
        return this.#say(`334 ${Buffer.from(this.#challenge).toString('base64')}`);
      }
      case 'MAIL':
        this.#mail = line;
        return this.#say('250 2.1.0 Ok');
      case 'RCPT':
        this.#rcpts.push(line);
        return this.#say('250 2.1.5 Ok');
      case 'DATA':
        this.#mode = 'data';
        return this.#say('354 End data with <CR><LF>.<CR><LF>');
      case 'BDAT':
        this.#mode = 'chunk';
        this.#chunk = Number(line.split(' ')[1]);
        this.#last = /LAST$/i.test(line);
        return;
      case 'RSET':
        this.#reset();
        return this.#say('250 2.0.0 Ok');
      case 'QUIT':
        this.#say('221 2.0.0 Bye');
        this.#socket.end();
        return;
      default:
        return this.#say('502 5.5.2 unknown command');
    }
  }

  #judge(response: string): void {
    const text = Buffer.from(response, 'base64').toString('utf8');
    const [name = '', password = ''] = this.#sink.options.user ?? [];
    const proof = createHmac('md5', password).update(this.#challenge).digest('hex');
    const right = this.#challenge === '' ? text === `\0${name}\0${password}` : text === `${name} ${proof}`;
    if (!right) return this.#say('535 5.7.8 Authentication credentials invalid');
    this.#user = name;
    this.#say('235 2.7.0 Authentication successful');
  }

  #startTls(): void {
    const { cert = '', key = '' } = this.#sink.options.tls ?? {};
    this.#say('220 2.0.0 Ready to start TLS');
    const plain = this.#socket;
    plain.removeAllListeners('data');
    this.#input = '';
    const secure = new TLSSocket(plain, {
      isServer: true,
      secureContext: createSecureContext({ cert: readFileSync(cert), key: readFileSync(key) }),
    });
    this.#tls = true;
    this.#listen(secure);
  }
}
