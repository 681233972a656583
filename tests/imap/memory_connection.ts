/** A Connection without a socket: what the server writes is read line by line, what the client sends is handed over at once. */

import type { SecurityLayer } from '../../src/net/layer.ts';
import type {
  CloseReason,
  Connection,
  ConnectionUser,
  DataHandler,
  TlsInfo,
} from '../../src/net/connection.ts';

let serial = 0;

/** How long an expected answer may take before the test fails; no answer here takes a thousandth of it. */
const PATIENCE_MS = 10_000;

export interface MemoryConnectionOptions {
  secure?: boolean;
  canStartTls?: boolean;
  remoteAddress?: string;
  unix?: boolean;
  /** Bytes the "peer" takes before it is behind; `take()` makes room. Default: everything. */
  window?: number;
}

/** The server's end (a Connection) and the client's end (send, line, take) in one object. */
export class MemoryConnection implements Connection {
  readonly id = `m${++serial}`;
  readonly remoteAddress: string;
  readonly remotePort = 40000;
  readonly localAddress = '127.0.0.1';
  readonly localPort = 143;
  readonly unix: boolean;
  readonly peer = undefined;
  secure: boolean;
  tls: TlsInfo | undefined = undefined;
  canStartTls: boolean;
  /** What `protect` was given; bytes go through this connection as they are. */
  layer: SecurityLayer | undefined;
  closed = false;
  /** Whether the server has said that this is no stranger. */
  admitted = false;
  /** Whether the server has asked for silence. */
  paused = false;
  /** Greatest number of bytes that ever waited for the client. */
  mostPending = 0;
  idleTimeout = 0;
  closeReason: CloseReason | undefined;

  readonly #window: number;
  #output: Buffer[] = [];
  #outputSize = 0;
  #incoming: Buffer[] = [];
  #data: DataHandler = () => {};
  #close: ((reason: CloseReason) => void)[] = [];
  #idle: (() => void) | undefined;
  #user: ConnectionUser | undefined;
  #readers: (() => void)[] = [];
  #drains: (() => void)[] = [];

  constructor(options: MemoryConnectionOptions = {}) {
    this.secure = options.secure ?? false;
    this.canStartTls = options.canStartTls ?? false;
    this.unix = options.unix ?? false;
    this.remoteAddress = options.remoteAddress ?? (this.unix ? '' : '127.0.0.1');
    this.#window = options.window ?? Infinity;
  }

  // The server's end.

  get pendingBytes(): number {
    return this.#window === Infinity ? 0 : this.#outputSize;
  }

  write(data: Uint8Array | string): boolean {
    if (this.closed) return true;
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : Buffer.from(data);
    this.#output.push(bytes);
    this.#outputSize += bytes.length;
    this.mostPending = Math.max(this.mostPending, this.#outputSize);
    this.#wake();
    return this.#outputSize <= this.#window;
  }

  drain(): Promise<void> {
    if (this.closed || this.#outputSize <= this.#window) return Promise.resolve();
    return new Promise((resolve) => this.#drains.push(resolve));
  }

  flush(): void {}

  onData(handler: DataHandler): void {
    this.#data = handler;
  }

  onClose(handler: (reason: CloseReason) => void): void {
    this.#close.push(handler);
  }

  serveBy(user: ConnectionUser): void {
    this.#user = user;
    this.#data = (bytes) => user.received(bytes);
    this.#close.push((reason) => user.ended(reason));
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    // As with a socket: what waited may be handed over at once, from inside this call.
    this.#deliver();
  }

  setIdleTimeout(ms: number, handler?: () => void): void {
    this.idleTimeout = ms;
    this.#idle = handler ?? (() => this.#user?.silent());
  }

  startTls(): Promise<TlsInfo> {
    this.#incoming = [];
    this.secure = true;
    this.canStartTls = false;
    this.tls = {
      version: 'TLSv1.3',
      cipher: 'TLS_AES_128_GCM_SHA256',
      servername: '',
      alpn: '',
      certificate: undefined,
      exporter: () => Buffer.alloc(32),
      unique: () => null,
    };
    return Promise.resolve(this.tls);
  }

  protect(layer: SecurityLayer): void {
    this.layer = layer;
  }

  admit(): void {
    this.admitted = true;
  }

  end(): void {
    this.#shut('local');
  }

  destroy(): void {
    this.#shut('local');
  }

  // The client's end.

  /** Sends bytes (a string is latin1) in one segment. */
  send(data: string | Uint8Array): void {
    this.#incoming.push(typeof data === 'string' ? Buffer.from(data, 'latin1') : Buffer.from(data));
    this.#deliver();
  }

  /** The client goes away. */
  hangUp(): void {
    this.#shut('peer');
  }

  /** Fires the idle timeout as if its time had come. */
  expireIdle(): void {
    const handler = this.#idle;
    this.#idle = undefined;
    handler?.();
  }

  /** Bytes that no `line` or `bytes` has taken, as latin1. */
  get unread(): string {
    return Buffer.concat(this.#output).toString('latin1');
  }

  /** The next line without its CRLF, or null when the connection ended before one. */
  async line(ending = '\r\n'): Promise<string | null> {
    for (;;) {
      const all = this.#join();
      const end = all.indexOf(ending);
      if (end >= 0) return this.#cut(end + ending.length).toString('latin1').slice(0, -ending.length);
      if (this.closed) return null;
      await this.#more();
    }
  }

  /** Everything up to the end of the connection. */
  async rest(): Promise<Buffer> {
    while (!this.closed) await this.#more();
    return this.#cut(this.#join().length);
  }

  /** Exactly `count` bytes. */
  async bytes(count: number): Promise<Buffer> {
    while (this.#outputSize < count) {
      if (this.closed) throw new Error(`connection closed, ${count} bytes wanted, ${this.#outputSize} there`);
      await this.#more();
    }
    return this.#cut(count);
  }

  /** Takes whatever is there. */
  take(): Buffer {
    return this.#cut(this.#outputSize);
  }

  #deliver(): void {
    while (!this.paused && this.#incoming.length > 0 && !this.closed) {
      this.#data(this.#incoming.shift() as Buffer);
    }
  }

  #join(): Buffer {
    if (this.#output.length !== 1) this.#output = [Buffer.concat(this.#output)];
    return this.#output[0] as Buffer;
  }

  #cut(count: number): Buffer {
    const all = this.#join();
    this.#output = [all.subarray(count)];
    this.#outputSize -= count;
    if (this.#outputSize <= this.#window) {
      const drains = this.#drains;
      this.#drains = [];
      for (const resolve of drains) resolve();
    }
    return all.subarray(0, count);
  }

  #more(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`no answer; unread: ${this.unread}`)), PATIENCE_MS);
    this.#readers.push(() => {
      clearTimeout(timer);
      resolve();
    });
    return promise;
  }

  #wake(): void {
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) reader();
  }

  #shut(reason: CloseReason): void {
    if (this.closed) return;
    this.closed = true;
    this.closeReason = reason;
    const drains = this.#drains;
    this.#drains = [];
    for (const resolve of drains) resolve();
    for (const handler of this.#close) handler(reason);
    this.#wake();
  }
}
