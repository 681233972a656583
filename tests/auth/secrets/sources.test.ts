import { describe, expect, test } from 'bun:test';
import type { DirectoryConnection } from '../../../src/auth/ldap/connection.ts';
import { LdapDirectory } from '../../../src/auth/ldap/directory.ts';
import { DirectoryFailure } from '../../../src/auth/ldap/failure.ts';
import { ldapdbAccess } from '../../../src/auth/ldap/configured.ts';
import type { SecretSource } from '../../../src/auth/secrets/source.ts';
import { SecretSources } from '../../../src/auth/secrets/sources.ts';
import { clearPassword, matchesAny } from '../../../src/auth/secrets/userpassword.ts';
import { directoryAddress } from '../../../src/config/directoryaddress.ts';
import { makeSettings } from '../../../src/config/settings.ts';
import { MailError } from '../../../src/errors.ts';
import { limits } from '../../../src/limits.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { passwords } from '../passwords.ts';

const broken: SecretSource = {
  abilities: { plain: false, scram: false },
  verify: () => Promise.reject(new MailError('server', 'unavailable', 'down')),
  secret: () => Promise.reject(new MailError('server', 'unavailable', 'down')),
};

describe('several sources', () => {
  const first = passwords((userid) => userid === 'anna' ? 'a' : undefined);
  const second = passwords((userid) => ({ anna: 'other', bert: 'b' })[userid]);

  test('are asked in order, and all of them', async () => {
    const asked: string[] = [];
    const watched = (name: string, source: SecretSource): SecretSource => ({
      ...source,
      verify: (userid, password) => (asked.push(name), source.verify(userid, password)),
    });
    const sources = new SecretSources([watched('first', first), watched('second', second)]);
    expect(await sources.verify('anna', 'a')).toBe(true);
    expect(await sources.verify('anna', 'other')).toBe(true);
    expect(await sources.verify('bert', 'b')).toBe(true);
    expect(await sources.verify('bert', 'a')).toBe(false);
    expect(await sources.verify(null, 'a')).toBe(false);
    // Who is let in by the first need not be asked for further; before a refusal all were asked.
    expect(asked).toEqual(['first', ...Array.from({ length: 4 }, () => ['first', 'second']).flat()]);
    expect(await sources.secret('anna')).toEqual({ plain: 'a' });
    expect(await sources.secret('bert')).toEqual({ plain: 'b' });
    expect(await sources.secret('cora')).toBeNull();
    expect(sources.abilities).toEqual({ plain: true, scram: 'derived' });
  });

  test('one that hangs does not keep the users of the next', async () => {
    const hangs = Promise.withResolvers<boolean>();
    const hanging: SecretSource = { ...broken, verify: () => hangs.promise };
    const sources = new SecretSources([hanging, second], () => Promise.resolve());
    expect(await sources.verify('bert', 'b')).toBe(true);
    const refused = sources.verify('bert', 'wrong');
    hangs.resolve(false);
    expect(await refused).toBe(false);
  });

  test('one that hangs does not keep the users of the next from a challenge', async () => {
    const hangs = Promise.withResolvers<null>();
    const hanging: SecretSource = { ...broken, secret: () => hangs.promise };
    let patience = Promise.withResolvers<void>();
    const sources = new SecretSources([hanging, second], () => patience.promise);
    const settled = async (waiting: Promise<unknown>) => {
      for (let turn = 0; turn < 50; turn++) await Promise.resolve();
      return Bun.peek.status(waiting) !== 'pending';
    };
    // As long as it may only be slow, it is waited for: the time does not tell who is known where.
    const bert = sources.secret('bert');
    expect(await settled(bert)).toBe(false);
    patience.resolve();
    expect(await bert).toEqual({ plain: 'b' });
    // Whom no other knows waits for it.
    const cora = sources.secret('cora');
    expect(await settled(cora)).toBe(false);
    hangs.resolve(null);
    expect(await cora).toBeNull();
    // The first that knows a user counts, in their order, when all answer in time.
    patience = Promise.withResolvers<void>();
    const slowFirst = Promise.withResolvers<{ plain: string }>();
    const both = new SecretSources(
      [{ ...broken, secret: () => slowFirst.promise }, second],
      () => patience.promise,
    );
    const preferred = both.secret('bert');
    expect(await settled(preferred)).toBe(false);
    slowFirst.resolve({ plain: 'of the first' });
    expect(await preferred).toEqual({ plain: 'of the first' });
    // One that comes late is better than none.
    const late = Promise.withResolvers<{ plain: string }>();
    const lateOnly = new SecretSources(
      [{ ...broken, secret: () => late.promise }, hanging],
      () => Promise.resolve(),
    );
    const dora = lateOnly.secret('dora');
    expect(await settled(dora)).toBe(false);
    late.resolve({ plain: 'd' });
    expect(await dora).toEqual({ plain: 'd' });
  });

  test('one that is down counts only where no other knows', async () => {
    const sources = new SecretSources([broken, second]);
    expect(await sources.verify('bert', 'b')).toBe(true);
    expect(await sources.secret('bert')).toEqual({ plain: 'b' });
    expect(sources.verify('bert', 'wrong')).rejects.toMatchObject({ code: 'unavailable' });
    expect(sources.secret('cora')).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a directory', () => {
  const access = ldapdbAccess(makeSettings({ sasl_ldapdb_uri: ['ldap://localhost'] }));

  /** Connections that are opened, used and broken as a test says. */
  function setup() {
    const state = { now: 0, opened: 0, down: false };
    const directory = new LdapDirectory(access, silentLog, {
      now: () => state.now,
      open: () => {
        state.opened++;
        if (state.down) return Promise.reject(new DirectoryFailure('unreachable', 'refused'));
        const connection = { usable: true, close: () => Promise.resolve() };
        return Promise.resolve(connection as unknown as DirectoryConnection);
      },
    });
    return { state, directory };
  }

  test('keeps its connections', async () => {
    const { state, directory } = setup();
    for (let round = 0; round < 5; round++) await directory.use(() => Promise.resolve());
    expect(state.opened).toBe(1);
    await Promise.all(Array.from({ length: 4 }, () => directory.use(() => Promise.resolve())));
    expect(state.opened).toBe(4);
  });

  test('has a bounded number of them at a time', async () => {
    const { directory } = setup();
    let now = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 50 }, () =>
        directory.use(async () => {
          most = Math.max(most, ++now);
          await Promise.resolve();
          now--;
        })),
    );
    expect(most).toBe(limits.ldap_connections.value);
  });

  test('that is down is left alone for a while, then tried once', async () => {
    const { state, directory } = setup();
    state.down = true;
    const use = () =>
      directory.use(() => Promise.resolve('there')).catch((thrown: DirectoryFailure) => thrown.kind);
    for (let round = 0; round < limits.ldap_failures.value + 20; round++) {
      expect(await use()).toBe('unreachable');
    }
    expect(state.opened).toBe(limits.ldap_failures.value);
    state.now += limits.ldap_pause.value * 1000;
    expect(await use()).toBe('unreachable');
    expect(await use()).toBe('unreachable');
    expect(state.opened).toBe(limits.ldap_failures.value + 1);
    state.now += limits.ldap_pause.value * 1000;
    state.down = false;
    expect(await use()).toBe('there');
  });

  test('replaces a kept connection that has died, once and silently', async () => {
    const { state, directory } = setup();
    await directory.use(() => Promise.resolve());
    let tries = 0;
    const answer = await directory.use(() => {
      tries++;
      if (tries === 1) return Promise.reject(new DirectoryFailure('unreachable', 'reset'));
      return Promise.resolve('there');
    });
    expect([answer, tries, state.opened]).toEqual(['there', 2, 2]);
    // One that nobody used for long is not tried.
    state.now += limits.ldap_idle.value * 1000;
    await directory.use(() => Promise.resolve());
    expect(state.opened).toBe(3);
    const answered = directory.use(() => Promise.reject(new DirectoryFailure('denied', 'no')));
    expect(answered).rejects.toMatchObject({ kind: 'denied' });
  });
});

