/**
 * What users who do not exist seem to have: a salt and keys that stay the same from one attempt to the next, in every
 * process and after a restart, so that SCRAM's first answer does not tell who is there (RFC 5802 §9).
 */

import { constants, existsSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { closeSync, fsyncSync, linkSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { createHmac, randomBytes } from '../crypto.ts';
import { ITERATIONS, KEY_LENGTH } from './scramkeys.ts';
import type { ScramHash, ScramKeys } from './secrets/source.ts';

const BYTES = 32;

export class Decoy {
  readonly #key: Buffer;

  /** @param key secret of the installation; random where it only has to last as long as the process */
  constructor(key: Buffer = randomBytes(BYTES)) {
    this.#key = key;
  }

  /** The decoy of an installation, whose key is kept in this file; made at the first use. */
  static at(path: string): Decoy {
    if (!existsSync(path)) make(path);
    return new Decoy(readFileSync(path));
  }

  /** The salt for a name, also that of somebody whose source has a password but no keys. */
  salt(name: string): Buffer {
    return createHmac('sha256', this.#key).update(`salt\0${name}`).digest().subarray(0, 16);
  }

  /** A password nobody knows. */
  password(): string {
    return randomBytes(24).toString('base64');
  }

  /** Keys nobody can prove to have. */
  keys(name: string, hash: ScramHash): ScramKeys {
    return {
      salt: this.salt(name).toString('base64'),
      iterations: ITERATIONS,
      storedKey: randomBytes(KEY_LENGTH[hash]).toString('base64'),
      serverKey: randomBytes(KEY_LENGTH[hash]).toString('base64'),
    };
  }
}

/** Makes the file whole or not at all; of several processes that try at once one wins. */
function make(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.${process.pid}`;
  const fd = openSync(
    fresh,
    constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    writeSync(fd, randomBytes(BYTES));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  try {
    linkSync(fresh, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    unlinkSync(fresh);
  }
}
