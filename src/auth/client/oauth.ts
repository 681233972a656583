/** OAUTHBEARER (RFC 7628) and XOAUTH2 as a client speaks them; the password is the access token. */

import type { ClientCredentials, ClientMechanism } from './mechanism.ts';

export const oauthBearerClient = bearer(
  'OAUTHBEARER',
  ({ authcid, authzid, host, password }) => {
    const user = (authzid === '' ? authcid : authzid).replaceAll('=', '=3D').replaceAll(',', '=2C');
    return `n,a=${user},\x01host=${host}\x01auth=Bearer ${password}\x01\x01`;
  },
  '\x01', // RFC 7628 §3.2.3
);

export const xoauth2Client = bearer(
  'XOAUTH2',
  ({ authcid, authzid, password }) =>
    `user=${authzid === '' ? authcid : authzid}\x01auth=Bearer ${password}\x01\x01`,
  '',
);

/** @param onError what is said to the challenge that tells of an error */
function bearer(
  name: string,
  first: (credentials: ClientCredentials) => string,
  onError: string,
): ClientMechanism {
  return {
    name,
    strength: 0,
    security: ['NO_ANONYMOUS', 'NO_DICTIONARY'],
    features: ['WANT_CLIENT_FIRST', 'PROXY_AUTHENTICATION'],
    start(credentials) {
      let refused = false;
      return {
        initial: Buffer.from(first(credentials), 'utf8'),
        step() {
          refused = true;
          return Buffer.from(onError);
        },
        get done() {
          return !refused;
        },
        layer: undefined,
      };
    },
  };
}
