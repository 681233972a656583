/** A service as configured: who listens where and speaks what. */

import type { Connection } from './connection.ts';
import type { Log } from '../telemetry/log.ts';

/** Protocols that have a room in this program, as the factories are registered. */
export type ProtocolName = 'imap' | 'lmtp' | 'pop3' | 'managesieve' | 'nntp' | 'http';

/** Where a service listens. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | {
    readonly kind: 'unix';
    readonly path: string;
    readonly mode: number;
    readonly owner: string;
    readonly group: string;
  };

/** One entry of SERVICES with everything a worker needs to serve it. */
export interface Service {
  /** The administrator's name for it: `imap`, `lmtpunix`. */
  readonly name: string;
  readonly protocol: ProtocolName;
  /** TLS from the first byte (`imapd -s`; RFC 8314 §3). */
  readonly implicitTls: boolean;
  /** Peers are trusted without authentication (`lmtpd -a`, a unix socket). */
  readonly trusted: boolean;
  /** Greatest number of connections of this service per worker, or 0 for the common limit. */
  readonly maxConnections: number;
}

/** Starts a protocol on a fresh connection; it greets, sets `onData` and cleans up in `onClose`. */
export type ProtocolFactory = (connection: Connection, service: Service) => void;

/** What the start of a worker asks of each protocol room, once per process. */
export interface Protocol {
  /** Names a client may ask for by ALPN (`imap`); other names are refused in the handshake (FIELD: ALPACA). */
  readonly alpn: readonly string[];
  readonly accept: ProtocolFactory;
  /** Answered instead of the greeting when a connection limit is met; whole line with CRLF. */
  busy(service: Service): string;
  /** Before the process ends: tell clients, finish what runs. Resolves when all connections may be cut. */
  shutdown(): Promise<void>;
}

export type { Connection, Log };
