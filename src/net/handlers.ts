/** What happens on the runtime's sockets, told to the connection each belongs to: one set of handlers for all. */

import type { RawHandlers, RawSocket, SecureHandlers } from './rawsocket.ts';

/** A connection as its socket's handlers see it. */
export interface Handled {
  received(socket: RawSocket<Handled>, bytes: Buffer): void;
  drained(socket: RawSocket<Handled>): void;
  ended(socket: RawSocket<Handled>): void;
  broken(socket: RawSocket<Handled>): void;
  gone(socket: RawSocket<Handled>, error: Error | undefined): void;
  /** A handshake is over, for good or not. */
  shaken(success: boolean, error: Error | null): void;
  /** The native context for the name the client asks for (RFC 6066 §3). */
  contextFor(name: string): unknown;
}

/** What a handler of ours throws is a bug, and for the process to know of; the runtime would tell the socket. */
export function raise(thrown: unknown): void {
  queueMicrotask(() => {
    throw thrown;
  });
}

/** The handlers of all sockets: what happens is told to the connection they belong to. */
export const PLAIN: RawHandlers<Handled> = {
  data: (socket, bytes) => {
    try {
      socket.data?.received(socket, bytes);
    } catch (thrown) {
      raise(thrown);
    }
  },
  drain: (socket) => {
    try {
      socket.data?.drained(socket);
    } catch (thrown) {
      raise(thrown);
    }
  },
  end: (socket) => {
    try {
      socket.data?.ended(socket);
    } catch (thrown) {
      raise(thrown);
    }
  },
  close: (socket, error) => {
    try {
      socket.data?.gone(socket, error);
    } catch (thrown) {
      raise(thrown);
    }
  },
  // A TLS session that fails is closed behind this.
  error: (socket) => socket.data?.broken(socket),
};

export const SECURE: SecureHandlers<Handled> = {
  ...PLAIN,
  handshake: (socket, success, error) => socket.data?.shaken(success, error),
  serverName: (connection, name) => connection.contextFor(name),
};
