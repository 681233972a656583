/**
 * Secrets that were taken over as hashes (`mailstore user import`): they check what PLAIN and LOGIN bring and serve no
 * challenge, until a login shows the password and it becomes keys of SCRAM (`sasl_auto_transition`).
 */

import { userError } from '../../errors.ts';
import type { SecretRecord, Secrets } from '../../store/border.ts';
import { isPasswordHash } from './passwordhash.ts';

/** A hash as it is stored: of crypt(3), bcrypt, argon2, apr1, or `{SCHEME}…` (`userpassword.ts`). */
interface HashedSecret {
  readonly v: 2;
  readonly hash: string;
}

/** Longest hash that is kept; argon2's with long salts have some hundred bytes. */
const LONGEST = 1_024;

/**
 * The record of a password of which only a hash is known.
 * @throws MailError 'cannot' for what is no hash that could be checked
 */
export function makeHashedSecret(hash: string): string {
  const fits = hash.length <= LONGEST &&
    (isPasswordHash(hash) || /^\{(?:S?MD5|S?SHA(?:256|384|512)?)\}[A-Za-z0-9+/=]+$/i.test(hash) ||
      isPasswordHash(/^\{(?:CRYPT|BLF-CRYPT|ARGON2)\}(.*)$/i.exec(hash)?.[1] ?? ''));
  if (!fits) throw userError('cannot', 'its password is no hash that can be checked here');
  const secret: HashedSecret = { v: 2, hash };
  return JSON.stringify(secret);
}

/** Records read at a time, with a pause behind them: a survey holds nobody up. */
const PAGE = 200;

/** The hashes that stand among the secrets of the store. */
export async function* storedHashes(secrets: Pick<Secrets, 'page'>): AsyncGenerator<string> {
  for (let after = '';;) {
    const page = secrets.page(after, PAGE);
    for (const record of page) {
      const hash = hashOf(record);
      if (hash !== null) yield hash;
    }
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.userid;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The hash of a record that is one; null for other records, also damaged ones. */
export function hashOf({ secret }: SecretRecord): string | null {
  if (!secret.startsWith('{"v":2,')) return null;
  try {
    const { hash } = JSON.parse(secret) as Partial<HashedSecret>;
    return typeof hash === 'string' ? hash : null;
  } catch {
    return null;
  }
}
