/** The directories a configuration names: how they are reached, and where users are found there. */

import { directoryAddress } from '../../config/directoryaddress.ts';
import { firstLine } from '../../config/passwordfile.ts';
import type { Settings } from '../../config/settings.ts';
import type { LdapPlace } from '../secrets/ldap.ts';
import type { DirectoryAccess } from './connection.ts';

/** How the directory of section ldap is reached, and who searches there. */
export function ldapAccess(settings: Settings): DirectoryAccess {
  return {
    addresses: settings.ldap_uri.flatMap((uri) => directoryAddress(uri) ?? []),
    starttls: settings.ldap_starttls,
    caFile: settings.ldap_ca_file,
    certFile: settings.ldap_cert_file,
    keyFile: settings.ldap_key_file,
    mechanism: settings.ldap_mech,
    id: settings.ldap_bind_dn,
    password: settings.ldap_bind_pw_file === ''
      ? settings.ldap_bind_pw
      : firstLine('ldap.bind_pw_file', settings.ldap_bind_pw_file),
  };
}

/** Where users are searched for there. */
export function ldapPlace(settings: Settings): LdapPlace {
  return {
    base: settings.ldap_base,
    filter: settings.ldap_filter,
    scope: settings.ldap_scope,
    realm: settings.ldap_realm === '' ? settings.defaultdomain : settings.ldap_realm,
  };
}

/** How ldapdb gets to its directory. */
export function ldapdbAccess(settings: Settings): DirectoryAccess {
  return {
    addresses: settings.sasl_ldapdb_uri.flatMap((uri) => directoryAddress(uri) ?? []),
    starttls: settings.sasl_ldapdb_starttls,
    caFile: settings.sasl_ldapdb_ca_file,
    certFile: settings.sasl_ldapdb_cert_file,
    keyFile: settings.sasl_ldapdb_key_file,
    mechanism: settings.sasl_ldapdb_mech,
    id: settings.sasl_ldapdb_id,
    password: settings.sasl_ldapdb_pw_file === ''
      ? settings.sasl_ldapdb_pw
      : firstLine('ldapdb.pw_file', settings.sasl_ldapdb_pw_file),
  };
}
