/** A source of secrets for tests: users and their passwords, as they are. */

import type { SecretSource } from '../../src/auth/secrets/source.ts';

/** @param passwordOf of a userid; undefined where there is no such user */
export function passwords(passwordOf: (userid: string) => string | undefined): SecretSource {
  return {
    abilities: { plain: true, scram: 'derived' },
    verify: (userid, password) => Promise.resolve(userid !== null && passwordOf(userid) === password),
    secret(userid) {
      const plain = userid === null ? undefined : passwordOf(userid);
      return Promise.resolve(plain === undefined ? null : { plain });
    },
  };
}
