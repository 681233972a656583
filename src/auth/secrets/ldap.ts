/**
 * A directory that checks passwords itself: the user's entry is searched for, then a bind is tried as that entry (RFC 4513
 * §5.1.3). No secret ever leaves the directory, so there is no challenge and response.
 *
 * Invariants
 * 1. Exactly one entry may be found. Several are a search that is too wide: whose password it is cannot be told, and that is
 *    said, never "wrong password"; the directory is asked for two at most, however many there are.
 * 2. An empty password never binds: RFC 4513 §5.1.2 would take it for an anonymous bind, which succeeds.
 * 3. Somebody who is not there costs a bind, too, as an entry that does not exist.
 */

import { ResultCodeError } from 'ldapts';
import { randomBytes } from '../../crypto.ts';
import { serverError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { Log } from '../../telemetry/log.ts';
import { type DirectoryAccess, DirectoryConnection } from '../ldap/connection.ts';
import type { LdapDirectory } from '../ldap/directory.ts';
import { DirectoryFailure, directoryFailure } from '../ldap/failure.ts';
import { dnValue, fillTemplate, filterValue } from '../ldap/template.ts';
import type { SecretSource, UserSecret } from './source.ts';

/** How a user's entry is found. */
export interface LdapPlace {
  /** Templates (`ldap/template.ts`). */
  readonly base: string;
  readonly filter: string;
  readonly scope: 'base' | 'one' | 'sub';
  readonly realm: string;
}

/** inappropriateAuthentication (RFC 4511 §A.2): the entry has no password. */
const NO_PASSWORD_THERE = 48;

export class LdapSecrets implements SecretSource {
  readonly abilities = { plain: false, scram: false } as const;
  readonly #directory: Pick<LdapDirectory, 'use'>;
  readonly #access: DirectoryAccess;
  readonly #place: LdapPlace;
  readonly #log: Log;

  constructor(directory: Pick<LdapDirectory, 'use'>, access: DirectoryAccess, place: LdapPlace, log: Log) {
    this.#directory = directory;
    this.#access = access;
    this.#place = place;
    this.#log = log;
  }

  async verify(userid: string | null, password: string): Promise<boolean> {
    // A name nobody can have is searched for like any other.
    const name = userid ?? 'nobody';
    const sent = password !== '' && Buffer.byteLength(password) <= limits.password_bytes.value;
    try {
      return await this.#directory.use(async (connection) => {
        const dn = await findUser(connection, this.#place, name);
        const nobody = `cn=${randomBytes(12).toString('hex')}${
          this.#place.base === '' ? '' : `,${this.#base(name)}`
        }`;
        const right = sent && await this.#binds(dn ?? nobody, password);
        return right && dn !== null && userid !== null;
      });
    } catch (thrown) {
      const failure = directoryFailure(thrown, 'ldap');
      this.#log.error('ldap cannot tell', { user: name, reason: failure.message });
      throw serverError('the directory cannot be asked', failure);
    }
  }

  secret(): Promise<UserSecret | null> {
    return Promise.resolve(null);
  }

  #base(userid: string): string {
    return fillTemplate(this.#place.base, { userid, realm: this.#place.realm }, dnValue);
  }

  async #binds(dn: string, password: string): Promise<boolean> {
    let connection: DirectoryConnection;
    try {
      connection = await DirectoryConnection.open({ ...this.#access, mechanism: 'simple', id: dn, password });
    } catch (thrown) {
      const failure = directoryFailure(thrown, 'ldap');
      if (failure.kind === 'credentials' || failure.kind === 'missing') return false;
      if (failure.cause instanceof ResultCodeError && failure.cause.code === NO_PASSWORD_THERE) return false;
      throw failure;
    }
    await connection.close();
    return true;
  }
}

/**
 * The DN of the one entry that is this user; null where there is none.
 * @throws DirectoryFailure 'many' where there is more than one
 */
export async function findUser(
  connection: DirectoryConnection,
  { base, filter, scope, realm }: LdapPlace,
  userid: string,
): Promise<string | null> {
  let dns: readonly string[];
  try {
    const entries = await connection.search({
      base: fillTemplate(base, { userid, realm }, dnValue),
      scope,
      filter: fillTemplate(filter, { userid, realm }, filterValue),
      attributes: ['1.1'], // no attributes (RFC 4511 §4.5.1.8)
      sizeLimit: 2,
    });
    dns = entries.map(({ dn }) => dn);
  } catch (thrown) {
    const failure = directoryFailure(thrown, 'ldap');
    // A base made of the name that is not there: no such user.
    if (failure.kind === 'missing' && /%[uUd1-9]/.test(base)) return null;
    if (failure.kind !== 'many') throw failure;
    dns = ['', ''];
  }
  if (dns.length <= 1) return dns[0] ?? null;
  throw new DirectoryFailure('many', 'ldap finds several entries for one user; make ldap.filter narrower');
}
