/** The client's side of SASL: to a directory that holds our secrets, and to servers that are tested. */

import type { SaslChannel } from '../channel.ts';
import type { SecurityLayer } from '../../net/layer.ts';

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
  start(credentials: ClientCredentials): ClientExchange;
}
