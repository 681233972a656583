/**
 * A connection over a node socket, with TLS from the start, later by STARTTLS, or never.
 *
 * Invariants:
 * 1. `onClose` is called exactly once, and nothing is handed to `onData` after it.
 * 2. No byte received before a handshake reaches `onData` after it.
 * 3. While the handshake runs nothing is handed out and nothing written leaves.
 * 4. A peer that takes no output for `limits.output_stall` is cut off; `end()` lingers `limits.close_linger`.
 * 5. After `onClose` no descriptor is held, whichever side closed and however.
 */

import { type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ptr } from 'bun:ffi';
import { serverError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { CloseReason, Connection, DataHandler, PeerCredentials, TlsInfo } from './connection.ts';
import { idleNow, unwatch, watch, type Watched } from './idle.ts';
import { libc, SO_PEERCRED, SOL_SOCKET } from './libc.ts';
import { Output } from './output.ts';
import type { TlsParameters } from './tls.ts';

export interface SocketOptions {
  /** Path of the unix socket it came in by, or ''. */
  readonly unixPath: string;
  /** What a handshake is made with, as of the moment it begins; undefined where no certificate is configured. */
  readonly tls: () => TlsParameters | undefined;
  /** Replaces limits.tls_handshake in tests. */
  readonly handshakeMs?: number;
  /** Called by `admit()` the first time. */
  readonly admitted?: () => void;
  /** Called once when the connection is gone, after `onClose`. */
  readonly gone?: () => void;
}

/** Seconds without output after which a peer that has closed its side is let go. */
const HALF_CLOSED = 1;

let counter = 0;

/** An address as everybody writes it: IPv4-mapped as IPv4 (RFC 4291 §2.5.5.2), without a zone. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  const bare = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
  const zone = bare.indexOf('%');
  return zone < 0 ? bare : bare.slice(0, zone);
}

export class SocketConnection implements Connection, Watched {
  readonly id: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly unix: boolean;
  readonly #raw: Socket;
  #stream: Socket;
  readonly #output: Output;
  readonly #options: SocketOptions;
  #tls: TlsInfo | undefined;
  #shaking = false;
  #closed = false;
  #ending = false;
  #reason: CloseReason | undefined;
  #admitted = false;
  #paused = false;
  #onData: DataHandler | undefined;
  #early: Buffer[] = [];
  #onClose: ((reason: CloseReason) => void) | undefined;
  #lastActivity: number;
  #lastProgress: number;
  #idleLimit = 0;
  #onIdle: (() => void) | undefined;
  #endDeadline = 0;
  #peerEnded = false;

  constructor(socket: Socket, options: SocketOptions) {
    this.id = (++counter).toString(36);
    this.#raw = socket;
    this.#stream = socket;
    this.#options = options;
    this.unix = options.unixPath !== '';
    this.remoteAddress = this.unix ? '' : plainAddress(socket.remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
    this.localAddress = this.unix ? options.unixPath : plainAddress(socket.localAddress);
    this.localPort = socket.localPort ?? 0;
    this.#lastActivity = this.#lastProgress = idleNow();
    this.#output = new Output(this.#sink(socket), () => {
      this.#lastProgress = this.#lastActivity = idleNow();
    });
    // Replies are written whole, so waiting for more would only add the peer's delayed ACK (40 ms).
    if (!this.unix) socket.setNoDelay(true);
    this.#attach(socket);
    watch(this);
  }

  get peer(): PeerCredentials | undefined {
    const fd = (this.#raw as unknown as { _handle?: { fd?: number } })._handle?.fd;
    if (!this.unix || fd === undefined || fd < 0) return undefined;
    const found = new Int32Array(3);
    const length = new Uint32Array([12]);
    if (libc().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ptr(found), ptr(length)) !== 0) return undefined;
    return { pid: found[0] as number, uid: found[1] as number, gid: found[2] as number };
  }

  get secure(): boolean {
    return this.#tls !== undefined;
  }

  get tls(): TlsInfo | undefined {
    return this.#tls;
  }

  get canStartTls(): boolean {
    return !this.#closed && !this.#shaking && this.#tls === undefined && this.#options.tls() !== undefined;
  }

  get closed(): boolean {
    return this.#closed || this.#ending;
  }

  get pendingBytes(): number {
    return this.#output.pending;
  }

  write(data: Uint8Array | string): boolean {
    if (this.closed) return false;
    if (this.#output.pending === 0) this.#lastProgress = idleNow();
    return this.#output.push(data);
  }

  drain(): Promise<void> {
    return this.#output.drain();
  }

  flush(): void {
    if (!this.#shaking) this.#output.flush();
  }

  onData(handler: DataHandler): void {
    this.#onData = handler;
    while (this.#early.length > 0 && !this.#paused && !this.#closed) handler(this.#early.shift() as Buffer);
  }

  onClose(handler: (reason: CloseReason) => void): void {
    this.#onClose = handler;
  }

  pause(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  resume(): void {
    if (!this.#paused || this.#closed) return;
    this.#paused = false;
    if (this.#shaking) return;
    this.#stream.resume();
    if (this.#onData !== undefined && this.#early.length > 0) this.onData(this.#onData);
  }

  setIdleTimeout(ms: number, handler?: () => void): void {
    this.#lastActivity = idleNow();
    this.#idleLimit = Math.ceil(ms / 1000);
    this.#onIdle = handler;
  }

  tick(now: number): void {
    if (this.#closed) return;
    if (this.#ending) {
      if (now >= this.#endDeadline) this.destroy();
      return;
    }
    if (this.#output.pending > 0 && now - this.#lastProgress > limits.output_stall.value) {
      this.#reason = 'slow';
      this.destroy();
      return;
    }
    if (this.#peerEnded && this.#output.pending === 0 && now - this.#lastActivity > HALF_CLOSED) {
      this.end();
      return;
    }
    // The beat comes once a second, so a whole second more is waited rather than a part less.
    if (this.#idleLimit > 0 && now - this.#lastActivity > this.#idleLimit) {
      const handler = this.#onIdle;
      this.#idleLimit = 0;
      this.#onIdle = undefined;
      if (handler === undefined) this.destroy();
      else handler();
    }
  }

  async startTls(): Promise<TlsInfo> {
    const parameters = this.#options.tls();
    if (parameters === undefined || this.#tls !== undefined || this.#shaking || this.closed) {
      throw serverError('TLS cannot be started on this connection');
    }
    this.#shaking = true;
    this.#detach(this.#raw);
    await this.#output.empty();
    if (this.#closed) throw serverError('the connection closed before the TLS handshake');
    // Plain text that came in behind STARTTLS would otherwise count as said under TLS (RFC 3207 §4.2).
    this.#early = [];
    while (this.#raw.read() !== null);
    return await this.#handshake(parameters);
  }

  #handshake(parameters: TlsParameters): Promise<TlsInfo> {
    return new Promise((resolve, reject) => {
      const secured = new TLSSocket(this.#raw, {
        isServer: true,
        secureContext: parameters.context,
        SNICallback: parameters.sni,
        ALPNProtocols: [parameters.alpn],
      });
      const stop = (reason: CloseReason, cause?: Error) => {
        clearTimeout(timer);
        this.#reason ??= reason;
        this.destroy();
        reject(serverError(`TLS handshake failed: ${cause?.message ?? 'the peer closed'}`, cause));
      };
      const timer = setTimeout(
        () => stop('error', new Error('not done in time')),
        this.#options.handshakeMs ?? limits.tls_handshake.value * 1000,
      );
      secured.once('error', (error) => stop('error', error));
      secured.once('close', () => stop('peer'));
      secured.once('secure', () => {
        clearTimeout(timer);
        secured.removeAllListeners('error');
        secured.removeAllListeners('close');
        if (this.#closed) {
          secured.destroy();
          reject(serverError('the connection closed during the TLS handshake'));
          return;
        }
        // The raw socket says 'close' as soon as the peer has closed its side, with data still to be decrypted and
        // the descriptor still open: from here on only the TLS stream counts.
        this.#raw.removeAllListeners('close');
        this.#stream = secured;
        this.#output.redirect(this.#sink(secured));
        this.#tls = describeTls(secured);
        this.#shaking = false;
        this.#attach(secured);
        if (this.#paused) secured.pause();
        this.#output.flush();
        resolve(this.#tls);
      });
    });
  }

  admit(): void {
    if (this.#admitted) return;
    this.#admitted = true;
    this.#options.admitted?.();
  }

  end(): void {
    if (this.closed) return;
    this.#reason ??= 'local';
    this.#ending = true;
    this.#endDeadline = idleNow() + limits.close_linger.value + 1;
    // Input is still read, and thrown away: closing with unread bytes would reset what the peer has not taken.
    this.#early = [];
    this.#stream.resume();
    void this.#output.empty().then(() => {
      if (!this.#closed) this.#stream.end();
    });
  }

  destroy(): void {
    if (this.#closed) return;
    this.#reason ??= 'local';
    this.#finish();
  }

  #sink(socket: Socket) {
    return {
      write: (bytes: Uint8Array, done: () => void) => {
        socket.write(bytes, (error?: Error | null) => {
          if (!error) done();
        });
      },
    };
  }

  #attach(stream: Socket): void {
    stream.on('data', (chunk: Buffer) => {
      this.#lastActivity = idleNow();
      if (this.closed) return;
      if (this.#onData !== undefined && this.#early.length === 0 && !this.#paused) this.#onData(chunk);
      else this.#early.push(chunk);
    });
    stream.on('end', () => {
      // A peer that closes its side has nothing more to ask, but may wait for answers that are being made.
      this.#reason ??= 'peer';
      this.#peerEnded = true;
      this.#lastActivity = idleNow();
    });
    stream.on('error', () => {
      this.#reason ??= 'error';
    });
    stream.on('close', () => {
      this.#reason ??= 'peer';
      this.#finish();
    });
  }

  #detach(stream: Socket): void {
    stream.pause();
    for (const event of ['data', 'end', 'error', 'close']) stream.removeAllListeners(event);
    stream.on('error', () => {
      this.#reason ??= 'error';
    });
    stream.on('close', () => {
      this.#reason ??= 'peer';
      this.#finish();
    });
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    unwatch(this);
    // However it came to this, no descriptor stays behind (invariant 5).
    this.#stream.destroy();
    this.#raw.destroy();
    this.#early = [];
    this.#output.close();
    const handler = this.#onClose;
    this.#onClose = undefined;
    handler?.(this.#reason ?? 'peer');
    this.#options.gone?.();
  }
}

function describeTls(socket: TLSSocket): TlsInfo {
  const { name } = socket.getCipher();
  const { servername } = socket as unknown as { servername?: string | false };
  return {
    version: socket.getProtocol() ?? '',
    cipher: name,
    servername: typeof servername === 'string' ? servername : '',
    alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : '',
    exporter: () => {
      if (socket.getProtocol() !== 'TLSv1.3') {
        throw serverError(
          'channel binding by tls-exporter needs TLS 1.3 (RFC 9266 §4.2)',
          undefined,
          'cannot',
        );
      }
      return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
    },
  };
}
