/** Sources of secrets that are asked elsewhere: Cyrus's saslauthd, PAM, files of hashes, a directory by a bind. */

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LdapDirectory } from '../../src/auth/ldap/directory.ts';
import { ldapAccess, ldapPlace } from '../../src/auth/ldap/configured.ts';
import { LdapSecrets } from '../../src/auth/secrets/ldap.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { asMailError } from '../../src/errors.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { run, succeed } from '../harness/command.ts';
import { MANAGER, SUFFIX, TestDirectory } from '../harness/directory.ts';
import { ImapClient } from '../harness/imap.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';
import { Saslauthd } from './saslauthd_server.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'mailstore-sources-'));
  chmodSync(dir, 0o755);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What a login over IMAP is answered: 'OK', or the response code of the NO. */
async function login(store: TestStore, user: string, password: string): Promise<string> {
  const client = await ImapClient.connect({ port: store.ports.imap });
  try {
    await client.ok(`LOGIN "${user}" "${password}"`);
    return 'OK';
  } catch (thrown) {
    return /\[([A-Z]+)/.exec(thrown instanceof Error ? thrown.message : String(thrown))?.[1] ??
      String(thrown);
  } finally {
    client.destroy();
  }
}

/** All of these fail like a wrong password; at once, as each is answered late. */
async function refused(store: TestStore, pairs: readonly (readonly [string, string])[]): Promise<void> {
  const said = await Promise.all(pairs.map(async ([user, password]) => ({
    user,
    password,
    said: await login(store, user, password),
  })));
  expect(said).toEqual(
    pairs.map(([user, password]) => ({ user, password, said: 'AUTHENTICATIONFAILED' })),
  );
}

/** As `login`, over POP3 by curl. */
async function popLogin(store: TestStore, user: string, password: string): Promise<string> {
  const { code } = await run('curl', [
    '-sS',
    '--max-time',
    '20',
    '-u',
    `${user}:${password}`,
    `pop3://127.0.0.1:${store.ports.pop3}/`,
  ]);
  return code === 0 ? 'OK' : code === 67 ? 'AUTHENTICATIONFAILED' : `curl ${code}`;
}

describe('saslauthd', () => {
  let folder: string;
  let daemon: Saslauthd;
  let store: TestStore;

  /** Over a database of its own. */
  const startDaemon = async () => {
    daemon = await Saslauthd.start(folder, ['-a', 'sasldb']);
  };

  beforeAll(async () => {
    folder = join(dir, 'saslauthd');
    // saslauthd has no option for the path of its database, so the entry is one of a realm of the test's own.
    await succeed('saslpasswd2', ['-p', '-c', '-u', 'mailstore.test', 'anna'], { input: 'of-saslauthd\n' });
    await startDaemon();
    store = await TestStore.start({
      users: ['bert'],
      config: {
        server: { servername: '"imap.mailstore.test"', workers: '1' },
        auth: {
          sasl_pwcheck_method: '["saslauthd", "auxprop"]',
          sasl_saslauthd_path: `"${folder}"`,
          sasl_cache_life: '"0s"',
        },
        mailbox: { virtdomains: '"userid"' },
      },
    });
  });
  afterAll(async () => {
    await store.dispose();
    await daemon.stop();
    await run('saslpasswd2', ['-d', '-u', 'mailstore.test', 'anna']);
  });

  test('lets in who it knows, and the embedded secrets let in theirs', async () => {
    expect(await login(store, 'anna@mailstore.test', 'of-saslauthd')).toBe('OK');
    await refused(store, [
      ['anna@mailstore.test', 'wrong'],
      ['anna@mailstore.test', ''],
      ['nobody@mailstore.test', 'of-saslauthd'],
    ]);
    expect(await login(store, 'bert', PASSWORD)).toBe('OK');
  });

  test('that is down is a temporary failure for those only it may know', async () => {
    await daemon.stop();
    expect(await login(store, 'anna@mailstore.test', 'of-saslauthd')).toBe('UNAVAILABLE');
    expect(await login(store, 'bert', PASSWORD)).toBe('OK');
    expect(store.log).toContain('saslauthd cannot tell');
    await startDaemon();
    expect(await login(store, 'anna@mailstore.test', 'of-saslauthd')).toBe('OK');
  });
});

describe('saslauthd that asks elsewhere itself', () => {
  const PEOPLE = { django: 'Pencil-2012!', inge: '{SSHA}MTVk7pvz7Rl0SVWHYXJr0hQ4WzJrYXNk' };

  /** A store whose users are those of saslauthd alone. */
  const storeBehind = (daemon: Saslauthd) =>
    TestStore.start({
      config: {
        server: { workers: '1' },
        auth: {
          sasl_pwcheck_method: '"saslauthd"',
          sasl_saslauthd_path: `"${daemon.folder}"`,
          sasl_cache_life: '"0s"',
        },
        login: { failedloginpause: '"0s"' },
      },
    });

  test('-a rimap: another IMAP server, here a store of its own', async () => {
    const other = await TestStore.start({
      users: ['anna'],
      config: { server: { workers: '1' }, login: { failedloginpause: '"0s"' } },
    });
    const remote = `127.0.0.1/${other.ports.imap}`;
    const daemon = await Saslauthd.start(join(dir, 'rimap'), ['-a', 'rimap', '-O', remote]);
    const store = await storeBehind(daemon);
    try {
      expect(await login(store, 'anna', PASSWORD)).toBe('OK');
      await refused(store, [['anna', 'wrong'], ['nobody', PASSWORD], ['anna', '']]);
      expect(await popLogin(store, 'anna', PASSWORD)).toBe('OK');
      expect(other.log).toMatch(/msg="logged in" .* user=anna/);
      // What saslauthd cannot tell is no answer.
      await other.stop();
      expect(await login(store, 'anna', PASSWORD)).toBe('UNAVAILABLE');
      expect(store.log).toContain('saslauthd cannot tell');
    } finally {
      await store.dispose();
      await daemon.stop();
      await other.dispose();
    }
  });

  test('-a ldap: a directory that it searches and binds to', async () => {
    const directory = await TestDirectory.start({ people: PEOPLE });
    const file = join(dir, 'saslauthd.conf');
    writeFileSync(
      file,
      `ldap_servers: ${directory.uri}/\nldap_search_base: ou=People,${SUFFIX}\nldap_filter: (uid=%u)\n` +
        `ldap_bind_dn: ${MANAGER.dn}\nldap_bind_pw: ${MANAGER.password}\n`,
    );
    const daemon = await Saslauthd.start(join(dir, 'ldap'), ['-a', 'ldap', '-O', file]);
    const store = await storeBehind(daemon);
    try {
      expect(await login(store, 'django', PEOPLE.django)).toBe('OK');
      await refused(store, [['django', 'wrong'], ['nobody', PEOPLE.django], ['*', PEOPLE.django]]);
      expect(await popLogin(store, 'django', PEOPLE.django)).toBe('OK');
    } finally {
      await store.dispose();
      await daemon.stop();
      await directory.dispose();
    }
  });
});

describe('PAM', () => {
  let store: TestStore;
  const service = (name: string, ...lines: readonly string[]) =>
    writeFileSync(join(dir, 'pam.d', name), `${lines.join('\n')}\naccount required pam_permit.so\n`);

  beforeAll(async () => {
    mkdirSync(join(dir, 'pam.d'));
    const script = join(dir, 'check');
    writeFileSync(
      script,
      `#!/bin/sh\npassword=$(tr -d '\\000')\n[ "$PAM_SERVICE:$PAM_USER:$password" = imap:anna:of-pam ] || exit 1\n` +
        `printf '%s\\n' "$PAM_RHOST" >>'${dir}/asked'\n`,
      { mode: 0o755 },
    );
    writeFileSync(join(dir, 'asked'), '', { mode: 0o666 });
    chmodSync(join(dir, 'asked'), 0o666);
    service('imap', `auth sufficient pam_exec.so expose_authtok ${script}`, 'auth required pam_deny.so');
    service('pop', 'auth required pam_permit.so');
    store = await TestStore.start({
      users: ['bert'],
      config: {
        server: { workers: '1' },
        auth: {
          sasl_pwcheck_method: '["auxprop", "pam"]',
          pam_confdir: `"${join(dir, 'pam.d')}"`,
          sasl_cache_life: '"0s"',
        },
      },
    });
  });
  afterAll(() => store.dispose());

  test('decides by the service of the protocol', async () => {
    expect(await login(store, 'anna', 'of-pam')).toBe('OK');
    expect(await Bun.file(join(dir, 'asked')).text()).toBe('127.0.0.1\n');
    await refused(store, [
      ['anna', 'wrong'],
      ['cora', 'of-pam'],
    ]);
    // pam_permit lets everybody in, and still not without a password.
    expect(await popLogin(store, 'anna', 'whatever')).toBe('OK');
    expect(await login(store, 'bert', PASSWORD)).toBe('OK');
  });

  test('a module that is not there is no answer, and one that hangs keeps nobody else', async () => {
    service('imap', 'auth required pam_nosuchmodule.so');
    expect(await login(store, 'anna', 'of-pam')).toBe('UNAVAILABLE');
    expect(store.log).toContain('Module is unknown');
    const hang = join(dir, 'hang');
    await succeed('mkfifo', [hang]);
    service('imap', `auth required pam_exec.so expose_authtok ${join(dir, 'wait')}`);
    writeFileSync(join(dir, 'wait'), `#!/bin/sh\nread line <'${hang}'\n`, { mode: 0o755 });
    let answered = false;
    const hanging = login(store, 'anna', 'of-pam').then((answer) => {
      answered = true;
      return answer;
    });
    expect(await login(store, 'bert', PASSWORD)).toBe('OK');
    expect(answered).toBe(false);
    await succeed('sh', ['-c', `echo go >'${hang}'`]);
    expect(await hanging).toBe('OK');
  });
});

describe('a file of hashes', () => {
  let store: TestStore;
  let file: string;

  beforeAll(async () => {
    file = join(dir, 'users');
    const lines: string[] = ['# made by htpasswd and mkpasswd', 'locked:!:1000:1000::/:/bin/false'];
    for (const [user, option] of [['bcrypt', '-B'], ['apr1', '-m'], ['sha1', '-s'], ['des', '-d']] as const) {
      lines.push((await succeed('htpasswd', ['-nb', option, user, 'of-file'])).stdout.trim());
    }
    for (const method of ['yescrypt', 'sha512crypt', 'sha256crypt', 'md5crypt']) {
      const { stdout } = await succeed('mkpasswd', ['-m', method, 'of-file']);
      lines.push(`${method}:${stdout.trim()}:19000:0:99999:7:::`);
    }
    writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o644 });
    store = await TestStore.start({
      config: {
        server: { workers: '1' },
        auth: { sasl_pwcheck_method: '"passwd-file"', passwd_file: `"${file}"` },
      },
    });
  });
  afterAll(() => store.dispose());

  test('made by htpasswd and mkpasswd', async () => {
    const users = ['bcrypt', 'apr1', 'sha1', 'des', 'yescrypt', 'sha512crypt', 'sha256crypt', 'md5crypt'];
    const all = (password: string) => Promise.all(users.map((user) => login(store, user, password)));
    expect(await all('of-file')).toEqual(users.map(() => 'OK'));
    expect(await all('of-fil')).toEqual(users.map(() => 'AUTHENTICATIONFAILED'));
  });

  test('locked and missing users stay out; a change is noticed; a missing file is no answer', async () => {
    await refused(store, [
      ['locked', ''],
      ['locked', '!'],
      ['nobody', 'of-file'],
    ]);
    await succeed('htpasswd', ['-bB', file, 'bcrypt', 'new-one']);
    await succeed('htpasswd', ['-bB', file, 'nobody', 'of-file']);
    chmodSync(file, 0o644);
    expect(await login(store, 'bcrypt', 'new-one')).toBe('OK');
    await refused(store, [
      ['bcrypt', 'of-file'],
    ]);
    expect(await login(store, 'nobody', 'of-file')).toBe('OK');
    renameSync(file, `${file}.away`);
    expect(await login(store, 'bcrypt', 'new-one')).toBe('UNAVAILABLE');
    renameSync(`${file}.away`, file);
    expect(await login(store, 'bcrypt', 'new-one')).toBe('OK');
  });
});

