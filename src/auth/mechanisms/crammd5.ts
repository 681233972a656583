/** CRAM-MD5 (RFC 2195): the server sends a text never used before, the client its HMAC under the password. */

import { createHmac, randomBytes, timingSafeEqual } from '../../crypto.ts';
import { syntaxError } from '../../errors.ts';
import type { Mechanism, SaslStep } from '../mechanism.ts';
import { decodeText } from '../text.ts';

export const cramMd5: Mechanism = {
  name: 'CRAM-MD5',
  plaintext: false,
  needs: 'plain',
  strength: 0,
  security: ['NO_ANONYMOUS', 'NO_PLAINTEXT'],
  features: ['SERVER_FIRST'],
  start(context) {
    const challenge = `<${
      randomBytes(18).toString('base64url')
    }.${Date.now()}@${context.settings.servername}>`;
    let asked = false;
    return {
      async step(response): Promise<SaslStep> {
        if (!asked) {
          // §2: the server speaks first.
          if (response !== null) throw syntaxError('CRAM-MD5 has no initial response');
          asked = true;
          return { kind: 'challenge', challenge: Buffer.from(challenge, 'latin1') };
        }
        const text = decodeText(response ?? new Uint8Array(0));
        // The digest has no space in it, the user name may.
        const space = text.lastIndexOf(' ');
        const digest = text.slice(space + 1);
        if (space < 0 || !/^[0-9a-f]{32}$/i.test(digest)) {
          throw syntaxError('CRAM-MD5 takes a user name, a space and 32 hexadecimal digits');
        }
        const claim = await context.authenticator.claim(text.slice(0, space), 'CRAM-MD5', context.origin);
        const expected = createHmac('md5', claim.plain).update(challenge).digest();
        const proved = timingSafeEqual(expected, Buffer.from(digest, 'hex')) && claim.plain !== '';
        const identity = await context.authenticator.settle(claim, {
          mechanism: 'CRAM-MD5',
          authzid: '',
          proved,
        });
        return { kind: 'done', identity };
      },
    };
  },
};
