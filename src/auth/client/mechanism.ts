/** The client's side of SASL: to a directory that holds our secrets, and to servers that are tested. */

import type { SaslChannel } from '../channel.ts';
import type { SecurityLayer } from '../../net/layer.ts';
import type { EarlierDigest } from '../digestmd5/earlier.ts';

/** Who the client is and what it speaks to. */
export interface ClientCredentials {
  readonly authcid: string;
  /** Who to act as, '' for the same. */
  readonly authzid: string;
  readonly password: string;
  /** As GSSAPI names it: `imap`, `ldap`. */
  readonly service: string;
  /** The server's host name. */
  readonly host: string;
  /** A realm of the server's to be in, '' for its first. */
  readonly realm: string;
  readonly channel: SaslChannel;
  /** Bits a security layer may have at least and at most; 0 and 0 for none. */
  readonly layers: { readonly least: number; readonly most: number };
  /** Of logins to the same server as the same user; a mechanism reads it and writes into it. */
  readonly earlier?: EarlierLogin;
}

/** What is remembered of one login for the next. */
export interface EarlierLogin {
  digest?: EarlierDigest;
}

/** One exchange. Over when `done`; a failure throws. */
export interface ClientExchange {
  /** What goes with the name of the mechanism; null where the server speaks first. */
  readonly initial: Uint8Array | null;
  /**
   * The answer to a challenge.
   * @throws MailError 'badsyntax' for a challenge that is none, 'authenticationfailed' where the server does not prove that
   *   it knows the secret, 'cannot' where it offers nothing that is wanted
   */
  step(challenge: Uint8Array): Uint8Array;
  /** The server has said all that the mechanism needs of it; before that, its success is not believed. */
  readonly done: boolean;
  /** What was negotiated, once it is done. */
  readonly layer: SecurityLayer | undefined;
}

export interface ClientMechanism {
  readonly name: string;
  /** Bits of the strongest layer. */
  readonly strength: number;
  readonly security: readonly string[];
  readonly features: readonly string[];
  /** Whether it speaks first now although it usually waits for the server. */
  goesOn?(earlier: EarlierLogin | undefined): boolean;
  start(credentials: ClientCredentials): ClientExchange;
}
