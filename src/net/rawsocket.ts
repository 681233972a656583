/**
 * The runtime's own sockets, which node:net and node:tls stand on: one object per connection and one set of
 * handlers for all, where a node socket is a stream with a dozen objects and listeners of its own. Ten thousand
 * idle clients cost a fifth of the memory.
 *
 * Some of what node:tls uses of them is not in the runtime's types: a context chosen by name while the handshake
 * runs, ALPN and key material of the server's side. It stands here, in one place, and tests/net/socket.test.ts
 * holds the runtime to it.
 */

import type { Socket, SocketHandler } from 'bun';
import type { X509Certificate } from 'node:crypto';
import type { SecureContext } from 'node:tls';

/** A socket of the runtime that belongs to an `Owner`. */
export interface RawSocket<Owner> {
  /** Whose it is: handed to every handler through the socket. */
  data: Owner | undefined;
  /** -1 once it is closed. */
  readonly fd: number;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly alpnProtocol: string | false | null;
  /** How many bytes the system took, or -1 if it takes none any more. */
  write(bytes: Uint8Array): number;
  pause(): void;
  resume(): void;
  /** Our side is over: FIN, with close_notify before it under TLS. The socket closes when the peer's side is. */
  shutdown(): void;
  /** Closes at once; what the system has taken still leaves. */
  close(): void;
  /** Whether the client's certificate was asked for and is good: signed, current, not revoked, for clients. */
  readonly authorized: boolean;
  getPeerX509Certificate(): X509Certificate | undefined;
  getTLSVersion(): string;
  getCipher(): { readonly name: string } | null;
  getServername(): string | undefined;
  isSessionReused(): boolean;
  getTLSFinishedMessage(): Buffer | undefined;
  getTLSPeerFinishedMessage(): Buffer | undefined;
  exportKeyingMaterial(length: number, label: string, context: Uint8Array): Buffer;
}

/** What happens on sockets of one kind. */
export interface RawHandlers<Owner> {
  open?(socket: RawSocket<Owner>): void;
  /** The buffer is the callee's. */
  data?(socket: RawSocket<Owner>, bytes: Buffer): void;
  /** The system takes bytes again. */
  drain(socket: RawSocket<Owner>): void;
  /** The peer's side is over. */
  end?(socket: RawSocket<Owner>): void;
  /** Once, when it is closed. */
  close(socket: RawSocket<Owner>, error?: Error): void;
  error(socket: RawSocket<Owner>, error: Error): void;
}

/** What happens on sockets with TLS. */
export interface SecureHandlers<Owner> extends RawHandlers<Owner> {
  /** The handshake is over, for good or not. */
  handshake(socket: RawSocket<Owner>, success: boolean, error: Error | null): void;
  /** The native context for the name the client asks for (RFC 6066 §3); undefined for the one it began with. */
  serverName(owner: Owner, name: string): unknown;
}

/** Where to accept: an inherited listening socket, or a new one. */
export type Endpoint =
  | { readonly fd: number }
  | { readonly hostname: string; readonly port: number }
  | { readonly unix: string };

/** A listening socket that hands its connections to handlers. */
export interface RawListener {
  /** 0 on a unix socket. */
  readonly port: number;
  /** Accepts no more; what stands goes on. */
  stop(): void;
}

/** Accepts on an endpoint. Either side of a connection may close before the other. */
export function listenRaw<Owner>(endpoint: Endpoint, handlers: RawHandlers<Owner>): RawListener {
  const options = { ...endpoint, allowHalfOpen: true, socket: handlers as unknown as SocketHandler };
  const listener = Bun.listen(options as unknown as Parameters<typeof Bun.listen>[0]);
  return { port: (listener as { port?: number }).port ?? 0, stop: () => listener.stop() };
}

/** What a handshake of the server's side begins with. */
export interface SecureOptions {
  readonly context: SecureContext;
  /** Protocols agreed to, each with a byte of its length before it (RFC 7301 §3.1). */
  readonly alpn: Uint8Array;
  readonly clientCerts: 'off' | 'optional' | 'require';
}

/**
 * Begins the server's side of a handshake on a socket: from here on only the socket that is returned counts, whose
 * handlers are `handlers`. Those of `socket` still hear of `data`, encrypted, and of the end, with no owner.
 */
export function secureRaw<Owner>(
  socket: RawSocket<Owner>,
  owner: Owner,
  { context, alpn, clientCerts }: SecureOptions,
  handlers: SecureHandlers<Owner>,
): RawSocket<Owner> {
  const options = {
    data: owner,
    isServer: true,
    socket: handlers,
    tls: {
      secureContext: native(context),
      ALPNProtocols: alpn,
      requestCert: clientCerts !== 'off',
      rejectUnauthorized: clientCerts === 'require',
    },
  };
  const upgrade = (socket as unknown as Socket).upgradeTLS.bind(socket) as unknown as (
    options: object,
  ) => [RawSocket<Owner>, RawSocket<Owner>];
  const [encrypted, plain] = upgrade(options);
  encrypted.data = undefined;
  return plain;
}

/** The runtime's object behind a context of node:tls. */
export function native(context: SecureContext): unknown {
  return context.context;
}
