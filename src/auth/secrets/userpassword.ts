/** Values of `userPassword` (RFC 2307 §5.3): a password as it is, or `{SCHEME}` and a hash of it. */

import { createHash, type HashName, timingSafeEqual } from '../../crypto.ts';
import type { Crypt } from '../checker/pool.ts';
import { matchesHash } from './passwordhash.ts';

/** Schemes without a salt, and with one behind the digest. */
const DIGESTS: Readonly<Record<string, { readonly hash: HashName; readonly length: number }>> = {
  MD5: { hash: 'md5', length: 16 },
  SMD5: { hash: 'md5', length: 16 },
  SHA: { hash: 'sha1', length: 20 },
  SSHA: { hash: 'sha1', length: 20 },
  SHA256: { hash: 'sha256', length: 32 },
  SSHA256: { hash: 'sha256', length: 32 },
  SHA384: { hash: 'sha384', length: 48 },
  SSHA384: { hash: 'sha384', length: 48 },
  SHA512: { hash: 'sha512', length: 64 },
  SSHA512: { hash: 'sha512', length: 64 },
};

/** The password, where the value is one that was not hashed; else null. */
export function clearPassword(value: string): string | null {
  const match = /^\{([A-Za-z0-9-]+)\}([\s\S]*)$/.exec(value);
  if (match === null) return value;
  return /^(?:CLEAR|CLEARTEXT|PLAIN)$/i.test(match[1] as string) ? match[2] as string : null;
}

/**
 * Whether a password is that of one of the values. A scheme that is not known matches nothing.
 * @param crypt the system's crypt(3)
 * @throws MailError 'unavailable' where a value needs crypt(3) and it cannot be asked
 */
export async function matchesAny(
  values: readonly string[],
  password: string,
  crypt?: Crypt,
): Promise<boolean> {
  let found = false;
  for (const value of values) if (await matches(value, password, crypt)) found = true;
  return found;
}

/**
 * Whether a password is that of a `{SCHEME}` value, or of a hash of crypt(3) without one.
 * @throws MailError as `matchesAny`
 */
export function matchesFileHash(hash: string, password: string, crypt?: Crypt): Promise<boolean> {
  return hash.startsWith('{') ? matchesAny([hash], password, crypt) : matchesHash(hash, password, crypt);
}

async function matches(value: string, password: string, crypt: Crypt | undefined): Promise<boolean> {
  const clear = clearPassword(value);
  if (clear !== null) return same(Buffer.from(clear), Buffer.from(password));
  const [, scheme = '', rest = ''] = /^\{([A-Za-z0-9-]+)\}([\s\S]*)$/.exec(value) ?? [];
  const digest = DIGESTS[scheme.toUpperCase()];
  if (digest !== undefined) {
    const stored = Buffer.from(rest, 'base64');
    if (stored.length < digest.length) return false;
    const salted = createHash(digest.hash).update(password).update(stored.subarray(digest.length)).digest();
    return timingSafeEqual(salted, stored.subarray(0, digest.length));
  }
  return /^(?:ARGON2|CRYPT|BLF-CRYPT)$/i.test(scheme) && await matchesHash(rest, password, crypt);
}

/** Takes as long whatever the two are, and does not stop at the first difference. */
function same(a: Buffer, b: Buffer): boolean {
  const digest = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
  return timingSafeEqual(digest(a), digest(b));
}
