/** A client's connection to a server: lines, TLS, and a security layer of SASL above it. */

import { connect as connectSocket, isIP, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { constants, createInflateRaw, deflateRawSync, type InflateRaw } from 'node:zlib';
import { serverError, userError } from '../errors.ts';
import type { TlsInfo } from './connection.ts';
import type { SecurityLayer } from './layer.ts';

/** Where a server is. */
export type Place =
  | { readonly path: string }
  | { readonly host: string; readonly port: number };

/** How to shake hands. */
export interface TlsWish {
  /** The name the certificate has to have. */
  readonly host: string;
  /** PEM of authorities; without it those of the system. */
  readonly ca?: Buffer;
  /** PEM of a certificate of our own with its key. */
  readonly identity?: Buffer;
  /** End the connection where the certificate is not good. */
  readonly strict: boolean;
  /** A session of an earlier connection to go on with. */
  readonly session?: Buffer;
  /** Told of sessions the server gives, also later. */
  readonly onSession?: (session: Buffer) => void;
}

/** What a handshake came to. */
export interface TlsResult {
  readonly version: string;
  readonly cipher: string;
  /** What is wrong with the certificate, as OpenSSL numbers and names it; null when it is good. */
  readonly problem: string | null;
  /** The server went on with the session of an earlier connection. */
  readonly reused: boolean;
}

/** How long a server may take to connect, shake hands or answer. A delayed refusal of a login takes some seconds. */
export const PATIENCE_MS = 60_000;
/** Longest line taken from a server: capabilities and challenges are far shorter. */
const MAX_LINE = 1 << 20;

/** OpenSSL's numbers and texts (x509_vfy.h) of what is wrong with a certificate, by the names the runtime gives. */
const VERIFY_ERRORS: Readonly<Record<string, string>> = {
  UNABLE_TO_GET_ISSUER_CERT: 'num=2:unable to get issuer certificate',
  CERT_NOT_YET_VALID: 'num=9:certificate is not yet valid',
  CERT_HAS_EXPIRED: 'num=10:certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'num=18:self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'num=19:self-signed certificate in certificate chain',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'num=20:unable to get local issuer certificate',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'num=21:unable to verify the first certificate',
  CERT_REVOKED: 'num=23:certificate revoked',
  ERR_TLS_CERT_ALTNAME_INVALID: 'num=62:hostname mismatch',
};

export class Wire {
  #socket: Duplex;
  #input: Buffer = Buffer.alloc(0);
  #layer: SecurityLayer | undefined;
  #inflate: InflateRaw | undefined;
  #sink: ((chunk: Buffer) => void) | undefined;
  #changed: () => void = () => {};
  #failure: Error | undefined;
  #closed = false;
  readonly #end = Promise.withResolvers<void>();
  #tls: TlsInfo | undefined;
  /** How long the server may be silent, in milliseconds. */
  patience: number;

  /** Over a stream that is connected: a socket, or the standard input and output of a program. */
  constructor(stream: Duplex, patience: number = PATIENCE_MS) {
    this.#socket = stream;
    this.patience = patience;
    this.#listen();
  }

  /** @throws MailError 'unavailable' naming the place */
  static async connect(place: Place, patience: number = PATIENCE_MS): Promise<Wire> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connectSocket({ ...place });
    socket.once('connect', resolve).once('error', reject);
    socket.setTimeout(patience, () => reject(new Error('it does not answer')));
    try {
      await promise;
    } catch (thrown) {
      socket.destroy();
      const where = 'path' in place ? place.path : `${place.host}:${place.port}`;
      throw serverError(`no connection to ${where}: ${messageOf(thrown)}`, thrown);
    }
    socket.setTimeout(0);
    return new Wire(socket, patience);
  }

  /** What the handshake came to, once there was one. */
  get tls(): TlsInfo | undefined {
    return this.#tls;
  }

  /**
   * Shakes hands. What was received and not read is dropped: it came before TLS (RFC 9051 §6.2.1).
   * @throws MailError 'cannot' where the handshake fails or `strict` finds the certificate wanting
   */
  async startTls({ host, ca, identity, strict, session, onSession }: TlsWish): Promise<TlsResult> {
    const plain = this.#socket;
    if (!(plain instanceof Socket)) {
      throw userError('cannot', 'a program on this machine is not spoken to by TLS');
    }
    for (const event of ['data', 'error', 'close']) plain.removeAllListeners(event);
    this.#input = Buffer.alloc(0);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connectTls({
      socket: plain,
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      // Looked at below: a test client has to go on and say what is wrong.
      rejectUnauthorized: false,
      ...(ca === undefined ? {} : { ca }),
      ...(identity === undefined ? {} : { cert: identity, key: identity }),
      ...(session === undefined ? {} : { session }),
    });
    if (onSession !== undefined) socket.on('session', onSession);
    socket.once('secureConnect', resolve).once('error', reject);
    socket.once('close', () => reject(new Error('the server closed the connection')));
    const timer = setTimeout(() => reject(new Error('the server does not answer')), this.patience);
    try {
      await promise;
    } catch (thrown) {
      socket.destroy();
      throw userError('cannot', `TLS cannot be negotiated: ${messageOf(thrown)}`);
    } finally {
      clearTimeout(timer);
    }
    const problem = problemOf(socket);
    if (strict && problem !== null) {
      socket.destroy();
      throw userError('cannot', `the certificate of the server is not good: ${problem}`);
    }
    socket.removeAllListeners('close');
    this.#socket = socket;
    this.#listen();
    this.#tls = describe(socket);
    const reused = socket.isSessionReused();
    return { version: socket.getProtocol() ?? '', cipher: socket.getCipher().name, problem, reused };
  }

  /** Everything read and written from now on goes through the layer. */
  protect(layer: SecurityLayer): void {
    const early = this.#input;
    this.#input = Buffer.alloc(0);
    this.#layer = layer;
    if (early.length > 0) this.#take(early);
  }

  /** Everything from now on is deflated before it is protected, both ways (RFC 4978 §3). */
  compress(): void {
    const inflate = createInflateRaw({ flush: constants.Z_SYNC_FLUSH });
    inflate.on('data', (chunk: Buffer) => this.#give(chunk));
    inflate.on('error', (error) => {
      this.#failure ??= error;
      this.#socket.destroy();
    });
    this.#inflate = inflate;
    const early = this.#input;
    this.#input = Buffer.alloc(0);
    if (early.length > 0) inflate.write(early);
  }

  /** Sends; false means that the server is behind: await `drained`. */
  write(bytes: Uint8Array): boolean {
    if (this.#closed) return true;
    // Each piece is compressed by itself: it never refers to what came before, and has no last block.
    const out = this.#inflate === undefined
      ? bytes
      : deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
    return this.#socket.write(this.#layer === undefined ? out : this.#layer.wrap(out));
  }

  /** Resolves when the server has caught up, or is gone. */
  drained(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return Promise.race([
      new Promise<void>((resolve) => this.#socket.once('drain', resolve)),
      this.#end.promise,
    ]);
  }

  /** The next line without its CRLF, a character for each byte. @throws MailError 'unavailable' */
  async line(): Promise<string> {
    await this.#until(() => this.#input.includes(0x0a) || this.#input.length > MAX_LINE);
    const end = this.#input.indexOf(0x0a);
    if (end < 0) throw serverError('the server sends a line without end');
    const line = this.#input.toString('latin1', 0, end);
    this.#input = this.#input.subarray(end + 1);
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  }

  /** The next bytes. @throws MailError 'unavailable' */
  async bytes(length: number): Promise<Buffer> {
    await this.#until(() => this.#input.length >= length);
    const bytes = this.#input.subarray(0, length);
    this.#input = this.#input.subarray(length);
    return bytes;
  }

  /** Gives everything that comes to `sink`, from what was not read yet on; resolves when the server has closed. */
  pump(sink: (chunk: Buffer) => void): Promise<void> {
    this.#sink = sink;
    if (this.#input.length > 0) sink(this.#input);
    this.#input = Buffer.alloc(0);
    return this.#end.promise;
  }

  /** Resolves when the connection has ended. */
  get ended(): Promise<void> {
    return this.#end.promise;
  }

  /** Why the connection ended, where that was not the server's wish. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Closes once what was written is sent. */
  close(): void {
    const socket = this.#socket;
    socket.end();
    if (socket instanceof Socket) socket.destroySoon();
  }

  /** Ends the connection now. */
  destroy(): void {
    this.#socket.destroy();
  }

  #listen(): void {
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#socket.on('error', (error) => {
      this.#failure ??= error;
    });
    this.#socket.on('end', () => this.#over());
    this.#socket.on('close', () => this.#over());
  }

  #take(chunk: Buffer): void {
    let plain = chunk;
    try {
      if (this.#layer !== undefined) plain = this.#layer.unwrap(chunk);
    } catch (thrown) {
      this.#failure = thrown instanceof Error ? thrown : new Error(String(thrown));
      this.#socket.destroy();
      return;
    }
    if (this.#inflate === undefined) this.#give(plain);
    else this.#inflate.write(plain);
  }

  #give(plain: Buffer): void {
    if (this.#sink !== undefined) return this.#sink(plain);
    this.#input = this.#input.length === 0 ? plain : Buffer.concat([this.#input, plain]);
    this.#changed();
  }

  #over(): void {
    this.#closed = true;
    const end = (): void => {
      this.#changed();
      this.#end.resolve();
    };
    // What came before the end is read first.
    if (this.#inflate === undefined || this.#inflate.destroyed) end();
    else this.#inflate.write(Buffer.alloc(0), end);
  }

  async #until(there: () => boolean): Promise<void> {
    const deadline = performance.now() + this.patience;
    while (!there()) {
      if (this.#closed) {
        throw serverError(`the connection is lost: ${this.#failure?.message ?? 'the server closed it'}`);
      }
      const left = deadline - performance.now();
      if (left <= 0) throw serverError('the server does not answer');
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#changed = resolve;
      const timer = setTimeout(resolve, left);
      await promise;
      clearTimeout(timer);
    }
  }
}

function problemOf(socket: TLSSocket): string | null {
  // The runtime's types promise an Error; it gives the name OpenSSL has for it.
  const error: unknown = socket.authorizationError;
  if (error === null || error === undefined) return null;
  const code = error instanceof Error
    ? ('code' in error ? String(error.code) : error.message)
    : String(error);
  return VERIFY_ERRORS[code] ?? code;
}

function describe(socket: TLSSocket): TlsInfo {
  const version = socket.getProtocol() ?? '';
  return {
    version,
    cipher: socket.getCipher().name,
    servername: '',
    alpn: '',
    certificate: undefined,
    exporter: () => socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
    // RFC 5929 §3.1: the first Finished message, which in a resumed session is the server's.
    unique: () => {
      if (version === 'TLSv1.3') return null;
      return (socket.isSessionReused() ? socket.getPeerFinished() : socket.getFinished()) ?? null;
    },
  };
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
