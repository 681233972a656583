/** How a protocol room plugs into a worker. */

import type { Service } from '../config/services.ts';
import type { Connection } from './connection.ts';

/**
 * Starts a protocol on a fresh connection (after the handshake where the service has TLS from the first byte):
 * it greets, sets `onData` and cleans up in `onClose`. It is called synchronously; bytes wait until it returns.
 */
export type ProtocolFactory = (connection: Connection, service: Service) => void;

/** What a protocol room exports to the worker, made once per process. */
export interface Protocol {
  /** The name clients may ask for by ALPN (RFC 7301), e.g. `imap`; a client that asks only for others is refused. */
  readonly alpn: string;
  readonly accept: ProtocolFactory;
  /** Receives what comes as datagrams, in services that are nothing but those. */
  readonly datagram?: (bytes: Buffer) => void;
  /** Sent instead of the greeting when a connection limit is met: one whole line with CRLF. */
  readonly busy: string;
  /** Sent before closing when a client has not authenticated in time: one whole line with CRLF, or ''. */
  readonly late: string;
  /**
   * The process ends: tells every client, lets running commands finish, takes no new ones. Resolves when all
   * connections may be cut; the caller does so anyway after a few seconds.
   */
  shutdown(): Promise<void>;
}
