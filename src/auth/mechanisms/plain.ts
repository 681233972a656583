/** PLAIN (RFC 4616): `[authzid] NUL authcid NUL password` in one message. */

import { syntaxError } from '../../errors.ts';
import type { Mechanism, SaslStep } from '../mechanism.ts';
import { decodeText } from '../text.ts';

export const plain: Mechanism = {
  name: 'PLAIN',
  plaintext: true,
  needs: 'password',
  strength: 0,
  security: ['NO_ANONYMOUS'],
  features: ['WANT_CLIENT_FIRST', 'PROXY_AUTHENTICATION'],
  start(context) {
    return {
      async step(response): Promise<SaslStep> {
        // The client speaks first; asked by an empty challenge where it had no initial response (RFC 4422 §5.1).
        if (response === null) return { kind: 'challenge', challenge: new Uint8Array(0) };
        const [authzid, authcid, password, more] = decodeText(response).split('\0');
        if (authcid === undefined || password === undefined || more !== undefined) {
          throw syntaxError('PLAIN takes an authorization identity, a user and a password, separated by NUL');
        }
        const identity = await context.authenticator.authenticate({
          mechanism: 'PLAIN',
          authzid: authzid as string,
          authcid,
          password,
          origin: context.origin,
        });
        return { kind: 'done', identity };
      },
    };
  },
};
