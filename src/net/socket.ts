/**
 * A connection over a socket of the runtime, with TLS from the start, later by STARTTLS, or never.
 *
 * Invariants:
 * 1. `onClose` is called exactly once, and nothing is handed to `onData` after it.
 * 2. No byte received before a handshake reaches `onData` after it.
 * 3. While the handshake runs nothing is handed out and nothing written leaves.
 * 4. A peer that takes no output for `limits.output_stall` is cut off; `end()` lingers `limits.close_linger`.
 * 5. After `onClose` no descriptor is held, whichever side closed and however.
 * 6. An idle connection is this object and its socket: no output, no timer, no buffer, no closure of its own.
 */

import { ptr } from 'bun:ffi';
import { type MailError, serverError } from '../errors.ts';
import { limits } from '../limits.ts';
import type {
  CloseReason,
  Connection,
  ConnectionUser,
  DataHandler,
  PeerCredentials,
  TlsInfo,
} from './connection.ts';
import { Functions } from './functions.ts';
import { type Handled, SECURE } from './handlers.ts';
import { idleNow, unwatch, watch, type Watched } from './idle.ts';
import type { Proxied } from './proxyprotocol.ts';
import type { SecurityLayer } from './layer.ts';
import { libc, SO_PEERCRED, SOL_SOCKET } from './libc.ts';
import { type ByteSink, Output } from './output.ts';
import { native, type RawSocket, secureRaw } from './rawsocket.ts';
import type { TlsParameters } from './tls.ts';
import { describeTls } from './tlsinfo.ts';

/** What the connections of one listening socket have in common. */
export interface SocketOptions {
  /** Path of the unix socket they come in by, or ''. */
  readonly unixPath: string;
  /**
   * Whether a peer's address is that of a proxy in front, which says first whom it speaks for; others are refused.
   * Undefined where nobody does.
   */
  readonly proxy?: (address: string) => boolean;
  /** A connection that did not begin as it must was closed. */
  readonly refused?: (address: string, why: Error) => void;
  /** Whether the protocol may begin TLS itself. */
  readonly startTls?: boolean;
  /** What a handshake is made with, as of the moment it begins; undefined where no certificate is configured. */
  readonly tls: () => TlsParameters | undefined;
  /** The client has shown a certificate that does not hold; the handshake goes on without it. */
  readonly distrusted?: (connection: SocketConnection, why: Error) => void;
  /** Replaces limits.tls_handshake in tests. */
  readonly handshakeMs?: number;
  /** Called by `admit()` the first time. */
  readonly admitted?: (connection: SocketConnection) => void;
  /** Called once when a connection is gone, after `onClose`. */
  readonly gone?: (connection: SocketConnection) => void;
}

/** Seconds without output after which a peer that has closed its side is let go. */
const HALF_CLOSED = 1;

/** A handshake, or the wish for one, as long as it lasts. */
interface Handshake {
  readonly parameters: TlsParameters;
  readonly timer: ReturnType<typeof setTimeout>;
  readonly done: (info: TlsInfo) => void;
  readonly failed: (error: MailError) => void;
  /** What came before has left, and the client has been asked. */
  begun: boolean;
}

let counter = 0;

