/** The sources of secrets a configuration names. */

import type { Settings } from '../../config/settings.ts';
import type { Log } from '../../telemetry/log.ts';
import { ldapAccess, ldapdbAccess, ldapPlace } from '../ldap/configured.ts';
import { LdapDirectory } from '../ldap/directory.ts';
import { canonicalUser } from '../canonical.ts';
import type { Checkers } from '../checker/pool.ts';
import { CachedSource } from './cached.ts';
import { LdapSecrets } from './ldap.ts';
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
