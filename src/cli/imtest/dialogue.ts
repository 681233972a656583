/** What the protocols have in common for somebody who wants to log in. */

/** What a server says it can do. */
export interface ServerOffer {
  /** SASL mechanisms, upper case, in the server's order. */
  readonly mechanisms: readonly string[];
  readonly starttls: boolean;
  /** Logins of the protocol's own that are open: `login` of IMAP, `apop` and `user` of POP3; the best one first. */
  readonly own: readonly string[];
}

/** What the server made of the last step. */
export type Reply =
  | { readonly kind: 'challenge'; readonly base64: string }
  | {
    readonly kind: 'ok'; /** Data with success, null where there is none. */
    readonly base64: string | null;
  }
  | { readonly kind: 'no'; readonly text: string };

/** The client's side of a protocol, up to where somebody is logged in. Failures of the connection throw 'unavailable'. */
export interface Dialogue {
  /**
   * Reads the greeting, and whatever is needed to know what is offered.
   * @throws MailError 'cannot' where the server does not want us
   */
  greeting(): Promise<ServerOffer>;
  /** What is offered now that TLS or a security layer is on. */
  offer(): Promise<ServerOffer>;
  /** Asks for TLS. @throws MailError 'cannot' where the server refuses */
  startTls(): Promise<void>;
  /** Whether an initial response of this length may go with the command. */
  takesInitial(mechanism: string, length: number): boolean;
  /**
   * Begins an exchange.
   * @param initial base64, '' for an empty response; null without one
   * @param shown what to show in the place of a response
   */
  authenticate(mechanism: string, initial: string | null, shown?: string): void;
  reply(): Promise<Reply>;
  respond(base64: string, shown?: string): void;
  cancel(): void;
  /** A login of the protocol's own, one of `ServerOffer.own`. */
  login(kind: string, user: string, password: string): Promise<Reply>;
  /** The command that ends the session, as it is typed. */
  readonly logout: string;
  /** Whether a line somebody typed is such a command. */
  isLogout(line: string): boolean;
}
