/** The how-to's directory: Debian's slapd set up as written there, and logins against it with every mechanism. */

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LdapDirectory } from '../../src/auth/ldap/directory.ts';
import { ldapdbAccess } from '../../src/auth/ldap/configured.ts';
import { LdapdbSecrets } from '../../src/auth/secrets/ldapdb.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { MailError } from '../../src/errors.ts';
import { type LogLine, recordingLog } from '../lmtp/peer.ts';
import { Authority, type Issued } from '../harness/authority.ts';
import { run } from '../harness/command.ts';
import { MANAGER, SUFFIX, TECHNICAL, TestDirectory } from '../harness/directory.ts';
import { TestStore } from '../harness/server.ts';

const PEOPLE = {
  django: 'Pencil-2012!',
  inge: 'gänsefüßchen',
  hashed: '{SSHA}MTVk7pvz7Rl0SVWHYXJr0hQ4WzJrYXNk',
};

let store: TestStore;
let directory: TestDirectory;

beforeAll(async () => {
  directory = await TestDirectory.start({ people: PEOPLE });
  store = await TestStore.start({
    config: {
      mailbox: { autocreatequota: '"2G"' },
      auth: {
        sasl_auxprop_plugin: '"ldapdb"',
        sasl_mech_list: '["DIGEST-MD5", "CRAM-MD5", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN"]',
      },
      ldapdb: {
        uri: `["${directory.uri}"]`,
        id: `"${TECHNICAL.id}"`,
        pw: `"${TECHNICAL.password}"`,
        mech: '"digest-md5"',
      },
    },
  });
});
afterAll(async () => {
  await store.dispose();
  await directory.dispose();
});

async function imtest(mechanism: string, user: string, password: string): Promise<string> {
  const tls = mechanism === 'PLAIN' || mechanism === 'login' ? ['-t', ''] : [];
  const { stdout } = await run('/usr/lib/cyrus/bin/imtest', [
    '-p',
    String(store.ports.imap),
    '-m',
    mechanism,
    ...tls,
    '-a',
    user,
    '-w',
    password,
    'localhost',
  ], { input: '01 SELECT INBOX\r\n02 LOGOUT\r\n' });
  return stdout;
}

for (const mechanism of ['DIGEST-MD5', 'CRAM-MD5', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN', 'login']) {
  test(`${mechanism} with the secret from the directory`, async () => {
    const said = await imtest(mechanism, 'django', PEOPLE.django);
    expect(said).toContain('Authenticated.');
    expect(said).toMatch(/\r?\n01 OK \[READ-WRITE\]/);
    expect(await imtest(mechanism, 'django', 'wrong')).toMatch(/NO \[AUTHENTICATIONFAILED\]/);
  });
}

test('unknown users and names made of filters fail like a wrong password', async () => {
  for (const user of ['nobody', '*', 'a*)(uid=*', 'uid=inge,ou=People,dc=nausch,dc=org']) {
    expect(await imtest('PLAIN', user, PEOPLE.django)).toMatch(/NO \[AUTHENTICATIONFAILED\]/);
  }
});

/** ldapdb as a test drives it, with its log. */
function ldapdb(uri: string, given: Partial<Parameters<typeof makeSettings>[0]> = {}) {
  const lines: LogLine[] = [];
  const log = recordingLog(lines);
  const settings = makeSettings({
    sasl_ldapdb_uri: [uri],
    sasl_ldapdb_id: TECHNICAL.id,
    sasl_ldapdb_pw: TECHNICAL.password,
    ...given,
  });
  const pool = new LdapDirectory(ldapdbAccess(settings), log);
  return { secrets: new LdapdbSecrets(pool, log), pool, lines };
}

async function failure(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
  } catch (thrown) {
    if (thrown instanceof MailError) return thrown.code;
    throw thrown;
  }
  return 'answered';
}

