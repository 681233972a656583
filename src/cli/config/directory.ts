/** Directories asked as the server would ask them, step by step, so that the first step that fails says what to do. */

import type { Entry } from 'ldapts';
import { type DirectoryAccess, DirectoryConnection } from '../../auth/ldap/connection.ts';
import { type DirectoryFailure, directoryFailure } from '../../auth/ldap/failure.ts';
import { ProxiedAuthorization } from '../../auth/ldap/proxied.ts';
import { ldapAccess, ldapdbAccess, ldapPlace } from '../../auth/ldap/configured.ts';
import { findUser } from '../../auth/secrets/ldap.ts';
import type { Settings } from '../../config/settings.ts';
import { failed, type LiveFinding, passed } from './finding.ts';

const PROXIED_AUTHORIZATION = '2.16.840.1.113730.3.4.18';

/** ldapdb: the technical user binds, may act for others, and they may read their own password. */
export async function* checkLdapdb(
  settings: Settings,
  user: string | undefined,
): AsyncGenerator<LiveFinding> {
  for await (const bound of eachDirectory('ldapdb', ldapdbAccess(settings))) {
    if (!('connection' in bound)) {
      yield bound;
      continue;
    }
    const { connection, controls, place } = bound;
    try {
      if (controls.length > 0 && !controls.includes(PROXIED_AUTHORIZATION)) {
        yield failed(
          'ldapdb',
          `${place}: it does not offer proxied authorization (RFC 4370), which ldapdb needs`,
        );
      }
      const own = await connection.whoAmI();
      if (/,cn=auth$/i.test(own)) {
        yield failed(
          'ldapdb',
          `${place}: ${own} is no entry: olcAuthzRegexp must turn login names into entries`,
        );
      } else yield passed('ldapdb', `${place}: bound as ${own === '' ? 'nobody' : own}`);
      if (user !== undefined) yield* actFor(connection, place, user);
      else yield* ownRights(connection, place, own);
    } catch (thrown) {
      yield failed('ldapdb', directoryFailure(thrown, place).message);
    } finally {
      await connection.close();
    }
  }
}

/** Whether the entry of the technical user says for whom it may act. */
async function* ownRights(
  connection: DirectoryConnection,
  place: string,
  own: string,
): AsyncGenerator<LiveFinding> {
  const [entry] = await connection.search({
    base: own,
    scope: 'base',
    filter: '(objectclass=*)',
    attributes: ['authzTo'],
    sizeLimit: 1,
  });
  const values = valuesOf(entry, 'authzTo');
  yield values.length > 0
    ? passed('ldapdb', `${place}: authzTo: ${values.join(' ')}; --user NAME tries it${searching(values)}`)
    : failed(
      'ldapdb',
      `${place}: ${own} may act for nobody: its entry needs authzTo, and the directory olcAuthzPolicy "to"`,
    );
}

/** What to know of rules that are searches: OpenLDAP reads what they find entry by entry, up to the user, at each login. */
function searching(rules: readonly string[]): string {
  return rules.some((rule) => /^ldap:.*\?(?:sub|one|children)\?/i.test(rule))
    ? '. With many thousands of users write dn.children:BASE in its place: OpenLDAP walks through the entries of a search'
    : '';
}

