/** `mailstore config check --live`: asks every configured source of secrets, groups and keys whether it would answer. */

import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { configuredGroups } from '../../auth/groups/configured.ts';
import { fetchJson } from '../../auth/oauth/http.ts';
import { configuredTokens } from '../../auth/oauth/tokens.ts';
import type { Checkers } from '../../auth/checker/pool.ts';
import { passwdLines } from '../../auth/secrets/passwdfile.ts';
import { serviceName } from '../../auth/servicename.ts';
import type { Settings } from '../../config/settings.ts';
import { asMailError } from '../../errors.ts';
import { silentLog } from '../../telemetry/log.ts';
import { checkLdap, checkLdapdb } from './directory.ts';
import { failed, type LiveFinding, passed } from './finding.ts';

/** What can be asked for besides. */
export interface LiveOptions {
  /** A user whose way through the sources is tried, canonical; undefined for none. */
  readonly user: string | undefined;
  readonly checkers: Pick<Checkers, 'ask'>;
}

/** Asks all, one after the other; a source that cannot be asked is a finding. */
export async function* checkLive(settings: Settings, options: LiveOptions): AsyncGenerator<LiveFinding> {
  for (const method of settings.sasl_pwcheck_method) {
    if (method === 'ldap') yield* checkLdap(settings, options.user);
    if (method === 'saslauthd') yield await checkSaslauthd(settings);
    if (method === 'pam') yield* checkPam(settings);
    if (method === 'passwd-file') yield await checkPasswdFile(settings);
    if (method === 'auxprop' && settings.sasl_auxprop_plugin.includes('ldapdb')) {
      yield* checkLdapdb(settings, options.user);
    }
  }
  if (settings.pts_module === 'ldap' && !settings.sasl_pwcheck_method.includes('ldap')) {
    yield* checkLdap(settings, options.user);
  }
  if (options.user !== undefined && (settings.pts_module === 'ldap' || settings.unix_group_enable)) {
    yield await checkGroups(settings, options.user, options.checkers);
  }
  yield* checkOauth(settings);
}

function checkSaslauthd({ sasl_saslauthd_path: path }: Settings): Promise<LiveFinding> {
  const folder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const socket = folder ? join(path, 'mux') : path;
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once('connect', () => {
      connection.destroy();
      resolve(passed('saslauthd', `${socket}: it takes connections`));
    });
    connection.once('error', (error: NodeJS.ErrnoException) => {
      const remedy = error.code === 'EACCES'
        ? 'add the user of the server to the group of its folder (Debian: adduser mailstore sasl)'
        : 'is saslauthd running, and is auth.sasl_saslauthd_path its socket?';
      resolve(failed('saslauthd', `${socket}: ${error.code ?? error.message}; ${remedy}`));
    });
  });
}

function* checkPam(settings: Settings): Generator<LiveFinding> {
  const folder = settings.pam_confdir === '' ? '/etc/pam.d' : settings.pam_confdir;
  const protocols = new Set(settings.services.map(({ protocol }) => protocol as string));
  const services = settings.pam_service === ''
    ? [...protocols].filter((name) => name !== 'lmtp').map(serviceName)
    : [settings.pam_service];
  for (const service of services) {
    const file = join(folder, service);
    yield existsSync(file) ? passed('pam', `${file} is there`) : failed(
      'pam',
      `${file} is missing: PAM takes ${folder}/other, which lets nobody in; make the file, or name one service ` +
        'for all by auth.pam_service',
    );
  }
}

async function checkPasswdFile({ passwd_file: file }: Settings): Promise<LiveFinding> {
  try {
    const users = passwdLines(await readFile(file, 'utf8')).length;
    return users > 0
      ? passed('passwd-file', `${file}: ${users} users`)
      : failed('passwd-file', `${file} has no line name:hash with a hash that can be checked`);
  } catch (thrown) {
    return failed(
      'passwd-file',
      `${file} cannot be read: ${reasonOf(thrown)}; the user of the server must be able to`,
    );
  }
}

async function checkGroups(
  settings: Settings,
  user: string,
  checkers: LiveOptions['checkers'],
): Promise<LiveFinding> {
  const groups = configuredGroups(settings, checkers, silentLog);
  const identity = await groups.identify({ userid: user, admin: false, groups: [] });
  if (identity.groupsUnknown) {
    return failed('groups', `those of ${user} cannot be told; what is wrong is said above`);
  }
  const names = identity.groups.length === 0
    ? 'no group'
    : identity.groups.map((name) => `group:${name}`).join(' ');
  return passed('groups', `${user} is in ${names}`);
}

async function* checkOauth(settings: Settings): AsyncGenerator<LiveFinding> {
  const { oauth_jwks_url: url, oauth_jwks_file: file, oauth_introspection_url: asked, oauth_ca_file: ca } =
    settings;
  if (url !== '' || file !== '') {
    const place = url === '' ? file : url;
    try {
      const value = url === '' ? JSON.parse(await readFile(file, 'utf8')) : await fetchJson(url, {}, ca);
      const keys: unknown = value?.keys;
      yield Array.isArray(keys) && keys.length > 0
        ? passed('oauth', `${place}: ${keys.length} keys`)
        : failed('oauth', `${place} is no set of keys; it must be the provider's jwks_uri`);
    } catch (thrown) {
      yield failed('oauth', `${place}: ${reasonOf(thrown)}`);
    }
  }
  if (asked === '') return;
  try {
    // Nobody's: a provider that answers says that it is not active.
    const only = { ...settings, oauth_jwks_url: '', oauth_jwks_file: '' };
    await configuredTokens(only).userOf('config-check');
    yield passed('oauth', `${asked}: it answers`);
  } catch (thrown) {
    yield failed(
      'oauth',
      `${asked}: ${reasonOf(thrown)}; oauth.client_id and its secret must be allowed to ask there`,
    );
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : asMailError(thrown).message;
}
