/** The sources of groups a configuration names. */

import type { Settings } from '../../config/settings.ts';
import { serverError } from '../../errors.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Checkers } from '../checker/pool.ts';
import { LdapDirectory } from '../ldap/directory.ts';
import { ldapAccess, ldapPlace } from '../secrets/configured.ts';
import { type GroupLookup, Groups } from './groups.ts';
import { type LdapGroups, ldapGroups } from './ldap.ts';

/** @throws MailError 'config' for a file that cannot be read */
export function configuredGroups(settings: Settings, checkers: Pick<Checkers, 'ask'>, log: Log): Groups {
  const lookups: GroupLookup[] = [];
  if (settings.pts_module === 'ldap') {
    lookups.push(ldapGroups(new LdapDirectory(ldapAccess(settings), log), ldapGroupsOf(settings)));
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
