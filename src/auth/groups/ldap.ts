/**
 * Groups of a directory, found the two ways Cyrus's ptloader knows: an attribute of the user's own entry names them
 * (`memberOf`), or a search finds the entries of which the user is a member.
 */

import type { Entry } from 'ldapts';
import { limits } from '../../limits.ts';
import type { DirectoryConnection } from '../ldap/connection.ts';
import type { LdapDirectory } from '../ldap/directory.ts';
import { DirectoryFailure, directoryFailure } from '../ldap/failure.ts';
import { dnValue, fillTemplate, filterValue } from '../ldap/template.ts';
import { findUser, type LdapPlace } from '../secrets/ldap.ts';
import type { GroupLookup } from './groups.ts';

export interface LdapGroups {
  readonly user: LdapPlace;
  /** `attribute`: of the user's entry; `filter`: of entries that are searched for. */
  readonly method: 'attribute' | 'filter';
  readonly attribute: string;
  readonly base: string;
  readonly filter: string;
  readonly scope: 'base' | 'one' | 'sub';
}

/** @throws from the lookup: DirectoryFailure */
export function ldapGroups(directory: Pick<LdapDirectory, 'use'>, groups: LdapGroups): GroupLookup {
  return (userid) =>
    directory.use(async (connection) => {
      const dn = await findUser(connection, groups.user, userid);
      if (dn === null) return [];
      return groups.method === 'attribute'
        ? await ofEntry(connection, groups, dn)
        : await ofSearch(connection, groups, userid, dn);
    });
}

async function ofEntry(
  connection: DirectoryConnection,
  { attribute }: LdapGroups,
  dn: string,
): Promise<readonly string[]> {
  const entries = await connection.search({
    base: dn,
    scope: 'base',
    filter: '(objectclass=*)',
    attributes: [attribute],
    sizeLimit: 1,
  });
  const values = entries.flatMap((entry) => valuesOf(entry, attribute));
  if (values.length > limits.groups_of_user.value) throw tooMany(dn);
  return values.map(nameOf);
}

async function ofSearch(
  connection: DirectoryConnection,
  { attribute, base, filter, scope, user: { realm } }: LdapGroups,
  userid: string,
  dn: string,
): Promise<readonly string[]> {
  const values = { userid, realm, dn };
  let entries: readonly Entry[];
  try {
    entries = await connection.search({
      base: fillTemplate(base, values, dnValue),
      scope,
      filter: fillTemplate(filter, values, filterValue),
      attributes: [attribute],
      sizeLimit: limits.groups_of_user.value,
    });
  } catch (thrown) {
    if (directoryFailure(thrown, 'groups').kind === 'many') throw tooMany(dn);
    throw thrown;
  }
  return entries.flatMap((entry) => valuesOf(entry, attribute)).map(nameOf);
}

function tooMany(dn: string): DirectoryFailure {
  return new DirectoryFailure('many', `${dn} is in more than ${limits.groups_of_user.value} groups`);
}

/** The name of a group: the value, or of a DN (`memberOf`) the value of its first part. */
function nameOf(value: string): string {
  const [, name] = /^[A-Za-z][A-Za-z0-9-]*=((?:[^,\\]|\\.)+),/.exec(value) ?? [];
  return name === undefined ? value : name.replace(/\\([^0-9a-f])/gi, '$1');
}

function valuesOf(entry: Entry, attribute: string): string[] {
  const key = Object.keys(entry).find((name) => name.toLowerCase() === attribute.toLowerCase());
  if (key === undefined) return [];
  const value = entry[key] ?? [];
  const all = Array.isArray(value) ? value : [value];
  return all.map((one) => typeof one === 'string' ? one : one.toString('utf8')).filter((text) => text !== '');
}