describe('the technical user', () => {
  for (const mech of ['digest-md5', 'cram-md5', 'scram-sha-256', 'scram-sha-1'] as const) {
    test(`binds by ${mech}`, async () => {
      const { secrets, pool } = ldapdb(directory.uri, { sasl_ldapdb_mech: mech });
      expect(await secrets.secret('inge')).toEqual({ plain: PEOPLE.inge });
      await pool.close();
    });
  }

  test('binds by name and password, and over ldapi', async () => {
    const dn = `uid=${TECHNICAL.id},${SUFFIX}`;
    const { secrets, pool } = ldapdb(directory.ldapi, { sasl_ldapdb_mech: 'simple', sasl_ldapdb_id: dn });
    expect(await secrets.secret('django')).toEqual({ plain: PEOPLE.django });
    await pool.close();
  });

  test('with a wrong password is no answer about a user', async () => {
    const { secrets, lines } = ldapdb(directory.uri, { sasl_ldapdb_pw: 'wrong' });
    expect(await failure(() => secrets.verify('django', PEOPLE.django))).toBe('unavailable');
    expect(JSON.stringify(lines)).toContain('ldapdb cannot tell');
    expect(JSON.stringify(lines)).not.toContain('wrong');
  });

  test('a hashed password checks what PLAIN brings and serves no challenge', async () => {
    const { secrets, pool } = ldapdb(directory.uri);
    await directory.modify(
      `dn: uid=hashed,ou=People,${SUFFIX}\nchangetype: modify\nreplace: userPassword\n` +
        `userPassword: {SSHA}${ssha('pencil', 'salt')}\n`,
    );
    expect(await secrets.verify('hashed', 'pencil')).toBe(true);
    expect(await secrets.verify('hashed', 'pencils')).toBe(false);
    expect(await secrets.secret('hashed')).toEqual({});
    await pool.close();
  });
});

test('without authzTo nobody gets in, the answer is temporary and the log says why', async () => {
  const closed = await TestDirectory.start({ people: PEOPLE, without: 'authzTo' });
  try {
    const { secrets, pool, lines } = ldapdb(closed.uri);
    expect(await failure(() => secrets.verify('django', PEOPLE.django))).toBe('unavailable');
    expect(await failure(() => secrets.secret('django'))).toBe('unavailable');
    expect(JSON.stringify(lines)).toContain('its entry needs authzTo');
    await pool.close();
  } finally {
    await closed.dispose();
  }
});

test('without the access rule the answer is temporary and the log says why', async () => {
  const closed = await TestDirectory.start({ people: PEOPLE, without: 'access' });
  try {
    const { secrets, pool, lines } = ldapdb(closed.uri);
    expect(await failure(() => secrets.verify('django', PEOPLE.django))).toBe('unavailable');
    expect(JSON.stringify(lines)).toMatch(/by self read|missing|no such object/i);
    await pool.close();
  } finally {
    await closed.dispose();
  }
});

