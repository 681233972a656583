/** Access tokens that are JWTs (RFC 7519, 9068), checked by the keys of their issuer. */

import { errors, jwtVerify } from 'jose';
import { asMailError, MailError, serverError } from '../../errors.ts';
import type { KeySource } from './keys.ts';
import type { OauthSettings, TokenCheck } from './check.ts';

/** @param at the time of day, for tests */
export function jwtCheck(
  { oauth_issuer, oauth_audience, oauth_algorithms, oauth_clock_skew, oauth_user_claim }: OauthSettings,
  keys: KeySource,
  at: () => Date = () => new Date(),
): TokenCheck {
  return async (token) => {
    // Before anything is fetched for it: a token that is no JWT has no signature that could be checked.
    if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return null;
    const source = await keys();
    try {
      const { payload } = await jwtVerify(token, source, {
        algorithms: [...oauth_algorithms],
        issuer: oauth_issuer,
        audience: [...oauth_audience],
        clockTolerance: oauth_clock_skew,
        requiredClaims: ['exp', oauth_user_claim],
        currentDate: at(),
      });
      return payload;
    } catch (thrown) {
      if (thrown instanceof errors.JOSEError || thrown instanceof TypeError) return null;
      throw thrown instanceof MailError
        ? thrown
        : serverError(`a token cannot be checked: ${asMailError(thrown).message}`, thrown);
    }
  };
}
