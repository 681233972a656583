/**
 * Users in a file: `name:hash` and whatever follows, as passwd, shadow and htpasswd have it. The hash is one of crypt(3),
 * bcrypt, Apache's apr1, or `{SCHEME}value`. It is read again as soon as it has changed.
 *
 * Invariants
 * 1. A wrong password costs a hash of each kind that is in the file, also that of somebody who is not (`hashcosts.ts`).
 * 2. A file that cannot be read is 'unavailable', never "no such user".
 */

import { readFile, stat } from 'node:fs/promises';
import { asMailError, serverError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Crypt } from '../checker/pool.ts';
import { HashCosts } from './hashcosts.ts';
import { isPasswordHash } from './passwordhash.ts';
import { matchesFileHash } from './userpassword.ts';
import type { SecretSource, UserSecret } from './source.ts';

/** The userid a name in the file stands for; null where nobody can be called so. */
export type Canonical = (name: string) => string | null;

interface Contents {
  readonly stamp: string;
  readonly users: ReadonlyMap<string, string>;
  readonly hashes: HashCosts;
}

export class PasswdFileSecrets implements SecretSource {
  readonly abilities = { plain: false, scram: false } as const;
  readonly #path: string;
  readonly #canonical: Canonical;
  readonly #crypt: Crypt;
  readonly #log: Log;
  #contents: Contents | undefined;

  constructor(path: string, canonical: Canonical, crypt: Crypt, log: Log) {
    this.#path = path;
    this.#canonical = canonical;
    this.#crypt = crypt;
    this.#log = log;
  }

  async verify(userid: string | null, password: string): Promise<boolean> {
    let contents: Contents;
    try {
      contents = await this.#read();
    } catch (thrown) {
      const { message } = asMailError(thrown);
      const reason = thrown instanceof Error ? thrown.message : message;
      this.#log.error('the file of passwords cannot be read', { file: this.#path, reason });
      throw serverError('the file of passwords cannot be read', thrown);
    }
    const known = userid === null ? undefined : contents.users.get(userid);
    const short = Buffer.byteLength(password) <= limits.password_bytes.value;
    const right = await contents.hashes.matches(known === undefined ? [] : [known], short ? password : '');
    return right && short && password !== '';
  }

  secret(): Promise<UserSecret | null> {
    return Promise.resolve(null);
  }

  /** The file as it is now. */
  async #read(): Promise<Contents> {
    const { mtimeNs, size, ino } = await stat(this.#path, { bigint: true });
    const stamp = `${mtimeNs} ${size} ${ino}`;
    if (this.#contents?.stamp === stamp) return this.#contents;
    if (size > limits.passwd_file_bytes.value) {
      throw new Error(`it is larger than ${limits.passwd_file_bytes.value} bytes`);
    }
    const users = new Map<string, string>();
    const hashes = new HashCosts((hash, password) => matchesFileHash(hash, password, this.#crypt));
    for (const { name, hash } of passwdLines(await readFile(this.#path, 'utf8'))) {
      const userid = this.#canonical(name);
      if (userid === null || users.has(userid)) continue;
      users.set(userid, hash);
      hashes.note(hash);
    }
    return this.#contents = { stamp, users, hashes };
  }
}

/** The entries of a file that have a hash; accounts without one, comments and what is no entry are left out. */
export function passwdLines(text: string): { readonly name: string; readonly hash: string }[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [name = '', hash = ''] = line.split(':');
    const usable = isPasswordHash(hash) || /^\{[A-Za-z0-9-]+\}./.test(hash);
    return name === '' || line.startsWith('#') || !usable ? [] : [{ name, hash }];
  });
}
