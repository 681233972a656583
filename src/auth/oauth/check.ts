/** What a way to check access tokens is. */

import type { Settings } from '../../config/settings.ts';

/** What a token says; both are checked before anybody sees them. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * The claims of a token that is good; null for one that is not.
 * @throws MailError 'unavailable' where it cannot be told
 */
export type TokenCheck = (token: string) => Promise<Claims | null>;

export type OauthSettings = Pick<
  Settings,
  | 'oauth_jwks_url'
  | 'oauth_jwks_file'
  | 'oauth_issuer'
  | 'oauth_audience'
  | 'oauth_algorithms'
  | 'oauth_user_claim'
  | 'oauth_scope'
  | 'oauth_clock_skew'
  | 'oauth_introspection_url'
  | 'oauth_introspection_cache'
  | 'oauth_client_id'
  | 'oauth_client_secret_file'
  | 'oauth_ca_file'
>;
