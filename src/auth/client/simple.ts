/** Mechanisms whose client has one or two things to say: PLAIN, LOGIN, EXTERNAL, ANONYMOUS, CRAM-MD5. */

import { createHmac } from '../../crypto.ts';
import { syntaxError } from '../../errors.ts';
import type { ClientCredentials, ClientMechanism } from './mechanism.ts';

const EMPTY = new Uint8Array(0);

/** A mechanism that answers each challenge in turn; `first` says whether its first answer goes with its name. */
function answers(
  row: Omit<ClientMechanism, 'start' | 'strength'>,
  first: boolean,
  lines: (credentials: ClientCredentials) => readonly ((challenge: Uint8Array) => string)[],
): ClientMechanism {
  return {
    ...row,
    strength: 0,
    start(credentials) {
      const waiting = [...lines(credentials)];
      const next = (challenge: Uint8Array): Uint8Array => {
        const line = waiting.shift();
        if (line === undefined) throw syntaxError(`${row.name}: the server asks for more than there is`);
        return Buffer.from(line(challenge), 'utf8');
      };
      return {
        initial: first ? next(EMPTY) : null,
        step: next,
        get done() {
          return waiting.length === 0;
        },
        layer: undefined,
      };
    },
  };
}

/** RFC 4616. */
export const plainClient = answers(
  { name: 'PLAIN', security: ['NO_ANONYMOUS'], features: ['WANT_CLIENT_FIRST', 'PROXY_AUTHENTICATION'] },
  true,
  ({ authzid, authcid, password }) => [() => `${authzid}\0${authcid}\0${password}`],
);

export const loginClient = answers(
  { name: 'LOGIN', security: ['NO_ANONYMOUS'], features: ['SERVER_FIRST'] },
  false,
  ({ authcid, password }) => [() => authcid, () => password],
);

/** RFC 4422 Appendix A. */
export const externalClient = answers(
  {
    name: 'EXTERNAL',
    security: ['NO_ANONYMOUS', 'NO_PLAINTEXT', 'NO_DICTIONARY'],
    features: ['WANT_CLIENT_FIRST', 'PROXY_AUTHENTICATION'],
  },
  true,
  ({ authzid }) => [() => authzid],
);

/** RFC 4505. */
export const anonymousClient = answers(
  { name: 'ANONYMOUS', security: ['NO_PLAINTEXT'], features: ['WANT_CLIENT_FIRST'] },
  true,
  ({ authcid }) => [() => authcid],
);

/** RFC 2195. */
export const cramMd5Client = answers(
  { name: 'CRAM-MD5', security: ['NO_ANONYMOUS', 'NO_PLAINTEXT'], features: ['SERVER_FIRST'] },
  false,
  ({ authcid, password }) => [
    (challenge) => `${authcid} ${createHmac('md5', password).update(challenge).digest('hex')}`,
  ],
);