test('passwords that a file of hashes found right are kept in the store, where that is wanted', async () => {
  const file = join(dir, 'moving');
  writeFileSync(file, (await succeed('htpasswd', ['-nbB', 'anna', 'of-file'])).stdout, { mode: 0o644 });
  const store = await TestStore.start({
    config: {
      server: { workers: '1' },
      auth: {
        sasl_pwcheck_method: '["auxprop", "passwd-file"]',
        passwd_file: `"${file}"`,
        sasl_auto_transition: '"yes"',
      },
    },
  });
  try {
    expect(await login(store, 'anna', 'of-file')).toBe('OK');
    while (!store.log.includes('password taken over')) await sleep(10);
    writeFileSync(file, '');
    expect(await login(store, 'anna', 'of-file')).toBe('OK');
    // Durable: it is there after the server was killed, for challenge and response, too.
    await store.killAll();
    await store.run();
    const { stdout } = await run('/usr/lib/cyrus/bin/imtest', [
      ...['-p', String(store.ports.imap), '-m', 'SCRAM-SHA-256', '-a', 'anna', '-w', 'of-file', 'localhost'],
    ], { input: '01 LOGOUT\r\n' });
    expect(stdout).toContain('Authenticated.');
  } finally {
    await store.dispose();
  }
}, 30_000);

