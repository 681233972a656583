/**
 * The store's own secrets, Cyrus's sasldb: per user a JSON record from which a password can be checked and SCRAM can
 * be spoken, but not read back. Only where CRAM-MD5 or DIGEST-MD5 are enabled, which need the password itself, it
 * stands there as well.
 */

import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { MailError, userError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { SecretRecord, Secrets } from '../../store/border.ts';
import { saslprep } from '../saslprep.ts';
import { Proofs } from './proofs.ts';
import type { SecretSource } from './source.ts';

/** What SCRAM keeps of a password (RFC 5802 §3, §9); base64, 16 random bytes of salt. */
export interface ScramKeys {
  readonly salt: string;
  readonly iterations: number;
  readonly storedKey: string;
  readonly serverKey: string;
}

/** A secret as it is stored. */
export interface StoredSecret {
  readonly v: 1;
  readonly scram_sha_256: ScramKeys;
  readonly scram_sha_1: ScramKeys;
  /** The password as it was given, where a mechanism needs it. */
  readonly plain?: string;
}

export type ScramHash = 'sha256' | 'sha1';

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

const KEY_LENGTH: Readonly<Record<ScramHash, number>> = { sha256: 32, sha1: 20 };

/** PBKDF2 of node:crypto. */
export const derivePbkdf2: Derive = (password, salt, iterations, length, hash) =>
  new Promise((resolve, reject) => {
    pbkdf2(password, salt, iterations, length, hash, (error, key) => error ? reject(error) : resolve(key));
  });

/**
 * The record of a new password.
 * @param retrievable keep the password itself too (CRAM-MD5, DIGEST-MD5)
 * @throws MailError 'cannot' for a password that nobody could log in with
 */
export async function makeSecret(
  password: string,
  retrievable: boolean,
  derive: Derive = derivePbkdf2,
): Promise<string> {
  if (password === '') throw userError('cannot', 'the password is empty');
  if (tooLong(password)) {
    throw userError('cannot', `the password is longer than ${limits.password_bytes.value} bytes`);
  }
  const prepared = saslprep(password, 'stored');
  if (prepared === null || prepared === '') {
    throw userError('cannot', 'the password has characters that cannot be part of one (RFC 4013)');
  }
  const secret: StoredSecret = {
    v: 1,
    scram_sha_256: await scramKeys(prepared, 'sha256', derive),
    scram_sha_1: await scramKeys(prepared, 'sha1', derive),
    ...(retrievable ? { plain: password } : {}),
  };
  return JSON.stringify(secret);
}

/**
 * A stored record.
 * @throws MailError 'corruption' naming the user and the remedy
 */
export function readSecret(record: SecretRecord): StoredSecret {
  let value: unknown;
  try {
    value = JSON.parse(record.secret);
  } catch {
    value = null;
  }
  if (isStoredSecret(value)) return value;
  throw new MailError(
    'server',
    'corruption',
    `the stored secret of '${record.userid}' cannot be read; set a new one with 'mailstore user passwd'`,
  );
}

/** Checks passwords against `Store.secrets`. */
export class EmbeddedSecrets implements SecretSource {
  readonly #secrets: Pick<Secrets, 'get'>;
  readonly #derive: Derive;
  readonly #proofs: Proofs;
  /** What users who do not exist are checked against. */
  readonly #nobody: ScramKeys;

  constructor(
    secrets: Pick<Secrets, 'get'>,
    options: { readonly derive?: Derive; readonly proofs?: Proofs } = {},
  ) {
    this.#secrets = secrets;
    this.#derive = options.derive ?? derivePbkdf2;
    this.#proofs = options.proofs ?? new Proofs();
    this.#nobody = {
      salt: randomBytes(16).toString('base64'),
      iterations: ITERATIONS,
      storedKey: randomBytes(KEY_LENGTH.sha256).toString('base64'),
      serverKey: '',
    };
  }

  /**
   * One lookup and, unless this very password was right a moment ago, one PBKDF2 and one constant-time comparison,
   * whoever is asked for and whatever the password is.
   */
  async verify(userid: string | null, password: string): Promise<boolean> {
    const record = this.#secrets.get(userid ?? '');
    const keys = record === null ? this.#nobody : readSecret(record).scram_sha_256;
    const prepared = tooLong(password) ? null : saslprep(password, 'query');
    const proof = this.#proofs.proof([
      userid ?? '',
      password,
      record?.userid ?? '',
      record?.secret ?? '',
      record?.changed ?? 0,
    ]);
    if (record !== null && this.#proofs.holds(proof)) return true;
    const salted = await this.#derive(
      prepared ?? '',
      Buffer.from(keys.salt, 'base64'),
      keys.iterations,
      KEY_LENGTH.sha256,
      'sha256',
    );
    const same = timingSafeEqual(storedKey(salted, 'sha256'), Buffer.from(keys.storedKey, 'base64'));
    const right = same && userid !== null && record !== null && prepared !== null && prepared !== '';
    if (right) this.#proofs.remember(proof);
    return right;
  }
}

function tooLong(password: string): boolean {
  return Buffer.byteLength(password) > limits.password_bytes.value;
}

/** RFC 5802 §3: SaltedPassword, then StoredKey and ServerKey. */
async function scramKeys(prepared: string, hash: ScramHash, derive: Derive): Promise<ScramKeys> {
  const salt = randomBytes(16);
  const salted = await derive(prepared, salt, ITERATIONS, KEY_LENGTH[hash], hash);
  return {
    salt: salt.toString('base64'),
    iterations: ITERATIONS,
    storedKey: storedKey(salted, hash).toString('base64'),
    serverKey: createHmac(hash, salted).update('Server Key').digest('base64'),
  };
}

/** H(HMAC(SaltedPassword, "Client Key")). */
function storedKey(salted: Uint8Array, hash: ScramHash): Buffer {
  const clientKey = createHmac(hash, salted).update('Client Key').digest();
  return createHash(hash).update(clientKey).digest();
}

function isStoredSecret(value: unknown): value is StoredSecret {
  if (!isObject(value) || value['v'] !== 1) return false;
  if (value['plain'] !== undefined && typeof value['plain'] !== 'string') return false;
  return isScramKeys(value['scram_sha_256'], 'sha256') && isScramKeys(value['scram_sha_1'], 'sha1');
}

function isScramKeys(value: unknown, hash: ScramHash): value is ScramKeys {
  if (!isObject(value)) return false;
  const { salt, iterations, storedKey, serverKey } = value;
  return isBytes(salt, 8, 1024) && isBytes(storedKey, KEY_LENGTH[hash]) &&
    isBytes(serverKey, KEY_LENGTH[hash]) &&
    Number.isInteger(iterations) && (iterations as number) >= 1 && (iterations as number) <= 10_000_000;
}

function isBytes(value: unknown, least: number, most: number = least): boolean {
  if (typeof value !== 'string') return false;
  const { length } = Buffer.from(value, 'base64');
  return length >= least && length <= most;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