/** An address as everybody writes it: IPv4-mapped as IPv4 (RFC 4291 §2.5.5.2), without a zone. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  const bare = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
  const zone = bare.indexOf('%');
  return zone < 0 ? bare : bare.slice(0, zone);
}

export class SocketConnection implements Connection, Watched, ByteSink, Handled {
  readonly remoteAddress: string;
  /** Its place among those the clock looks at, */
  watchedAt = -1;
  /** and among those that have been accepted. */
  acceptedAt = -1;
  readonly #number = ++counter;
  #socket: RawSocket<Handled>;
  readonly #options: SocketOptions;
  readonly #proxied: Proxied | null;
  /** As long as something has to leave. */
  #output: Output | undefined;
  #shaking: Handshake | undefined;
  #secure = false;
  #asked = false;
  #layer: SecurityLayer | undefined;
  #closed = false;
  #ending = false;
  #shut = false;
  #admitted = false;
  #paused = false;
  #peerEnded = false;
  #reason: CloseReason | undefined;
  #user: ConnectionUser | undefined;
  /** Received and not handed out. */
  #early: Buffer[] | undefined;
  #lastActivity: number;
  #lastProgress: number;
  #idleLimit = 0;
  #endDeadline = 0;

  /** @param proxied both ends as a proxy in front has them */
  constructor(socket: RawSocket<Handled>, options: SocketOptions, proxied: Proxied | null = null) {
    this.#socket = socket;
    this.#options = options;
    this.#proxied = proxied;
    this.remoteAddress = proxied !== null
      ? proxied.remoteAddress
      : options.unixPath === ''
      ? plainAddress(socket.remoteAddress)
      : '';
    this.#lastActivity = this.#lastProgress = idleNow();
    // The runtime has set TCP_NODELAY: answers are written whole, so waiting would only add the peer's delayed ACK.
    socket.data = this;
    watch(this);
  }

  get id(): string {
    return this.#number.toString(36);
  }

  get unix(): boolean {
    return this.#options.unixPath !== '';
  }

  get remotePort(): number {
    return this.#proxied?.remotePort ?? this.#socket.remotePort ?? 0;
  }

  get localAddress(): string {
    if (this.unix) return this.#options.unixPath;
    return this.#proxied?.localAddress ?? plainAddress(this.#socket.localAddress);
  }

  get localPort(): number {
    return this.unix ? 0 : this.#proxied?.localPort ?? this.#socket.localPort ?? 0;
  }

  get peer(): PeerCredentials | undefined {
    const { fd } = this.#socket;
    if (!this.unix || fd < 0) return undefined;
    const found = new Int32Array(3);
    const length = new Uint32Array([12]);
    if (libc().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ptr(found), ptr(length)) !== 0) return undefined;
    return { pid: found[0] as number, uid: found[1] as number, gid: found[2] as number };
  }

  get secure(): boolean {
    return this.#secure;
  }

  get tls(): TlsInfo | undefined {
    return this.#secure ? describeTls(this.#socket, this.#asked) : undefined;
  }

  get canStartTls(): boolean {
    return this.#options.startTls !== false && !this.#closed && !this.#secure &&
      this.#shaking === undefined &&
      this.#options.tls() !== undefined;
  }

  get closed(): boolean {
    return this.#closed || this.#ending;
  }

  /** Whether `admit` was called. */
  get admitted(): boolean {
    return this.#admitted;
  }

  get pendingBytes(): number {
    return this.#output?.pending ?? 0;
  }

  write(data: Uint8Array | string): boolean {
    if (this.closed) return false;
    this.#output ??= new Output(this);
    if (this.#output.pending === 0) this.#lastProgress = idleNow();
    if (this.#layer === undefined) return this.#output.push(data);
    return this.#output.push(this.#layer.wrap(typeof data === 'string' ? Buffer.from(data, 'latin1') : data));
  }

  drain(): Promise<void> {
    return this.#output?.drain() ?? Promise.resolve();
  }

  flush(): void {
    this.#output?.flush();
  }

  /** For the output: gives bytes to the system. */
  take(bytes: Uint8Array): number {
    if (this.#closed || this.#shaking?.begun === true) return 0;
    const taken = this.#socket.write(bytes);
    if (taken <= 0) return 0;
    this.#lastProgress = this.#lastActivity = idleNow();
    return taken;
  }

  /** For the output: it may have sent everything, and is of no use then. */
  emptied(): void {
    if (this.#output?.empty === true) this.#output = undefined;
  }

  onData(handler: DataHandler): void {
    this.#functions.data = handler;
    this.#handOut();
  }

  onClose(handler: (reason: CloseReason) => void): void {
    this.#functions.close = handler;
  }

  get #functions(): Functions {
    this.#user ??= new Functions();
    if (!(this.#user instanceof Functions)) throw serverError('the connection is served by somebody else');
    return this.#user;
  }

  serveBy(user: ConnectionUser): void {
    this.#user = user;
    this.#handOut();
  }

  pause(): void {
    this.#paused = true;
    if (!this.#closed) this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused || this.#closed) return;
    this.#paused = false;
    if (this.#shaking?.begun === true) return;
    this.#socket.resume();
    this.#handOut();
  }

  setIdleTimeout(ms: number, handler?: () => void): void {
    this.#lastActivity = idleNow();
    this.#idleLimit = Math.ceil(ms / 1000);
    if (handler !== undefined || this.#user instanceof Functions) this.#functions.idle = handler;
  }

  tick(now: number): void {
    if (this.#closed) return;
    if (this.#ending) {
      if (now >= this.#endDeadline) this.destroy();
      return;
    }
    if (this.pendingBytes > 0 && now - this.#lastProgress > limits.output_stall.value) {
      this.#reason = 'slow';
      this.destroy();
      return;
    }
    if (this.#peerEnded && this.pendingBytes === 0 && now - this.#lastActivity > HALF_CLOSED) {
      this.end();
      return;
    }
    // The beat comes once a second, so a whole second more is waited rather than a part less.
    if (this.#idleLimit > 0 && now - this.#lastActivity > this.#idleLimit) {
      const user = this.#user;
      this.#idleLimit = 0;
      if (user === undefined || (user instanceof Functions && user.idle === undefined)) this.destroy();
      else user.silent();
    }
  }

  async startTls(): Promise<TlsInfo> {
    const parameters = this.#options.tls();
    if (parameters === undefined || this.#secure || this.#shaking !== undefined || this.closed) {
      throw serverError('TLS cannot be started on this connection');
    }
    const { promise, resolve, reject } = Promise.withResolvers<TlsInfo>();
    const timer = setTimeout(
      () => this.#unshaken('error', new Error('not done in time')),
      this.#options.handshakeMs ?? limits.tls_handshake.value * 1000,
    );
    this.#shaking = { parameters, timer, done: resolve, failed: reject, begun: false };
    this.#early = undefined;
    this.flush();
    this.#beginHandshake();
    return await promise;
  }

  /** Shakes hands as soon as what was written in plain text has left. */
  #beginHandshake(): void {
    const shaking = this.#shaking;
    if (shaking === undefined || shaking.begun || this.pendingBytes > 0) return;
    shaking.begun = true;
    // Plain text that came in behind STARTTLS was dropped, or spoils the handshake (RFC 3207 §4.2).
    if (this.#paused) this.#socket.resume();
    this.#socket = secureRaw(this.#socket, this, shaking.parameters, SECURE);
  }

  /** For the handlers: the native context for a name the client asks for. */
  contextFor(name: string): unknown {
    const context = this.#shaking?.parameters.named(name);
    return context === undefined ? undefined : native(context);
  }

  /** For the handlers: the handshake is over. */
  shaken(success: boolean, error: Error | null): void {
    const shaking = this.#shaking;
    if (shaking === undefined) return;
    // That the client shows no certificate is told as an error beside the success.
    if (!success) return this.#unshaken('error', error ?? undefined);
    clearTimeout(shaking.timer);
    this.#shaking = undefined;
    this.#secure = true;
    this.#lastActivity = idleNow();
    if (this.#paused) this.#socket.pause();
    this.#asked = shaking.parameters.clientCerts !== 'off';
    if (
      this.#asked && !this.#socket.authorized && error !== null &&
      this.#socket.getPeerX509Certificate() !== undefined
    ) {
      this.#options.distrusted?.(this, error);
    }
    shaking.done(describeTls(this.#socket, this.#asked));
    this.drained(this.#socket);
  }

  #unshaken(reason: CloseReason, cause?: Error): void {
    this.#reason ??= reason;
    this.#abandonHandshake(cause);
    this.destroy();
  }

  /** Tells whoever waits for the handshake that there will be none. */
  #abandonHandshake(cause?: Error): void {
    const shaking = this.#shaking;
    if (shaking === undefined) return;
    this.#shaking = undefined;
    clearTimeout(shaking.timer);
    const what = shaking.begun ? 'TLS handshake failed' : 'the connection closed before the TLS handshake';
    shaking.failed(serverError(`${what}: ${cause?.message ?? 'the peer closed'}`, cause));
  }

  protect(layer: SecurityLayer): void {
    this.#early = undefined;
    this.#layer = layer;
  }

  admit(): void {
    if (this.#admitted) return;
    this.#admitted = true;
    this.#options.admitted?.(this);
  }

  end(): void {
    if (this.closed) return;
    this.#reason ??= 'local';
    this.#ending = true;
    this.#endDeadline = idleNow() + limits.close_linger.value + 1;
    // Input is still read, and thrown away: closing with unread bytes would reset what the peer has not taken.
    this.#early = undefined;
    this.#socket.resume();
    this.flush();
    this.#shutdown();
  }

  /** Closes our side, once everything has left. */
  #shutdown(): void {
    if (!this.#ending || this.#shut || this.#closed || this.pendingBytes > 0) return;
    this.#shut = true;
    this.#socket.shutdown();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#reason ??= 'local';
    this.#finish();
  }

  /** For the handlers: bytes came in. */
  received(socket: RawSocket<Handled>, received: Buffer): void {
    if (socket !== this.#socket) return;
    this.#lastActivity = idleNow();
    // Behind STARTTLS nothing counts that was sent in plain text.
    if (this.closed || this.#shaking !== undefined) return;
    const bytes = this.#layer === undefined ? received : this.#unwrap(this.#layer, received);
    if (bytes === null) return;
    if (this.#listens && this.#early === undefined && !this.#paused) this.#user?.received(bytes);
    else if (this.#early === undefined) this.#early = [bytes];
    else this.#early.push(bytes);
  }

  /** What frames of the security layer hold; null where that is nothing yet, or was damaged and everything ends. */
  #unwrap(layer: SecurityLayer, received: Buffer): Buffer | null {
    try {
      const bytes = layer.unwrap(received);
      return bytes.length === 0 ? null : bytes;
    } catch {
      this.#reason ??= 'error';
      this.destroy();
      return null;
    }
  }

  /** Somebody takes what comes. */
  get #listens(): boolean {
    const user = this.#user;
    return user !== undefined && !(user instanceof Functions && user.data === undefined);
  }

  /** Hands out what came while nobody listened. */
  #handOut(): void {
    while (this.#early !== undefined && this.#listens && !this.#paused && !this.closed) {
      const bytes = this.#early.shift() as Buffer;
      if (this.#early.length === 0) this.#early = undefined;
      this.#user?.received(bytes);
    }
  }

  /** For the handlers: the system takes bytes again. */
  drained(socket: RawSocket<Handled>): void {
    if (socket !== this.#socket || this.#closed) return;
    this.#output?.drained();
    this.emptied();
    this.#beginHandshake();
    this.#shutdown();
  }

  /** For the handlers: a peer that closes its side has nothing more to ask, but may wait for answers being made. */
  ended(socket: RawSocket<Handled>): void {
    if (socket !== this.#socket) return;
    if (this.#shaking !== undefined) return this.#unshaken('peer');
    this.#reason ??= 'peer';
    this.#peerEnded = true;
    this.#lastActivity = idleNow();
  }

  /** For the handlers: the TLS session failed; the end of the socket follows. */
  broken(socket: RawSocket<Handled>): void {
    if (socket === this.#socket) this.#reason ??= 'error';
  }

  /** For the handlers: the socket is closed. */
  gone(socket: RawSocket<Handled>, error: Error | undefined): void {
    if (socket !== this.#socket) return;
    this.#reason ??= error === undefined ? 'peer' : 'error';
    this.#finish();
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    unwatch(this);
    // However it came to this, no descriptor stays behind (invariant 5).
    this.#socket.close();
    this.#early = undefined;
    this.#output?.close();
    this.#abandonHandshake();
    const user = this.#user;
    this.#user = undefined;
    user?.ended(this.#reason ?? 'peer');
    this.#options.gone?.(this);
  }
}
