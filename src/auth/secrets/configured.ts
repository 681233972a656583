/** The sources of secrets a configuration names. */

import { readFileSync } from 'node:fs';
import { directoryAddress } from '../../config/directoryaddress.ts';
import type { Settings } from '../../config/settings.ts';
import { MailError } from '../../errors.ts';
import type { Log } from '../../telemetry/log.ts';
import type { DirectoryAccess } from '../ldap/connection.ts';
import { LdapDirectory } from '../ldap/directory.ts';
import { canonicalUser } from '../canonical.ts';
import type { Checkers } from '../checker/pool.ts';
import { CachedSource } from './cached.ts';
import { type LdapPlace, LdapSecrets } from './ldap.ts';
import { LdapdbSecrets } from './ldapdb.ts';
import { PamSecrets } from './pam.ts';
import { PasswdFileSecrets } from './passwdfile.ts';
import { Proofs } from './proofs.ts';
import { SaslauthdSecrets } from './saslauthd.ts';
import { type Learn, LearnedSource } from './transition.ts';
import type { SecretSource } from './source.ts';
import { SecretSources } from './sources.ts';

/** A source and what the configuration calls it. */
export interface NamedSource {
  readonly name: string;
  readonly source: SecretSource;
}

/** What sources need of the process they are in. */
export interface SourceSurroundings {
  /** The store's own secrets. */
  readonly embedded: SecretSource;
  /** For hashes of crypt(3) and PAM. */
  readonly checkers: Checkers;
  /** Keeps passwords that other sources found right (`sasl_auto_transition`). */
  readonly learn?: Learn | undefined;
  readonly log: Log;
}

/**
 * Each source, in the order they are asked. Nothing is connected to yet.
 * @throws MailError 'config' for a file that cannot be read
 */
export function namedSources(settings: Settings, surroundings: SourceSurroundings): readonly NamedSource[] {
  const proofs = new Proofs(undefined, settings.sasl_cache_life);
  return settings.sasl_pwcheck_method
    .flatMap((method) => method === 'auxprop' ? settings.sasl_auxprop_plugin : [method])
    .map((name) => ({ name, source: one(name, settings, surroundings, proofs) }));
}

/**
 * All of them as one.
 * @throws MailError as `namedSources`
 */
export function configuredSecrets(settings: Settings, surroundings: SourceSurroundings): SecretSource {
  const sources = namedSources(settings, surroundings).map(({ source }) => source);
  const [only, ...others] = sources;
  return only !== undefined && others.length === 0 ? only : new SecretSources(sources);
}

function one(
  name: string,
  settings: Settings,
  { embedded, checkers, learn, log }: SourceSurroundings,
  proofs: Proofs,
): SecretSource {
  const learned = (source: SecretSource) =>
    learn === undefined ? source : new LearnedSource(source, embedded, learn);
  const cached = (source: SecretSource) =>
    settings.sasl_cache_life === 0 ? source : new CachedSource(source, name, proofs);
  switch (name) {
    case 'ldapdb':
      return cached(new LdapdbSecrets(new LdapDirectory(ldapdbAccess(settings), log), log, checkers.crypt));
    case 'ldap': {
      const access = ldapAccess(settings);
      return cached(
        learned(new LdapSecrets(new LdapDirectory(access, log), access, ldapPlace(settings), log)),
      );
    }
    case 'saslauthd':
      return cached(learned(new SaslauthdSecrets(settings.sasl_saslauthd_path, log)));
    case 'pam':
      return cached(
        learned(
          new PamSecrets(checkers, { service: settings.pam_service, confdir: settings.pam_confdir }, log),
        ),
      );
    case 'passwd-file':
      return learned(
        new PasswdFileSecrets(
          settings.passwd_file,
          (login) => useridOf(login, settings),
          checkers.crypt,
          log,
        ),
      );
    default:
      return embedded;
  }
}

/** The userid of a name in a file, null where nobody can be called so. */
function useridOf(login: string, settings: Settings): string | null {
  try {
    return canonicalUser(login, settings, { interfaceDomain: '' });
  } catch {
    return null;
  }
}

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

/** @throws MailError 'config' */
export function firstLine(option: string, path: string): string {
  try {
    return (readFileSync(path, 'utf8').split(/\r?\n/, 1)[0]) ?? '';
  } catch (thrown) {
    const text = thrown instanceof Error ? thrown.message : String(thrown);
    throw new MailError('server', 'config', `${option}: the password cannot be read: ${text}`, thrown);
  }
}
