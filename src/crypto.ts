/**
 * Hashes, keyed hashes and randomness by the runtime itself. node:crypto does the same, and brings all of node's streams with it:
 * some milliseconds of each process that starts. What only node:crypto has (certificates, old ciphers) is loaded where it is used.
 */

import type * as NodeCrypto from 'node:crypto';

export type HashName = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** A hash that takes pieces of its input; `digest` ends it. */
export interface Hash {
  update(data: string | Uint8Array, encoding?: 'latin1' | 'utf8'): Hash;
  digest(): Buffer;
  digest(encoding: 'hex' | 'base64' | 'base64url'): string;
}

/** A hash of what it is given. */
export function createHash(name: HashName): Hash {
  return new Bun.CryptoHasher(name) as unknown as Hash;
}

/** HMAC (RFC 2104); a key of any length. */
export function createHmac(name: HashName, key: string | Uint8Array): Hash {
  return new Bun.CryptoHasher(name, key as string | NodeJS.TypedArray) as unknown as Hash;
}

/** Bytes nobody can guess, at most 65,536. */
export function randomBytes(count: number): Buffer {
  return crypto.getRandomValues(Buffer.allocUnsafe(count));
}

/** Version 4 (RFC 9562 §5.4). */
export function randomUUID(): string {
  return crypto.randomUUID();
}

/** Compares in a time that tells nothing but the lengths. @throws RangeError where these differ */
export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean {
  return crypto.timingSafeEqual(a, b);
}

/** PBKDF2 with HMAC (RFC 8018 §5.2), off the main thread. `length` in bytes. */
export async function pbkdf2(
  password: string,
  salt: Uint8Array,
  iterations: number,
  length: number,
  hash: 'sha1' | 'sha256',
): Promise<Buffer> {
  const key = await crypto.subtle.importKey('raw', Buffer.from(password), 'PBKDF2', false, ['deriveBits']);
  const how = {
    name: 'PBKDF2',
    hash: hash === 'sha1' ? 'SHA-1' : 'SHA-256',
    salt: new Uint8Array(salt),
    iterations,
  };
  return Buffer.from(await crypto.subtle.deriveBits(how, key, 8 * length));
}

/** node:crypto, loaded when it is first asked for. */
export function nodeCrypto(): typeof NodeCrypto {
  return process.getBuiltinModule('node:crypto');
}
