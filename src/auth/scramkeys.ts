/** The keys SCRAM makes of a password (RFC 5802 §3). */

import { createHash, createHmac, pbkdf2 } from '../crypto.ts';
import type { ScramHash, ScramKeys } from './secrets/source.ts';

/** PBKDF2 with HMAC, off the main thread: RFC 5802's Hi() for one block. */
export type Derive = (
  password: string,
  salt: Uint8Array,
  iterations: number,
  length: number,
  hash: ScramHash,
) => Promise<Buffer>;

/**
 * RFC 7677 §4 asks for at least 4,096. With 10,000 a check takes a few milliseconds here and a phone that speaks
 * SCRAM, where the client does this work, is not kept waiting; guessing is slowed by delays, not by this number.
 */
export const ITERATIONS = 10_000;

export const KEY_LENGTH: Readonly<Record<ScramHash, number>> = { sha256: 32, sha1: 20 };

/**
 * SaltedPassword, then StoredKey and ServerKey.
 * @param prepared after SASLprep
 */
export async function scramKeys(
  prepared: string,
  hash: ScramHash,
  salt: Uint8Array,
  derive: Derive = pbkdf2,
): Promise<ScramKeys> {
  const salted = await derive(prepared, salt, ITERATIONS, KEY_LENGTH[hash], hash);
  return {
    salt: Buffer.from(salt).toString('base64'),
    iterations: ITERATIONS,
    storedKey: storedKeyOf(salted, hash).toString('base64'),
    serverKey: createHmac(hash, salted).update('Server Key').digest('base64'),
  };
}

/** H(HMAC(SaltedPassword, "Client Key")). */
export function storedKeyOf(salted: Uint8Array, hash: ScramHash): Buffer {
  const clientKey = createHmac(hash, salted).update('Client Key').digest();
  return createHash(hash).update(clientKey).digest();
}
