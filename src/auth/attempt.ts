/** What is said of an attempt to log in, whatever it is made with. */

import type { Connection } from '../net/connection.ts';

/** Where an attempt comes from. */
export interface Origin {
  /** `imap`, `lmtp`: as in the log. */
  readonly protocol: string;
  /** The peer, '' on a unix socket. */
  readonly remoteAddress: string;
  /** Our side of the connection (`Connection.localAddress`). */
  readonly localAddress: string;
  readonly secure: boolean;
  /** `Connection.id`, by which logged-in connections are counted; '' for one that is another program's. */
  readonly connection: string;
}

/** Where logins of a connection come from. */
export function originOf(
  connection: Pick<Connection, 'remoteAddress' | 'localAddress' | 'secure' | 'id'>,
  protocol: string,
): Origin {
  const { remoteAddress, secure, id } = connection;
  return {
    protocol,
    remoteAddress,
    // Few ask for it, and the runtime keeps what it has told of a socket as long as that stands.
    get localAddress() {
      return connection.localAddress;
    },
    secure,
    connection: id,
  };
}

/** Why an attempt failed, for the log only. */
export type Reason =
  | 'name' // nobody can have this name
  | 'password'
  | 'secret' // the source has nothing this mechanism can work with
  | 'binding' // the channel is not the one the client sees
  | 'token'
  | 'authzid';
