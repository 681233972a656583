/** Access tokens as the rest sees them. How they are checked is `tokens.ts`, loaded where a provider is configured. */

import type { Settings } from '../../config/settings.ts';

/** Whether tokens are taken at all. */
export function takesTokens(
  settings: Pick<Settings, 'oauth_jwks_url' | 'oauth_jwks_file' | 'oauth_introspection_url'>,
): boolean {
  return settings.oauth_jwks_url !== '' || settings.oauth_jwks_file !== '' ||
    settings.oauth_introspection_url !== '';
}

/** Says whose a token is. */
export interface TokenUsers {
  /**
   * The login name of who a token was given to; null for a token that is not good.
   * @throws MailError 'unavailable' where it cannot be told
   */
  userOf(token: string): Promise<string | null>;
}
