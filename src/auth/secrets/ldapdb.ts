/**
 * ldapdb of Cyrus SASL: one technical user binds to the directory, and each user's entry is read with that user's own
 * rights, by proxied authorization (RFC 4370). The directory's rules decide for whom that is allowed (OpenLDAP: `authzTo`).
 *
 * Invariants
 * 1. Only "the directory knows of no such user" and "the password is another" are answers; everything else is
 *    'unavailable', with the reason in the log.
 * 2. A name never becomes part of a filter or of a DN: it travels in the control, as `u:name`.
 */

import type { Entry } from 'ldapts';
import { serverError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Crypt } from '../checker/pool.ts';
import type { DirectoryConnection } from '../ldap/connection.ts';
import type { LdapDirectory } from '../ldap/directory.ts';
import { DirectoryFailure, directoryFailure } from '../ldap/failure.ts';
import { ProxiedAuthorization } from '../ldap/proxied.ts';
import { HashCosts } from './hashcosts.ts';
import { clearPassword, matchesAny } from './userpassword.ts';
import type { SecretSource, UserSecret } from './source.ts';

const PASSWORD = 'userPassword';

export class LdapdbSecrets implements SecretSource {
  readonly abilities = { plain: true, scram: 'derived' } as const;
  readonly #directory: Pick<LdapDirectory, 'use'>;
  readonly #log: Log;
  /** Of the hashes that were seen: a directory is not read through for them. */
  readonly #hashes: HashCosts;
  /** Proxied authorization was allowed once: a denial is about the user, not about the configuration. */
  #works = false;

  /** @param crypt the system's crypt(3), for values `{CRYPT}…` */
  constructor(directory: Pick<LdapDirectory, 'use'>, log: Log, crypt?: Crypt) {
    this.#directory = directory;
    this.#log = log;
    this.#hashes = new HashCosts((hash, password) => matchesAny([hash], password, crypt));
  }

  async verify(userid: string | null, password: string): Promise<boolean> {
    const values = await this.#passwords(userid) ?? [];
    const hashed = values.filter((value) => clearPassword(value) === null);
    const clear = values.filter((value) => !hashed.includes(value));
    const short = Buffer.byteLength(password) <= limits.password_bytes.value;
    const given = short ? password : '';
    const right = await matchesAny(clear, given) || await this.#hashes.matches(hashed, given);
    return right && short && password !== '';
  }

  async secret(userid: string | null): Promise<UserSecret | null> {
    const values = await this.#passwords(userid);
    if (values === null) return null;
    const plain = values.map(clearPassword).find((value) => value !== null);
    return plain === undefined ? {} : { plain: plain as string };
  }

  /** The values of `userPassword`; null where there is no such user. */
  async #passwords(userid: string | null): Promise<readonly string[] | null> {
    // A name nobody can have is asked for like any other, so that it takes as long.
    const name = userid ?? 'nobody';
    try {
      const values = await this.#directory.use((connection) => this.#read(connection, name));
      return userid === null ? null : values;
    } catch (thrown) {
      const failure = directoryFailure(thrown, 'ldapdb');
      this.#log.error('ldapdb cannot tell', { user: name, reason: failure.message });
      throw serverError('the directory cannot be asked', failure);
    }
  }

  async #read(connection: DirectoryConnection, userid: string): Promise<readonly string[] | null> {
    const as = new ProxiedAuthorization(`u:${userid}`);
    let dn: string;
    try {
      dn = await connection.whoAmI(as);
    } catch (thrown) {
      const failure = directoryFailure(thrown, 'ldapdb');
      if (failure.kind !== 'denied') throw failure;
      if (!this.#works) await this.#mayActForOthers(connection);
      return null;
    }
    this.#works = true;
    let entries: readonly Entry[];
    try {
      entries = await connection.search({
        base: dn,
        scope: 'base',
        filter: '(objectclass=*)',
        attributes: [PASSWORD],
        sizeLimit: 1,
      }, as);
    } catch (thrown) {
      const failure = directoryFailure(thrown, 'ldapdb');
      // `uid=name,cn=auth` is what OpenLDAP calls somebody that no rule maps to an entry.
      if (failure.kind === 'missing' && /,cn=auth$/i.test(dn)) return null;
      throw failure;
    }
    const [entry] = entries;
    const values = entry === undefined ? [] : texts(entry[PASSWORD]);
    if (values.length > 0) return values;
    throw new DirectoryFailure(
      'refused',
      `${dn} has no ${PASSWORD} that it may read itself; give the entry one, and an access rule "by self read" or "write"`,
    );
  }

  /**
   * Everybody is denied so far. Where the technical user's own entry says for whom it may act, the denial is about the
   * user; where it says nothing, nobody could ever log in.
   */
  async #mayActForOthers(connection: DirectoryConnection): Promise<void> {
    const own = await connection.whoAmI();
    let entry: Entry | undefined;
    try {
      [entry] = await connection.search({
        base: own,
        scope: 'base',
        filter: '(objectclass=*)',
        attributes: ['authzTo'],
        sizeLimit: 1,
      });
    } catch (thrown) {
      if (directoryFailure(thrown, 'ldapdb').kind !== 'missing') throw thrown;
    }
    if (entry !== undefined && texts(entry['authzTo']).length > 0) return;
    throw new DirectoryFailure(
      'refused',
      `the directory does not let ${
        own || 'an anonymous bind'
      } act for others: its entry needs authzTo, and the ` +
        'directory olcAuthzPolicy "to"',
    );
  }
}

/** Values as text, whatever ldapts made of them. */
function texts(value: Entry[string] | undefined): string[] {
  if (value === undefined) return [];
  const all = Array.isArray(value) ? value : [value];
  return all.map((one) => typeof one === 'string' ? one : one.toString('utf8'));
}
