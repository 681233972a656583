/** The sources of groups a configuration names. */

import type { Settings } from '../../config/settings.ts';
import { serverError } from '../../errors.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Checkers } from '../checker/pool.ts';
import { ldapAccess, ldapPlace } from '../ldap/configured.ts';
import type { DirectoryAccess } from '../ldap/connection.ts';
import { type GroupLookup, Groups } from './groups.ts';
import type { LdapGroups } from './ldap.ts';

/** @throws MailError 'config' for a file that cannot be read */
export function configuredGroups(settings: Settings, checkers: Pick<Checkers, 'ask'>, log: Log): Groups {
  const lookups: GroupLookup[] = [];
  if (settings.pts_module === 'ldap') {
    const access = ldapAccess(settings);
    const groups = ldapGroupsOf(settings);
    // Loaded with the first question: a server that starts has better use for the time.
    let opened: Promise<GroupLookup> | undefined;
    lookups.push(async (userid) => await (await (opened ??= openLookup(access, groups, log)))(userid));
  }
  if (settings.unix_group_enable) {
    lookups.push(async (user) => {
      const { verdict, text } = await checkers.ask({ kind: 'groups', user });
      if (verdict === 'error') throw serverError(text);
      return text === '' ? [] : text.split('\n');
    });
  }
  return new Groups({ lookups, life: settings.ptscache_timeout, log });
}

async function openLookup(access: DirectoryAccess, groups: LdapGroups, log: Log): Promise<GroupLookup> {
  const [{ LdapDirectory }, { ldapGroups }] = await Promise.all([
    import('../ldap/directory.ts'),
    import('./ldap.ts'),
  ]);
  return ldapGroups(new LdapDirectory(access, log), groups);
}

/** How groups are found in the directory of section ldap. */
export function ldapGroupsOf(settings: Settings): LdapGroups {
  return {
    user: ldapPlace(settings),
    method: settings.ldap_member_method,
    attribute: settings.ldap_member_attribute,
    base: settings.ldap_member_base,
    filter: settings.ldap_member_filter,
    scope: settings.ldap_member_scope,
  };
}
