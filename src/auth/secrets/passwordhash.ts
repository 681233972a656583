/**
 * Hashes of passwords as files and directories keep them: crypt(3) in all its methods, bcrypt, argon2, Apache's apr1, and
 * `{SCHEME}` values (`userpassword.ts`).
 */

import { createHash, timingSafeEqual } from '../../crypto.ts';
import type { Crypt } from '../checker/pool.ts';

const BY_RUNTIME = /^\$(?:argon2(?:id|i|d)|2[abxy])\$/;
const MD5_BASED = /^\$(apr1|1)\$([^$]{0,8})\$([./0-9A-Za-z]{22})$/;
const BY_LIBRARY = /^(?:\$[0-9a-z]{1,8}\$[\x21-\x7e]+|[./0-9A-Za-z]{13}|_[./0-9A-Za-z]{19})$/;

/** Whether this is a hash that could be checked here; locked accounts (`!`, `*`, `x`) have none. */
export function isPasswordHash(hash: string): boolean {
  return BY_RUNTIME.test(hash) || MD5_BASED.test(hash) || BY_LIBRARY.test(hash);
}

/**
 * Whether a password has this hash. What is no hash matches nothing.
 * @param crypt the system's crypt(3), off this thread; without it only the methods of our own are there
 * @throws MailError 'unavailable' where crypt(3) cannot be asked
 */
export async function matchesHash(hash: string, password: string, crypt?: Crypt): Promise<boolean> {
  // To a C library a password ends at its first NUL.
  if (password.includes('\0')) return false;
  if (BY_RUNTIME.test(hash)) {
    try {
      return await Bun.password.verify(password, hash.replace(/^\$2[xy]\$/, '$2b$'));
    } catch {
      return false;
    }
  }
  const [, magic, salt, digest] = MD5_BASED.exec(hash) ?? [];
  if (magic !== undefined && salt !== undefined && digest !== undefined) {
    return timingSafeEqual(Buffer.from(md5Crypt(password, salt, `$${magic}$`)), Buffer.from(digest));
  }
  return crypt !== undefined && BY_LIBRARY.test(hash) && await crypt(password, hash);
}

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** The order in which bytes of the digest are written. */
const GROUPS = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] as const;

/** Poul-Henning Kamp's hash of 1,000 rounds of MD5, which Apache took over under another name. */
function md5Crypt(password: string, salt: string, magic: string): string {
  const key = Buffer.from(password);
  const md5 = (...parts: readonly (Uint8Array | string)[]) => {
    const hash = createHash('md5');
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const mixed = md5(key, salt, key);
  const first: (Uint8Array | string)[] = [key, magic, salt];
  for (let left = key.length; left > 0; left -= 16) first.push(mixed.subarray(0, Math.min(16, left)));
  for (let bits = key.length; bits > 0; bits >>= 1) {
    first.push(bits & 1 ? new Uint8Array(1) : key.subarray(0, 1));
  }
  let digest = md5(...first);
  for (let round = 0; round < 1000; round++) {
    const odd = round % 2 === 1;
    digest = md5(
      odd ? key : digest,
      round % 3 ? salt : '',
      round % 7 ? key : '',
      odd ? digest : key,
    );
  }
  const at = (index: number) => digest[index] as number;
  let text = '';
  const write = (value: number, count: number) => {
    for (let rest = value; count-- > 0; rest >>= 6) text += ALPHABET[rest & 63];
  };
  for (const [a, b, c] of GROUPS) write((at(a) << 16) | (at(b) << 8) | at(c), 4);
  write(at(11), 2);
  return text;
}