async function* actFor(
  connection: DirectoryConnection,
  place: string,
  user: string,
): AsyncGenerator<LiveFinding> {
  const as = new ProxiedAuthorization(`u:${user}`);
  let dn: string;
  try {
    dn = await connection.whoAmI(as);
  } catch (thrown) {
    const failure = directoryFailure(thrown, place);
    if (failure.kind !== 'denied') throw failure;
    yield failed(
      'ldapdb',
      `${place}: acting for ${user} is not allowed: there must be such an entry, authzTo of the technical user must cover it, ` +
        'and olcAuthzPolicy be "to"',
    );
    return;
  }
  yield passed('ldapdb', `${place}: may act for ${user}, who is ${dn}`);
  let values: readonly string[] = [];
  try {
    const [entry] = await connection.search({
      base: dn,
      scope: 'base',
      filter: '(objectclass=*)',
      attributes: ['userPassword'],
      sizeLimit: 1,
    }, as);
    values = valuesOf(entry, 'userPassword');
  } catch (thrown) {
    const failure = directoryFailure(thrown, place);
    if (failure.kind !== 'missing') throw failure;
  }
  if (values.length === 0) {
    yield failed(
      'ldapdb',
      `${place}: ${dn} cannot read its own userPassword: it needs one, and an access rule "by self read" or "write"`,
    );
  } else if (values.every((value) => /^\{(?!CLEAR|PLAIN)/i.test(value))) {
    yield passed(
      'ldapdb',
      `${place}: its userPassword is hashed: PLAIN and LOGIN work, challenge and response does not`,
    );
  } else yield passed('ldapdb', `${place}: its userPassword can be read`);
}

/** ldap: the search binds, and finds the user. */
export async function* checkLdap(settings: Settings, user: string | undefined): AsyncGenerator<LiveFinding> {
  for await (const bound of eachDirectory('ldap', ldapAccess(settings))) {
    if (!('connection' in bound)) {
      yield bound;
      continue;
    }
    const { connection, place } = bound;
    try {
      yield passed(
        'ldap',
        `${place}: bound as ${settings.ldap_bind_dn === '' ? 'nobody' : settings.ldap_bind_dn}`,
      );
      if (user === undefined) continue;
      const dn = await findUser(connection, ldapPlace(settings), user);
      yield dn === null
        ? failed(
          'ldap',
          `${place}: no entry is found for ${user}: ldap.base and ldap.filter decide, and what ` +
            'ldap.bind_dn may see',
        )
        : passed('ldap', `${place}: ${user} is ${dn}`);
    } catch (thrown) {
      yield failed('ldap', directoryFailure(thrown, place).message);
    } finally {
      await connection.close();
    }
  }
}

interface Bound {
  readonly connection: DirectoryConnection;
  readonly controls: readonly string[];
  readonly place: string;
}

/** Every address by itself: what it offers, then a bound connection, or why there is none. */
async function* eachDirectory(source: string, access: DirectoryAccess): AsyncGenerator<Bound | LiveFinding> {
  for (const address of access.addresses) {
    const one = { ...access, addresses: [address] };
    const place = address.text;
    let controls: readonly string[] = [];
    try {
      const stranger = await DirectoryConnection.open({ ...one, mechanism: 'simple', id: '', password: '' });
      const [root] = await stranger.search({
        base: '',
        scope: 'base',
        filter: '(objectclass=*)',
        attributes: ['supportedSASLMechanisms', 'supportedControl'],
        sizeLimit: 1,
      });
      await stranger.close();
      controls = valuesOf(root, 'supportedControl');
      const mechanisms = valuesOf(root, 'supportedSASLMechanisms');
      yield passed(
        source,
        `${place}: it offers ${mechanisms.length === 0 ? 'no mechanism of SASL' : mechanisms.join(' ')}`,
      );
      const wanted = access.mechanism.toUpperCase();
      if (wanted !== 'SIMPLE' && !mechanisms.includes(wanted)) {
        yield failed(
          source,
          `${place}: ${wanted} is not among them; choose another mech, or install it there (Debian: libsasl2-modules)`,
        );
        continue;
      }
    } catch (thrown) {
      const failure = directoryFailure(thrown, place);
      if (failure.kind === 'unreachable') {
        yield failed(source, `${failure.message}; ${reach(failure)}`);
        continue;
      }
      // It says nothing to strangers; a bind tells the rest.
    }
    try {
      yield { connection: await DirectoryConnection.open(one), controls, place };
    } catch (thrown) {
      const failure = directoryFailure(thrown, place);
      yield failed(source, failure.kind === 'credentials' ? refused(source, place, access) : failure.message);
    }
  }
}

function reach({ message }: DirectoryFailure): string {
  if (/certificate|self.signed|altname/i.test(message)) {
    return 'name the authority of its certificate by ca_file, and the directory by the name in the certificate';
  }
  return /refused/i.test(message)
    ? 'is the directory running there?'
    : 'is it there, and no firewall between?';
}

function refused(source: string, place: string, { id, mechanism }: DirectoryAccess): string {
  const clear = /^(?:digest|cram|scram)/i.test(mechanism)
    ? ` For ${mechanism} the directory must have its password as it is (olcPasswordHash {CLEARTEXT}), and olcAuthzRegexp must find it.`
    : '';
  const who = source === 'ldapdb' ? 'ldapdb.id and its password' : 'ldap.bind_dn and its password';
  return `${place}: the bind as ${id === '' ? 'nobody' : id} is refused: check ${who}.${clear}`;
}

function valuesOf(entry: Entry | undefined, attribute: string): readonly string[] {
  const value = entry?.[attribute] ?? [];
  return (Array.isArray(value) ? value : [value]).map((one) =>
    typeof one === 'string' ? one : one.toString('utf8')
  );
}
