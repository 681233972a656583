/** ANONYMOUS (RFC 4505): nobody in particular, with the rights that ACLs give to `anonymous` and `anyone`. */

import { syntaxError } from '../../errors.ts';
import type { Mechanism, SaslStep } from '../mechanism.ts';
import { decodeText } from '../text.ts';

/** §2: characters of the trace information. */
const LONGEST = 255;

export const anonymous: Mechanism = {
  name: 'ANONYMOUS',
  plaintext: false,
  needs: 'nothing',
  strength: 0,
  security: ['NO_PLAINTEXT'],
  features: ['WANT_CLIENT_FIRST'],
  unusable: ({ settings }) => settings.allowanonymouslogin ? null : 'allowanonymouslogin is off',
  start(context) {
    return {
      async step(response): Promise<SaslStep> {
        if (response === null) return { kind: 'challenge', challenge: new Uint8Array(0) };
        const trace = decodeText(response);
        if ([...trace].length > LONGEST) throw syntaxError('the trace information is too long');
        return { kind: 'done', identity: await context.authenticator.anonymous(trace, context.origin) };
      },
    };
  },
};