describe('TLS to the directory', () => {
  const certificate = () => ({ cert: store.certificate, key: store.certificate.replace(/\.pem$/, '.key') });

  test('StartTLS and ldaps, checked against the authority', async () => {
    const secured = await TestDirectory.start({ people: PEOPLE, certificate: certificate() });
    try {
      for (
        const [uri, starttls] of [
          [secured.uri.replace('127.0.0.1', 'localhost'), 'demand'],
          [`ldaps://localhost:${secured.tlsPort}`, 'off'],
        ] as const
      ) {
        const given = { sasl_ldapdb_starttls: starttls };
        const known = ldapdb(uri, { ...given, sasl_ldapdb_ca_file: store.certificate });
        expect(await known.secrets.secret('django')).toEqual({ plain: PEOPLE.django });
        await known.pool.close();
        const unknown = ldapdb(uri, given);
        expect(await failure(() => unknown.secrets.secret('django'))).toBe('unavailable');
      }
    } finally {
      await secured.dispose();
    }
  });

  test('binds by PLAIN under TLS; by EXTERNAL with a certificate, and over ldapi as the peer', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mailstore-ldapdb-'));
    const secured = await TestDirectory.start({ people: PEOPLE, certificate: certificate() });
    try {
      const authority = new Authority(folder, 'clients');
      const own = authority.issue('technical', { subject: `/CN=${TECHNICAL.id}` });
      const stranger = authority.issue('stranger', { subject: '/CN=somebody' });
      // Whose certificate, or which user of the system, is the technical user.
      const technical = `uid=${TECHNICAL.id},${SUFFIX}`;
      await secured.modify(
        'dn: cn=config\nchangetype: modify\nadd: olcTLSCACertificateFile\n' +
          `olcTLSCACertificateFile: ${authority.cert}\n-\nreplace: olcTLSVerifyClient\nolcTLSVerifyClient: try\n-\n` +
          `add: olcAuthzRegexp\nolcAuthzRegexp: {0}^cn=saslauthenticationuser$ ${technical}\n` +
          `olcAuthzRegexp: {1}^gidNumber=0\\+uidNumber=0,cn=peercred,cn=external,cn=auth$ ${technical}\n`,
        'config',
      );
      const tls = { sasl_ldapdb_ca_file: store.certificate, sasl_ldapdb_starttls: 'demand' } as const;
      const uri = secured.uri.replace('127.0.0.1', 'localhost');
      const shown = ({ cert, key }: Issued) => ({ sasl_ldapdb_cert_file: cert, sasl_ldapdb_key_file: key });
      const external = { sasl_ldapdb_mech: 'external', sasl_ldapdb_id: '', sasl_ldapdb_pw: '' } as const;
      for (
        const [where, given] of [
          [uri, { ...tls, sasl_ldapdb_mech: 'plain' }],
          [uri, { ...tls, ...external, ...shown(own) }],
          [`ldaps://localhost:${secured.tlsPort}`, {
            ...external,
            ...shown(own),
            sasl_ldapdb_ca_file: store.certificate,
          }],
          [secured.ldapi, external],
        ] as const
      ) {
        const { secrets, pool } = ldapdb(where, given);
        expect([where, await secrets.secret('django')]).toEqual([where, { plain: PEOPLE.django }]);
        expect(await secrets.secret('nobody')).toBeNull();
        await pool.close();
      }
      for (const given of [{ ...tls, ...external, ...shown(stranger) }, { ...tls, ...external }]) {
        expect(await failure(() => ldapdb(uri, given).secrets.secret('django'))).toBe('unavailable');
      }
    } finally {
      await secured.dispose();
      rmSync(folder, { recursive: true });
    }
  });

  test('a directory without TLS is spoken to only where StartTLS is not demanded', async () => {
    const tried = ldapdb(directory.uri, { sasl_ldapdb_starttls: 'try' });
    expect(await tried.secrets.secret('django')).toEqual({ plain: PEOPLE.django });
    await tried.pool.close();
    const demanded = ldapdb(directory.uri, { sasl_ldapdb_starttls: 'demand' });
    expect(await failure(() => demanded.secrets.secret('django'))).toBe('unavailable');
  });
});

test('a directory that goes away and comes back', async () => {
  const own = await TestDirectory.start({ people: PEOPLE });
  const { secrets, pool } = ldapdb(own.uri);
  try {
    expect(await secrets.verify('django', PEOPLE.django)).toBe(true);
    await own.stop();
    expect(await failure(() => secrets.verify('django', PEOPLE.django))).toBe('unavailable');
    await own.run();
    expect(await secrets.verify('django', PEOPLE.django)).toBe(true);
  } finally {
    await pool.close();
    await own.dispose();
  }
});

test('what the directory offers is what the how-to lists', async () => {
  const { stdout } = await run('ldapsearch', [
    '-LLL',
    '-x',
    '-H',
    directory.uri,
    '-s',
    'base',
    '-b',
    '',
    '-D',
    MANAGER.dn,
    '-w',
    MANAGER.password,
    'supportedSASLMechanisms',
  ]);
  expect(stdout).toContain('supportedSASLMechanisms: DIGEST-MD5');
  expect(stdout).toContain('supportedSASLMechanisms: CRAM-MD5');
});

function ssha(password: string, salt: string): string {
  const digest = new Bun.CryptoHasher('sha1').update(password).update(salt).digest();
  return Buffer.concat([digest, Buffer.from(salt)]).toString('base64');
}
