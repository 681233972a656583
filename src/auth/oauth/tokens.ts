/** Access tokens (RFC 6750): whose they are, by the ways a configuration names. */

import { firstLine } from '../../config/passwordfile.ts';
import type { Claims, OauthSettings, TokenCheck } from './check.ts';
import { introspection } from './introspection.ts';
import { jwtCheck } from './jwt.ts';
import { fileKeys, remoteKeys } from './keys.ts';
import type { TokenUsers } from './users.ts';

/** b64token of RFC 6750 §2.1. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/** @throws MailError 'config' for a file that cannot be read */
export function configuredTokens(settings: OauthSettings): TokenUsers {
  const ca = settings.oauth_ca_file;
  const checks: TokenCheck[] = [];
  if (settings.oauth_jwks_file !== '') checks.push(jwtCheck(settings, fileKeys(settings.oauth_jwks_file)));
  else if (settings.oauth_jwks_url !== '') {
    checks.push(jwtCheck(settings, remoteKeys(settings.oauth_jwks_url, ca)));
  }
  if (settings.oauth_introspection_url !== '') {
    const secret = settings.oauth_client_secret_file === ''
      ? ''
      : firstLine('oauth.client_secret_file', settings.oauth_client_secret_file);
    checks.push(introspection(settings, secret, ca));
  }
  return {
    async userOf(token) {
      if (checks.length === 0 || !TOKEN.test(token)) return null;
      const users = new Set<unknown>();
      for (const check of checks) {
        const claims = await check(token);
        if (claims === null || !hasScopes(claims, settings.oauth_scope)) return null;
        users.add(claims[settings.oauth_user_claim]);
      }
      // Two ways that name two users are none.
      const [user] = users;
      return users.size === 1 && typeof user === 'string' && user !== '' ? user : null;
    },
  };
}

/** `scope` is text with blanks (RFC 8693 §4.2, RFC 7662 §2.2); some providers have a list, or call it `scp`. */
function hasScopes(claims: Claims, wanted: readonly string[]): boolean {
  const given = claims['scope'] ?? claims['scp'] ?? '';
  const scopes = Array.isArray(given) ? given : String(given).split(' ');
  return wanted.every((scope) => scopes.includes(scope));
}