describe('a directory by a bind', () => {
  const PEOPLE = { django: 'Pencil-2012!', inge: '{SSHA}MTVk7pvz7Rl0SVWHYXJr0hQ4WzJrYXNk', twin: 'one' };
  let directory: TestDirectory;
  let store: TestStore;

  beforeAll(async () => {
    directory = await TestDirectory.start({ people: PEOPLE });
    // A second entry with the same uid: neither of them may be the user.
    await directory.modify(
      `dn: uid=other,ou=People,${SUFFIX}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: other\nuid: twin\n` +
        'cn: other\nsn: other\nuserPassword: two\n',
    );
    store = await TestStore.start({
      users: ['bert'],
      config: {
        server: { workers: '1' },
        auth: { sasl_pwcheck_method: '["ldap", "auxprop"]', sasl_cache_life: '"0s"' },
        ldap: {
          uri: `["${directory.uri}"]`,
          base: `"ou=People,${SUFFIX}"`,
          filter: '"(&(objectClass=inetOrgPerson)(uid=%u))"',
          bind_dn: `"${MANAGER.dn}"`,
          bind_pw: `"${MANAGER.password}"`,
        },
      },
    });
  });
  afterAll(async () => {
    await store.dispose();
    await directory.dispose();
  });

  test('lets in exactly the one entry that is found', async () => {
    expect(await login(store, 'django', PEOPLE.django)).toBe('OK');
    await refused(store, [
      ['django', 'wrong'],
      // RFC 4513 §5.1.2: such a bind would succeed.
      ['django', ''],
    ]);
    // Which of two is meant nobody can tell: that is no wrong password.
    expect(await login(store, 'twin', 'one')).toBe('UNAVAILABLE');
    expect(await login(store, 'twin', 'two')).toBe('UNAVAILABLE');
    expect(store.log).toContain('ldap finds several entries');
    await refused(store, [
      ['nobody', PEOPLE.django],
    ]);
    expect(await login(store, 'bert', PASSWORD)).toBe('OK');
  });

  test('a name is never more than a value', async () => {
    const names = ['*', 'djang*', 'x)(uid=django', 'x)(|(uid=django))', 'uid=django', '\\64jango'];
    await refused(store, names.map((user) => [user.replace(/[\\"]/g, '\\$&'), PEOPLE.django]));
  });

  /** What a directory source says of django's password: right, wrong, or the code of the failure. */
  async function asked(given: Partial<Parameters<typeof makeSettings>[0]>): Promise<boolean | string> {
    const settings = makeSettings({
      ldap_uri: [directory.uri],
      ldap_base: `ou=People,${SUFFIX}`,
      ldap_bind_dn: MANAGER.dn,
      ldap_bind_pw: MANAGER.password,
      ...given,
    });
    const access = ldapAccess(settings);
    const pool = new LdapDirectory(access, silentLog);
    const source = new LdapSecrets(pool, access, ldapPlace(settings), silentLog);
    try {
      return await source.verify('django', PEOPLE.django);
    } catch (thrown) {
      return asMailError(thrown).code;
    } finally {
      await pool.close();
    }
  }

  test(
    'what is wrong with the directory is never a wrong password, and too many entries are never a user',
    async () => {
      expect(await asked({})).toBe(true);
      // A filter that finds everybody: the directory is asked for two entries, however many there are.
      const crowd = Array.from(
        { length: 2_000 },
        (_, index) =>
          `dn: uid=u${index},ou=People,${SUFFIX}\nchangetype: add\nobjectClass: inetOrgPerson\n` +
          `uid: u${index}\ncn: x\nsn: x\nuserPassword: ${PEOPLE.django}\n`,
      );
      await directory.modify(crowd.join('\n'));
      expect(await asked({ ldap_filter: '(|(uid=%u)(objectClass=*))' })).toBe('unavailable');
      // A referral that leads back to where it came from is not followed.
      await directory.modify(
        `dn: ou=Loop,${SUFFIX}\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\nou: Loop\n` +
          `ref: ${directory.uri}/ou=Loop,${SUFFIX}\n`,
      );
      expect(await asked({ ldap_base: `ou=Loop,${SUFFIX}` })).toBe('unavailable');
      expect(await asked({ ldap_base: SUFFIX })).toBe(true);
      // The search may not bind, the base is not there, the filter is none, the directory has no TLS.
      expect(await asked({ ldap_bind_pw: 'wrong' })).toBe('unavailable');
      expect(await asked({ ldap_base: `ou=Nowhere,${SUFFIX}` })).toBe('unavailable');
      expect(await asked({ ldap_filter: '(uid=%u' })).toBe('unavailable');
      expect(await asked({ ldap_starttls: 'demand' })).toBe('unavailable');
      // The first of several addresses is away.
      expect(await asked({ ldap_uri: ['ldap://127.0.0.1:1', directory.ldapi] })).toBe(true);
    },
    30_000,
  );

  test('whose certificate nobody knows hears no password', async () => {
    const key = store.certificate.replace(/\.pem$/, '.key');
    const secured = await TestDirectory.start({
      people: PEOPLE,
      certificate: { cert: store.certificate, key },
    });
    try {
      for (
        const [uri, starttls] of [
          [`ldaps://localhost:${secured.tlsPort}`, 'off'],
          [secured.uri.replace('127.0.0.1', 'localhost'), 'demand'],
          [secured.uri.replace('127.0.0.1', 'localhost'), 'try'],
        ] as const
      ) {
        const given = { ldap_uri: [uri], ldap_starttls: starttls };
        expect([uri, await asked({ ...given, ldap_ca_file: store.certificate })]).toEqual([uri, true]);
        expect([uri, await asked(given)]).toEqual([uri, 'unavailable']);
      }
    } finally {
      await secured.dispose();
    }
  });

  test('that hangs or is away is a temporary failure, and others log in meanwhile', async () => {
    directory.freeze();
    let answered = false;
    const waiting = login(store, 'django', PEOPLE.django).then((answer) => {
      answered = true;
      return answer;
    });
    expect(await login(store, 'bert', PASSWORD)).toBe('OK');
    expect(answered).toBe(false);
    expect(await waiting).toBe('UNAVAILABLE');
    directory.thaw();
    await directory.stop();
    expect(await login(store, 'django', PEOPLE.django)).toBe('UNAVAILABLE');
    expect(await login(store, 'bert', PASSWORD)).toBe('OK');
    await directory.run();
  }, 60_000);
});
