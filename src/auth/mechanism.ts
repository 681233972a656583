/** What a SASL mechanism is to the protocols (RFC 4422): bytes in, challenges or an identity out. */

import type { Settings } from '../config/settings.ts';
import type { Identity } from '../store/border.ts';
import type { Authenticator, Origin } from './login.ts';

/** What a mechanism may use. */
export interface SaslContext {
  readonly settings: Settings;
  readonly authenticator: Authenticator;
  readonly origin: Origin;
}

/** What one response led to. */
export type SaslStep =
  | { readonly kind: 'challenge'; readonly challenge: Uint8Array }
  | {
    readonly kind: 'done';
    readonly identity: Identity;
    /** Additional data with success (RFC 4422 §3.6); a protocol without a place for it sends it as a challenge. */
    readonly final?: Uint8Array;
  };

/** One authentication exchange. It is over after 'done' and after any failure. */
export interface SaslExchange {
  /**
   * @param response the client's bytes; null only as the first one, when the client sent no initial response
   * @throws MailError 'badsyntax', 'authenticationfailed', 'authorizationfailed', 'unavailable'
   */
  step(response: Uint8Array | null): Promise<SaslStep>;
}

/** A mechanism as `sasl.ts` lists it. */
export interface Mechanism {
  /** Its registered name, upper case. */
  readonly name: string;
  /** It sends the password as it is: only with TLS, or where `allowplaintext` says so. */
  readonly plaintext: boolean;
  start(context: SaslContext): SaslExchange;
}
