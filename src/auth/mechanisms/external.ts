/**
 * EXTERNAL (RFC 4422 Appendix A): the layer below has authenticated the client (a certificate that maps to a user, the
 * peer of a unix socket); the client only says as whom it wants to act.
 */

import { syntaxError } from '../../errors.ts';
import type { Mechanism, SaslStep } from '../mechanism.ts';
import { decodeText } from '../text.ts';

export const external: Mechanism = {
  name: 'EXTERNAL',
  plaintext: false,
  needs: 'nothing',
  strength: 0,
  security: ['NO_ANONYMOUS', 'NO_PLAINTEXT', 'NO_DICTIONARY'],
  features: ['WANT_CLIENT_FIRST', 'PROXY_AUTHENTICATION'],
  unusable: ({ channel }) =>
    channel.external === null ? 'the client has shown no certificate of a user' : null,
  start({ authenticator, channel, origin }) {
    return {
      async step(response): Promise<SaslStep> {
        if (response === null) return { kind: 'challenge', challenge: new Uint8Array(0) };
        const authzid = decodeText(response);
        if (authzid.includes('\0')) throw syntaxError('the authorization identity has a NUL in it');
        const claim = await authenticator.vouchedFor(channel.external ?? '', origin);
        const identity = await authenticator.settle(claim, {
          mechanism: 'EXTERNAL',
          authzid,
          proved: channel.external !== null,
        });
        return { kind: 'done', identity };
      },
    };
  },
};
