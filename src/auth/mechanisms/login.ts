/** LOGIN (draft-murchison-sasl-login-00): user and password asked one after the other. Outlook needs it. */

import type { Mechanism, SaslStep } from '../mechanism.ts';
import { decodeText } from '../text.ts';

/** The prompts Cyrus SASL uses and clients look for, rather than the draft's. */
const USER = new TextEncoder().encode('Username:');
const PASSWORD = new TextEncoder().encode('Password:');

export const login: Mechanism = {
  name: 'LOGIN',
  plaintext: true,
  needs: 'password',
  strength: 0,
  security: ['NO_ANONYMOUS'],
  features: [],
  start(context) {
    let user: string | undefined;
    return {
      async step(response): Promise<SaslStep> {
        if (response === null) return { kind: 'challenge', challenge: USER };
        const text = decodeText(response);
        if (user === undefined) {
          // Some clients send the user as initial response, which the draft does not know but everybody takes.
          user = text;
          return { kind: 'challenge', challenge: PASSWORD };
        }
        const identity = await context.authenticator.authenticate({
          mechanism: 'LOGIN',
          authzid: '',
          authcid: user,
          password: text,
          origin: context.origin,
        });
        return { kind: 'done', identity };
      },
    };
  },
};
