/** The sources of secrets a configuration names. */

import { readFileSync } from 'node:fs';
import { directoryAddress } from '../../config/directoryaddress.ts';
import type { Settings } from '../../config/settings.ts';
import { MailError } from '../../errors.ts';
import type { Log } from '../../telemetry/log.ts';
import type { DirectoryAccess } from '../ldap/connection.ts';
import { LdapDirectory } from '../ldap/directory.ts';
import { LdapdbSecrets } from './ldapdb.ts';
import type { SecretSource } from './source.ts';
import { SecretSources } from './sources.ts';

/** A source and what the configuration calls it. */
export interface NamedSource {
  readonly name: string;
  readonly source: SecretSource;
}

/**
 * Each source, in the order they are asked. Nothing is connected to yet.
 * @param embedded the store's own secrets
 * @throws MailError 'config' for a file that cannot be read
 */
export function namedSources(settings: Settings, embedded: SecretSource, log: Log): readonly NamedSource[] {
  return settings.sasl_auxprop_plugin.map((name) => ({
    name,
    source: name === 'ldapdb'
      ? new LdapdbSecrets(new LdapDirectory(ldapdbAccess(settings), log), log)
      : embedded,
  }));
}

/**
 * All of them as one.
 * @throws MailError as `namedSources`
 */
export function configuredSecrets(settings: Settings, embedded: SecretSource, log: Log): SecretSource {
  const sources = namedSources(settings, embedded, log).map(({ source }) => source);
  const [only, ...others] = sources;
  return only !== undefined && others.length === 0 ? only : new SecretSources(sources);
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
      : firstLine(settings.sasl_ldapdb_pw_file),
  };
}

function firstLine(path: string): string {
  try {
    return (readFileSync(path, 'utf8').split(/\r?\n/, 1)[0]) ?? '';
  } catch (thrown) {
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    throw new MailError('server', 'config', `ldapdb.pw_file: the password cannot be read: ${text}`, thrown);
  }
}