test('a directory that falls silent is waited for once, and left alone when it goes on', async () => {
  const state = { now: 0, opened: 0 };
  const directory = new LdapDirectory(ldapdbAccess(makeSettings({})), silentLog, {
    now: () => state.now,
    open: () => {
      state.opened++;
      const connection = { usable: true, close: () => Promise.resolve() };
      return Promise.resolve(connection as unknown as DirectoryConnection);
    },
  });
  await Promise.all(Array.from({ length: 5 }, () => directory.use(() => Promise.resolve())));
  expect(state.opened).toBe(5);
  let asked = 0;
  const silent = () => {
    asked++;
    state.now += limits.ldap_operation.value * 1000;
    return Promise.reject(new DirectoryFailure('unreachable', 'no answer'));
  };
  for (let round = 0; round < limits.ldap_failures.value; round++) {
    await expect(directory.use(silent)).rejects.toMatchObject({ kind: 'unreachable' });
  }
  await expect(directory.use(silent)).rejects.toThrow('left alone');
  expect([asked, state.opened]).toEqual([limits.ldap_failures.value, 5]);
  // Nor are those asked further who waited for a connection meanwhile.
  state.now += limits.ldap_pause.value * 1000;
  const many = Array.from({ length: 3 * limits.ldap_connections.value }, () =>
    directory.use(async () => {
      await Promise.resolve();
      return await silent();
    }).catch(() => {}));
  asked = 0;
  await Promise.all(many);
  expect(asked).toBeLessThanOrEqual(limits.ldap_connections.value);
  // An answer in between is the end of the row.
  state.now += limits.ldap_pause.value * 1000;
  expect(await directory.use(() => Promise.resolve('there'))).toBe('there');
  await expect(directory.use(silent)).rejects.toMatchObject({ kind: 'unreachable' });
  expect(await directory.use(() => Promise.resolve('there'))).toBe('there');
});

