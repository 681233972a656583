/** PLAIN (RFC 4616): `[authzid] NUL authcid NUL password` in one message. */

import { syntaxError } from '../../errors.ts';
import type { Mechanism, SaslStep } from '../mechanism.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const plain: Mechanism = {
  name: 'PLAIN',
  plaintext: true,
  start(context) {
    return {
      async step(response): Promise<SaslStep> {
        // The client speaks first; asked by an empty challenge where it had no initial response (RFC 4422 §5.1).
        if (response === null) return { kind: 'challenge', challenge: new Uint8Array(0) };
        const [authzid, authcid, password, more] = fields(response);
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

/** The fields of the message; NUL cannot be part of one. */
function fields(message: Uint8Array): string[] {
  try {
    return utf8.decode(message).split('\0');
  } catch {
    throw syntaxError('the PLAIN message is not UTF-8');
  }
}
