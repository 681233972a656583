/** LOGIN (draft-murchison-sasl-login-00): user and password asked one after the other. Outlook needs it. */

import { syntaxError } from '../../errors.ts';
import type { Mechanism, SaslStep } from '../mechanism.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** The prompts Cyrus SASL uses and clients look for, rather than the draft's. */
const USER = new TextEncoder().encode('Username:');
const PASSWORD = new TextEncoder().encode('Password:');

export const login: Mechanism = {
  name: 'LOGIN',
  plaintext: true,
  start(context) {
    let user: string | undefined;
    return {
      async step(response): Promise<SaslStep> {
        if (response === null) return { kind: 'challenge', challenge: USER };
        const text = decode(response);
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

function decode(response: Uint8Array): string {
  try {
    return utf8.decode(response);
  } catch {
    throw syntaxError('the response is not UTF-8');
  }
}