describe('values of userPassword', () => {
  test('as they are', async () => {
    for (const value of ['pencil', '{CLEARTEXT}pencil', '{clear}pencil']) {
      expect(clearPassword(value)).toBe('pencil');
      expect(await matchesAny([value], 'pencil')).toBe(true);
      expect(await matchesAny([value], 'Pencil')).toBe(false);
    }
  });

  test('hashed', async () => {
    const hash = (name: 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512', salt: string) =>
      Buffer.concat([new Bun.CryptoHasher(name).update('pencil').update(salt).digest(), Buffer.from(salt)])
        .toString('base64');
    for (
      const value of [
        `{MD5}${hash('md5', '')}`,
        `{SMD5}${hash('md5', 'salt')}`,
        `{SHA}${hash('sha1', '')}`,
        `{SSHA}${hash('sha1', 'pepper')}`,
        `{SSHA256}${hash('sha256', 'x')}`,
        `{SSHA384}${hash('sha384', 'x')}`,
        `{ssha512}${hash('sha512', 'xyz')}`,
        `{CRYPT}${await Bun.password.hash('pencil', { algorithm: 'bcrypt', cost: 4 })}`,
        `{ARGON2}${await Bun.password.hash('pencil', {
          algorithm: 'argon2id',
          memoryCost: 64,
          timeCost: 1,
        })}`,
      ]
    ) {
      expect(clearPassword(value)).toBeNull();
      expect([value, await matchesAny([value], 'pencil')]).toEqual([value, true]);
      expect(await matchesAny([value], 'pencils')).toBe(false);
      expect(await matchesAny([value], '')).toBe(false);
    }
  });

  test('what cannot be read matches nothing', async () => {
    for (const value of ['{SSHA}', '{SSHA}x', '{FOO}pencil', '{CRYPT}pencil', '{ARGON2}$argon2id$broken']) {
      expect(await matchesAny([value], 'pencil')).toBe(false);
    }
    expect(await matchesAny([], 'pencil')).toBe(false);
  });
});

test('addresses of directories', () => {
  expect(directoryAddress('ldap://ldap.dmz.nausch.org')).toMatchObject({ scheme: 'ldap', port: 389 });
  expect(directoryAddress('LDAPS://[::1]:1636/')).toMatchObject({ scheme: 'ldaps', host: '::1', port: 1636 });
  expect(directoryAddress('ldapi:///')).toMatchObject({ path: '/var/run/slapd/ldapi' });
  expect(directoryAddress('ldapi://%2ftmp%2fldapi')).toMatchObject({ path: '/tmp/ldapi' });
  for (
    const bad of [
      '',
      'ldap',
      'ldap://',
      'http://x',
      'ldap://x:0',
      'ldap://x:99999',
      'ldapi://%zz',
      'ldap://x/dc=y',
    ]
  ) {
    expect([bad, directoryAddress(bad)]).toEqual([bad, undefined]);
  }
});
