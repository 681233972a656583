/**
 * What a protocol sees of its peer. Protocols are written against this interface only, so that a test can drive
 * them with bytes and without a socket.
 */

import type { SecurityLayer } from './layer.ts';

/** What is known of a finished TLS handshake. */
export interface TlsInfo {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** OpenSSL's name of the cipher suite. */
  readonly cipher: string;
  /** The host name the client asked for (SNI), or ''. */
  readonly servername: string;
  /** The protocol agreed on (ALPN), or ''. */
  readonly alpn: string;
  /** The certificate the client has shown, in DER, and only one that holds: see `tls_client_certs`. */
  readonly certificate: Buffer | undefined;
  /** Channel binding data `tls-exporter` (RFC 9266 §2), 32 bytes; throws before TLS 1.3 without extended master secret. */
  exporter(): Buffer;
  /** Channel binding data `tls-unique` (RFC 5929 §3); null from TLS 1.3 on, which has none. */
  unique(): Buffer | null;
}

/** Who is on the other end of a unix socket (SO_PEERCRED). */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** Why a connection ended. */
export type CloseReason =
  | 'peer' // the client closed
  | 'local' // end() or destroy() was called
  | 'error' // reset, broken pipe, TLS failure
  | 'slow'; // the client did not take its output in time

/** Called with the bytes received, in order. The callee may keep the buffer. */
export type DataHandler = (chunk: Buffer) => void;

/** Who a connection is served by. One object where there are thousands of connections, instead of a function for each event. */
export interface ConnectionUser {
  received(bytes: Buffer): void;
  /** Nothing more will come. */
  ended(reason: CloseReason): void;
  /** The time of `setIdleTimeout` has passed. */
  silent(): void;
}

export interface Connection {
  /** Short and unique in this process's life; bound into the log lines of the connection. */
  readonly id: string;
  /** Peer's address without brackets and zone, IPv4-mapped ones as IPv4; '' on a unix socket. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Our address as the peer reached it (virtdomains looks it up), or the path of the unix socket. */
  readonly localAddress: string;
  readonly localPort: number;
  /** Came in on a unix socket. */
  readonly unix: boolean;
  /** Only on a unix socket. */
  readonly peer: PeerCredentials | undefined;
  /** Everything from here on is encrypted. */
  readonly secure: boolean;
  readonly tls: TlsInfo | undefined;
  /** Whether `startTls` can succeed: a certificate is configured and TLS is not yet on. */
  readonly canStartTls: boolean;
  readonly closed: boolean;
  /** Bytes written that the peer's system has not taken. */
  readonly pendingBytes: number;

  /**
   * Queues bytes; a string is one byte per character (latin1). What is written in one turn of the event loop
   * leaves together. The buffer is the caller's again when this returns: what could not be sent was copied, and
   * a large buffer is not copied when the peer keeps up. False means the peer is behind: stop producing and
   * await `drain()`. Writing on a closed connection does nothing.
   */
  write(data: Uint8Array | string): boolean;
  /** Resolves as soon as writing makes sense again, at once when it does now; also when the connection closes. */
  drain(): Promise<void>;
  /** Sends what waits now instead of at the end of this turn. */
  flush(): void;

  /** The receiver of all bytes. Set it once, in the factory; a later one replaces it. */
  onData(handler: DataHandler): void;
  /** Called once, when nothing more will come. */
  onClose(handler: (reason: CloseReason) => void): void;
  /** Both of these, and idle timeouts without a handler, for one object. */
  serveBy(user: ConnectionUser): void;
  /** Back-pressure towards the peer: no `onData` until `resume()`. */
  pause(): void;
  resume(): void;

  /**
   * Calls `handler` when nothing was received and nothing sent was taken for `ms` milliseconds, counted from
   * now; once, until it is set again. 0 switches it off. The granularity is one second. Without a handler it is for the
   * user to hear; where there is none, the connection is closed.
   */
  setIdleTimeout(ms: number, handler?: () => void): void;

  /**
   * The server's side of STARTTLS: sends what waits, drops every byte received in plain text and not yet
   * handed out (RFC 3207 §4.2, RFC 9051 §6.2.1), then shakes hands. The protocol resets its own state.
   * Rejects, and the connection is closed, if the handshake fails.
   */
  startTls(): Promise<TlsInfo>;

  /**
   * Everything received and everything written from now on goes through a security layer (RFC 4422 §3.7). What was
   * written before leaves as it is. A frame that is damaged closes the connection.
   */
  protect(layer: SecurityLayer): void;

  /**
   * The peer has authenticated, or is trusted without: the limits for strangers (`limits.preauth_*`: time since
   * it connected, connections per address) end here. Call it once, as soon as it is true.
   */
  admit(): void;

  /** Sends what waits and closes; the peer gets a few seconds to take it. */
  end(): void;
  /** Closes at once, what waits is lost. */
  destroy(): void;
}
