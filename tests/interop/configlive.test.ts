/** `config check --live` against Debian's slapd, right and wrong in each of the ways the how-to can be followed wrongly. */

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../harness/command.ts';
import { MANAGER, SUFFIX, TECHNICAL, TestDirectory } from '../harness/directory.ts';
import { userName } from '../harness/processes.ts';
import { mailstoreCommand } from '../harness/server.ts';

const PEOPLE = { django: 'Pencil-2012!', hashed: '{SSHA}MTVk7pvz7Rl0SVWHYXJr0hQ4WzJrYXNk' };

let dir: string;
let directory: TestDirectory;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'mailstore-live-'));
  chmodSync(dir, 0o755);
  directory = await TestDirectory.start({ people: PEOPLE });
});
afterAll(async () => {
  await directory.dispose();
  rmSync(dir, { recursive: true, force: true });
});

/** What the command says of a configuration: exit code, what is right, what is not. */
async function check(config: string, ...more: readonly string[]) {
  const file = join(dir, 'mailstore.toml');
  writeFileSync(file, `[server]\nuser = "${userName()}"\n${config}`, { mode: 0o640 });
  const [program = '', ...args] = mailstoreCommand();
  const { code, stdout, stderr } = await run(program, [
    ...args,
    'config',
    'check',
    '--live',
    '-c',
    file,
    ...more,
  ]);
  return { code, right: stdout, wrong: stderr };
}

const ldapdb = (uri: string, lines = `pw = "${TECHNICAL.password}"\n`) =>
  `[auth]\nsasl_auxprop_plugin = ["ldapdb"]\n[ldapdb]\nuri = ["${uri}"]\nid = "${TECHNICAL.id}"\n${lines}`;

describe('ldapdb', () => {
  test('set up as the how-to says: what is offered, who binds, for whom it acts', async () => {
    const { code, right, wrong } = await check(ldapdb(directory.uri), '--user', 'django');
    expect([code, wrong]).toEqual([0, '']);
    // The how-to's ldapsearch for supportedSASLMechanisms.
    expect(right).toMatch(/ldapdb: ldap:\S+: it offers .*DIGEST-MD5/);
    // slapd writes DNs in its own way.
    const said = right.toLowerCase();
    expect(said).toContain(`bound as uid=${TECHNICAL.id},${SUFFIX}`.toLowerCase());
    expect(said).toContain(`may act for django, who is uid=django,ou=people,${SUFFIX}`);
    expect(right).toContain('its userPassword can be read');
    expect((await check(ldapdb(directory.uri), '--user', 'hashed')).right).toContain(
      'its userPassword is hashed',
    );
    const { right: own } = await check(ldapdb(directory.uri));
    expect(own).toContain('authzTo: ldap:///dc=nausch,dc=org??sub?');
    expect(own).toContain('With many thousands of users write dn.children:BASE in its place');
  });

  test('what is wrong comes with what to do about it', async () => {
    const secret = await check(ldapdb(directory.uri, 'pw = "wrong"\n'));
    expect(secret.code).toBe(69);
    expect(secret.wrong).toMatch(
      /the bind as SASLAuthenticationUser is refused: check ldapdb\.id.*\{CLEARTEXT\}/,
    );
    expect((await check(ldapdb(directory.uri), '--user', 'nobody')).wrong).toContain(
      'acting for nobody is not allowed',
    );
    expect((await check(ldapdb('ldap://127.0.0.1:1'))).wrong).toContain('is the directory running there?');
  });

  test('steps of the how-to that were left out', async () => {
    for (
      const [without, lines] of [
        ['authzTo', /its entry needs authzTo|acting for django is not allowed/],
        ['access', /cannot read its own userPassword/],
      ] as const
    ) {
      const half = await TestDirectory.start({ people: PEOPLE, without });
      try {
        const { code, wrong } = await check(ldapdb(half.uri), '--user', 'django');
        expect([without, code]).toEqual([without, 69]);
        expect(wrong).toMatch(lines);
      } finally {
        await half.dispose();
      }
    }
  });
});

test('a directory with a certificate nobody knows', async () => {
  const [cert, key] = [join(dir, 'c.pem'), join(dir, 'k.pem')];
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert],
  ]);
  const secured = await TestDirectory.start({ people: PEOPLE, certificate: { cert, key } });
  try {
    const uri = `ldaps://localhost:${secured.tlsPort}`;
    const { code, wrong } = await check(ldapdb(uri));
    expect(code).toBe(69);
    expect(wrong).toContain('name the authority of its certificate by ca_file');
    const known = await check(
      ldapdb(uri, `pw = "${TECHNICAL.password}"\nca_file = "${cert}"\n`),
      '--user',
      'django',
    );
    expect([known.code, known.wrong]).toEqual([0, '']);
  } finally {
    await secured.dispose();
  }
});

test('the other sources', async () => {
  const file = join(dir, 'users');
  writeFileSync(file, 'anna:$6$abc$def\n', { mode: 0o644 });
  const pam = join(dir, 'pam.d');
  const config = (base: string, users: string) =>
    `[auth]\nsasl_pwcheck_method = ["ldap", "saslauthd", "pam", "passwd-file"]\npts_module = "ldap"\n` +
    `sasl_saslauthd_path = "${dir}/mux"\npam_confdir = "${pam}"\npasswd_file = "${users}"\n` +
    `[ldap]\nuri = ["${directory.uri}"]\nbase = "${base}"\nbind_dn = "${MANAGER.dn}"\nbind_pw = "${MANAGER.password}"\n` +
    `[oauth]\nintrospection_url = "http://127.0.0.1:1/"\n`;
  const { code, right, wrong } = await check(config(`ou=People,${SUFFIX}`, file), '--user', 'django');
  expect(code).toBe(69);
  expect(right).toContain(`ldap: ${directory.uri}: django is uid=django,ou=People,${SUFFIX}`);
  expect(right).toContain(`passwd-file: ${file}: 1 users`);
  expect(right).toContain('groups: django is in no group');
  expect(wrong).toContain(`saslauthd: ${dir}/mux: ENOENT; is saslauthd running`);
  expect(wrong).toContain(`pam: ${pam}/imap is missing`);
  expect(wrong).toContain('oauth: http://127.0.0.1:1/: ');
  const odd = await check(config(`ou=Group,${SUFFIX}`, '/nowhere'), '--user', 'django');
  expect(odd.wrong).toContain('no entry is found for django');
  expect(odd.wrong).toContain('passwd-file: /nowhere cannot be read');
});
