/** What a SASL mechanism is to the protocols (RFC 4422): bytes in, challenges or an identity out. */

import type { Settings } from '../config/settings.ts';
import type { SecurityLayer } from '../net/layer.ts';
import type { Identity } from '../store/border.ts';
import type { SaslChannel } from './channel.ts';
import type { Origin } from './attempt.ts';
import type { Authenticator } from './login.ts';

/** What a mechanism may use. */
export interface SaslContext {
  readonly settings: Settings;
  readonly authenticator: Authenticator;
  readonly origin: Origin;
  readonly channel: SaslChannel;
}

/** What one response led to. */
export type SaslStep =
  | { readonly kind: 'challenge'; readonly challenge: Uint8Array }
  | {
    readonly kind: 'done';
    readonly identity: Identity;
    /** Additional data with success (RFC 4422 §3.6); a protocol without a place for it sends it as a challenge. */
    readonly final?: Uint8Array;
    /** Wraps everything behind the line that tells of the success. */
    readonly layer?: SecurityLayer;
  };

/** One authentication exchange. It is over after 'done' and after any failure. */
export interface SaslExchange {
  /**
   * @param response the client's bytes; null only as the first one, when the client sent no initial response
   * @throws MailError 'badsyntax', 'authenticationfailed', 'authorizationfailed', 'unavailable'
   */
  step(response: Uint8Array | null): Promise<SaslStep>;
}

/** What a mechanism needs of a source of secrets. */
export type SecretNeed =
  | 'password' // checks a password it is told
  | 'plain' // hands out passwords as they are
  | 'scram' // hands out what SCRAM keeps, or passwords
  | 'token' // checks access tokens
  | 'nothing';

/** Security flags in the words of Cyrus SASL, for `pluginviewer`. */
export type SecurityFlag =
  | 'NO_ANONYMOUS'
  | 'NO_PLAINTEXT'
  | 'NO_DICTIONARY'
  | 'MUTUAL_AUTH';

/** A mechanism as `sasl.ts` lists it. */
export interface Mechanism {
  /** Its registered name, upper case. */
  readonly name: string;
  /** It sends the password as it is: only with TLS, or where `allowplaintext` says so. */
  readonly plaintext: boolean;
  readonly needs: SecretNeed;
  /** Bits of the strongest security layer it can set up. */
  readonly strength: number;
  readonly security: readonly SecurityFlag[];
  readonly features: readonly string[];
  /** Why it cannot be used on this channel or with these settings; null when it can. */
  unusable?(context: Pick<SaslContext, 'settings' | 'channel'>): string | null;
  start(context: SaslContext): SaslExchange;
}
