/** Access tokens checked by who issued them (RFC 7662). */

import { serverError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { fetchJson } from './http.ts';
import type { Claims, OauthSettings, TokenCheck } from './check.ts';
import { remembered } from './remembered.ts';

/**
 * @param secret of the client who asks
 * @param ca a PEM file of authorities, '' for those of the system
 * @param at the time of day, for tests
 * @param now milliseconds of a clock that only goes forward, for tests
 */
export function introspection(
  settings: OauthSettings,
  secret: string,
  ca: string,
  at: () => number = () => Date.now(),
  now?: () => number,
): TokenCheck {
  const { oauth_introspection_url: url, oauth_client_id: id } = settings;
  // RFC 6749 §2.3.1: both are form-encoded before they become Basic credentials.
  const encode = (text: string) => new URLSearchParams([['', text]]).toString().slice(1);
  const authorization = `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}`;
  let asking = 0;
  const isActive = (answer: unknown): answer is Claims => isGood(answer, settings, at() / 1000);
  const ask: TokenCheck = async (token) => {
    if (asking >= limits.oauth_connections.value) {
      throw serverError('too many tokens wait for the identity provider');
    }
    asking++;
    try {
      const answer = await fetchJson(url, {
        method: 'POST',
        headers: {
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded',
          ...(id === '' ? {} : { authorization }),
        },
        body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
      }, ca);
      return isActive(answer) ? answer : null;
    } finally {
      asking--;
    }
  };
  return remembered(ask, isActive, settings.oauth_introspection_cache, now);
}

/** Whether the provider calls the token active, and nothing it says of it is against that (RFC 7662 §2.2). */
function isGood(answer: unknown, settings: OauthSettings, now: number): answer is Claims {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return false;
  const { active, exp, nbf, iss, aud } = answer as Claims;
  const { oauth_clock_skew: skew, oauth_issuer: issuer, oauth_audience: audience } = settings;
  if (active !== true) return false;
  if (exp !== undefined && !(typeof exp === 'number' && exp + skew > now)) return false;
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf - skew <= now)) return false;
  // All but `active` is optional in an answer; what is configured and told must agree.
  if (issuer !== '' && iss !== undefined && iss !== issuer) return false;
  if (audience.length === 0 || aud === undefined) return true;
  const told: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return audience.some((one) => told.includes(one));
}
