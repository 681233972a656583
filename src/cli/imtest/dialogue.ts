/** What the protocols have in common for somebody who wants to log in. */

import type { SaslCarrier, SaslReply } from '../../auth/client/exchange.ts';

/** What a server says it can do. */
export interface ServerOffer {
  /** SASL mechanisms, upper case, in the server's order. */
  readonly mechanisms: readonly string[];
  readonly starttls: boolean;
  /** Logins of the protocol's own that are open: `login` of IMAP, `apop` and `user` of POP3; the best one first. */
  readonly own: readonly string[];
}

export type Reply = SaslReply;

/** The client's side of a protocol, up to where somebody is logged in. Failures of the connection throw 'unavailable'. */
export interface Dialogue extends SaslCarrier {
  /**
   * Reads the greeting, and whatever is needed to know what is offered.
   * @throws MailError 'cannot' where the server does not want us
   */
  greeting(): Promise<ServerOffer>;
  /** What is offered now that TLS or a security layer is on. */
  offer(): Promise<ServerOffer>;
  /** Asks for TLS. @throws MailError 'cannot' where the server refuses */
  startTls(): Promise<void>;
  /** A login of the protocol's own, one of `ServerOffer.own`. */
  login(kind: string, user: string, password: string): Promise<Reply>;
  /** Asks for compression after the login (RFC 4978); not there where the protocol has none. @throws MailError 'cannot' */
  compress?(): Promise<void>;
  /** The command that ends the session, as it is typed. */
  readonly logout: string;
  /** Whether a line somebody typed is such a command. */
  isLogout(line: string): boolean;
}
