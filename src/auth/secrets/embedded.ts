/**
 * The store's own secrets, Cyrus's sasldb: per user a JSON record from which a password can be checked and SCRAM can
 * be spoken, but not read back. Only where CRAM-MD5 or DIGEST-MD5 are enabled, which need the password itself, it
 * stands there as well.
 */

import { pbkdf2, randomBytes, timingSafeEqual } from '../../crypto.ts';
import { MailError, userError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { SecretRecord, Secrets } from '../../store/border.ts';
import { saslprep } from '../saslprep.ts';
import { type Derive, ITERATIONS, KEY_LENGTH, scramKeys, storedKeyOf } from '../scramkeys.ts';
import { HashCosts } from './hashcosts.ts';
import { hashOf } from './hashed.ts';
import { Proofs } from './proofs.ts';
import type { ScramHash, ScramKeys, SecretSource, UserSecret } from './source.ts';
import { matchesFileHash } from './userpassword.ts';

/** A secret as it is stored. */
export interface StoredSecret {
  readonly v: 1;
  readonly scram_sha_256: ScramKeys;
  readonly scram_sha_1: ScramKeys;
  /** The password as it was given, where a mechanism needs it. */
  readonly plain?: string;
}

/**
 * The record of a new password.
 * @param retrievable keep the password itself too (CRAM-MD5, DIGEST-MD5)
 * @throws MailError 'cannot' for a password that nobody could log in with
 */
export async function makeSecret(
  password: string,
  retrievable: boolean,
  derive: Derive = pbkdf2,
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
    scram_sha_256: await scramKeys(prepared, 'sha256', randomBytes(16), derive),
    scram_sha_1: await scramKeys(prepared, 'sha1', randomBytes(16), derive),
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

/** Checks passwords against `Store.secrets`, and hands out what stands there. */
export class EmbeddedSecrets implements SecretSource {
  readonly abilities = { plain: true, scram: 'stored' } as const;
  readonly #secrets: Pick<Secrets, 'get'>;
  readonly #derive: Derive;
  readonly #proofs: Proofs;
  readonly #hashes: HashCosts;
  readonly #learn: ((userid: string, password: string, before: string) => Promise<void>) | undefined;
  /** What users who do not exist are checked against. */
  readonly #nobody: ScramKeys;

  constructor(
    secrets: Pick<Secrets, 'get'>,
    options: {
      readonly derive?: Derive;
      readonly proofs?: Proofs;
      /** Checks the hashes of users that were imported with one. */
      readonly hashes?: HashCosts;
      /** Told of a password of which only a hash is stored, and of the record it was checked with. */
      readonly learn?: (userid: string, password: string, before: string) => Promise<void>;
    } = {},
  ) {
    this.#secrets = secrets;
    this.#derive = options.derive ?? pbkdf2;
    this.#proofs = options.proofs ?? new Proofs();
    this.#hashes = options.hashes ?? new HashCosts(matchesFileHash);
    this.#learn = options.learn;
    this.#nobody = {
      salt: randomBytes(16).toString('base64'),
      iterations: ITERATIONS,
      storedKey: randomBytes(KEY_LENGTH.sha256).toString('base64'),
      serverKey: '',
    };
  }

  /**
   * One lookup and, unless this very password was right a moment ago, one PBKDF2 and one constant-time comparison,
   * whoever is asked for and whatever the password is; before it is called wrong, one hash of each kind that the store has.
   */
  async verify(userid: string | null, password: string): Promise<boolean> {
    const record = this.#secrets.get(userid ?? '');
    const proof = this.#proofs.proof([
      userid ?? '',
      password,
      record?.userid ?? '',
      record?.secret ?? '',
      record?.changed ?? 0,
    ]);
    if (record !== null && this.#proofs.holds(proof)) return true;
    const hash = record === null ? null : hashOf(record);
    const keys = record === null || hash !== null ? this.#nobody : readSecret(record).scram_sha_256;
    const prepared = tooLong(password) ? null : saslprep(password, 'query');
    const salted = await this.#derive(
      prepared ?? '',
      Buffer.from(keys.salt, 'base64'),
      keys.iterations,
      KEY_LENGTH.sha256,
      'sha256',
    );
    const derived = timingSafeEqual(storedKeyOf(salted, 'sha256'), Buffer.from(keys.storedKey, 'base64'));
    const matches = !derived && prepared !== null &&
      await this.#hashes.matches(hash === null ? [] : [hash], password);
    const same = matches || derived;
    const right = same && userid !== null && record !== null && prepared !== null && prepared !== '';
    if (right) this.#proofs.remember(proof);
    if (matches && right) void this.#learn?.(userid, password, record.secret);
    return right;
  }

  secret(userid: string | null): Promise<UserSecret | null> {
    const record = this.#secrets.get(userid ?? '');
    if (record === null || userid === null) return Promise.resolve(null);
    if (hashOf(record) !== null) return Promise.resolve({});
    const { plain, scram_sha_1: sha1, scram_sha_256: sha256 } = readSecret(record);
    return Promise.resolve({ scram: { sha1, sha256 }, ...(plain === undefined ? {} : { plain }) });
  }
}

function tooLong(password: string): boolean {
  return Buffer.byteLength(password) > limits.password_bytes.value;
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
