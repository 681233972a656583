/** Users taken over from other programs, and Cyrus SASL's own commands. */

import { afterAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listedUsers, listingFormat } from '../../src/cli/user/listing.ts';
import { EmbeddedSecrets, readSecret } from '../../src/auth/secrets/embedded.ts';
import { hashOf } from '../../src/auth/secrets/hashed.ts';
import { learning } from '../../src/auth/secrets/transition.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { succeed } from '../harness/command.ts';
import { Person, TestStore } from './administration.ts';

const dir = mkdtempSync(join(tmpdir(), 'mailstore-import-'));
const stores: TestStore[] = [];
afterAll(() => {
  stores.forEach((store) => store.remove());
  rmSync(dir, { recursive: true, force: true });
});

function testStore(mailbox = ''): TestStore {
  const store = new TestStore(mailbox);
  stores.push(store);
  return store;
}

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

const verify = (store: TestStore, userid: string, password: string): Promise<boolean> =>
  store.look(({ secrets }) => new EmbeddedSecrets(secrets).verify(userid, password));

const bcrypt = await Bun.password.hash('pencil', { algorithm: 'bcrypt', cost: 4 });
const sha = `{SHA}${new Bun.CryptoHasher('sha1').update('pencil').digest('base64')}`;

describe('user import', () => {
  test('takes hashes as they are, and leaves out what it cannot check or has', async () => {
    const store = testStore();
    await store.ok('user add django', { stdin: 'mine\n' });
    const path = file(
      'users',
      `anna:${bcrypt}\nbert:${sha}:x\nodd:nonsense\ndjango:${bcrypt}\nnone:!:\nno/one:${bcrypt}\n`,
    );
    const outcome = await store.run(['user', 'import', path]);
    expect(outcome.result).toBe(65);
    expect(outcome.stdout).toStartWith(
      '2 of 5 users imported, 3 left out.\n2 have a hash instead of a password',
    );
    expect(outcome.stderr).toContain(`${path}:3: odd is left out: its password is no hash`);
    expect(outcome.stderr).toContain(`${path}:4: django is left out: there is such a user already`);
    for (const user of ['anna', 'bert']) {
      expect(await verify(store, user, 'pencil')).toBe(true);
      expect(await verify(store, user, 'pencils')).toBe(false);
    }
    expect(await verify(store, 'django', 'mine')).toBe(true);
    expect(await store.ok(`user import --replace ${file('again', `django:${sha}\n`)}`)).toStartWith('1 of 1');
    expect(await verify(store, 'django', 'pencil')).toBe(true);
  });

  test('takes LDIF, with passwords as they are and hashed', async () => {
    const store = testStore();
    const path = file(
      'people.ldif',
      `version: 1\n\ndn: uid=anna,dc=x\nuid: anna\nuserPassword:: ${
        Buffer.from('gänsefüßchen').toString('base64')
      }\n\n` +
        `dn: uid=bert,dc=x\nobjectClass: person\nuid: bert\nuserPassword: ${sha.slice(0, 12)}\n ${
          sha.slice(12)
        }\n\n` +
        'dn: ou=People,dc=x\nou: People\n\ndn: uid=cora,dc=x\nuid: cora\nuserPassword: {CLEARTEXT}clear\n',
    );
    expect(await store.ok(`user import ${path}`)).toStartWith('3 of 3 users imported.\n1 have a hash');
    expect(await verify(store, 'anna', 'gänsefüßchen')).toBe(true);
    expect(await verify(store, 'bert', 'pencil')).toBe(true);
    expect(await verify(store, 'cora', 'clear')).toBe(true);
    const stored = await store.look(({ secrets }) => secrets.get('anna'));
    expect(stored === null ? null : hashOf(stored)).toBeNull();
  });

  test("takes what db_dump makes of Cyrus's sasldb2", async () => {
    const database = join(dir, 'sasldb2');
    for (
      const [user, realm, password] of [['anna', 'imap.nausch.org', 'of\\anna'], [
        'bert',
        'other.org',
        'ß of bert',
      ]]
    ) {
      await succeed('saslpasswd2', ['-p', '-c', '-f', database, '-u', realm ?? '', user ?? ''], {
        input: `${Buffer.from(password ?? '').toString('latin1')}\n`,
      });
    }
    expect(existsSync(database)).toBe(true);
    for (const form of [['-p'], []]) {
      const { stdout } = await succeed('db_dump', [...form, database]);
      const dump = file('dump', Buffer.from(stdout, 'latin1').toString('utf8'));
      const plain = testStore();
      expect(await plain.ok(`user import ${dump}`)).toBe('2 of 2 users imported.\n');
      expect(await verify(plain, 'anna', 'of\\anna')).toBe(true);
      expect(await verify(plain, 'bert', 'ß of bert')).toBe(true);
      const domains = testStore('virtdomains = "userid"');
      await domains.ok(`user import ${dump}`);
      expect(await verify(domains, 'anna', 'of\\anna')).toBe(true);
      expect(await verify(domains, 'bert@other.org', 'ß of bert')).toBe(true);
    }
    const { result } = await testStore().run([
      'user',
      'import',
      '--format',
      'sasldb',
      file('half', 'VERSION=3\n'),
    ]);
    expect(result).toBe('cannot');
  });

  test('tells formats apart', () => {
    expect(listingFormat('VERSION=3\nformat=print\n')).toBe('sasldb');
    expect(listingFormat('# c\ndn: dc=x\n')).toBe('ldif');
    expect(listingFormat('anna:$6$x$y:1:2\n')).toBe('passwd');
    expect(listedUsers('', 'passwd')).toEqual([]);
  });
});

test('a hash becomes a password for all mechanisms at the next login, where that is wanted', async () => {
  const store = testStore();
  await store.ok(`user import ${file('one', `anna:${bcrypt}\n`)}`);
  await store.look(async ({ secrets }) => {
    const settings = (how: 'off' | 'yes') => makeSettings({ sasl_auto_transition: how });
    expect(learning(settings('off'), secrets, silentLog)).toBeUndefined();
    const learn = learning(settings('yes'), secrets, silentLog);
    let learned: Promise<void> | undefined;
    const source = new EmbeddedSecrets(secrets, {
      learn: (userid, password, before) =>
        learned = learn?.keep(userid, password, before) ?? Promise.resolve(),
    });
    expect(await source.secret('anna')).toEqual({});
    expect(await source.verify('anna', 'wrong')).toBe(false);
    expect(learned).toBeUndefined();
    expect(await source.verify('anna', 'pencil')).toBe(true);
    await learned;
    const record = secrets.get('anna');
    if (record === null) throw new Error('gone');
    expect(readSecret(record).scram_sha_256.storedKey).not.toBe('');
    expect((await source.secret('anna'))?.scram).toBeDefined();
    expect(await source.verify('anna', 'pencil')).toBe(true);
  });
});

describe("Cyrus SASL's commands", () => {
  test('saslpasswd2 makes, changes and removes; sasldblistusers2 lists', async () => {
    const store = testStore();
    expect(await store.run(['saslpasswd2', '-p', 'anna'], { stdin: 'a\n' })).toMatchObject({
      result: 'nouser',
    });
    expect(await store.ok('saslpasswd2 -p -c anna', { stdin: 'first\n' })).toBe('');
    expect(await verify(store, 'anna', 'first')).toBe(true);
    const person = new Person('second', 'second');
    await store.ok('saslpasswd2 anna', { person });
    expect(person.asked.map(({ echo }) => echo)).toEqual([false, false]);
    expect(await verify(store, 'anna', 'second')).toBe(true);
    expect(await store.ok('sasldblistusers2')).toBe('anna@imap.nausch.org: userPassword\n');
    await store.ok('saslpasswd2 -d anna');
    expect(await store.ok('sasldblistusers2')).toBe('');
    for (const wrong of [['saslpasswd2'], ['saslpasswd2', 'a', 'b'], ['saslpasswd2', '-c', '-d', 'a']]) {
      expect(await store.run(wrong)).toMatchObject({ result: 'badsyntax' });
    }
  });

  test('saslpasswd2 -u is the domain, -n keeps no password that can be read back', async () => {
    const store = new TestStore('virtdomains = "userid"', 'sasl_mech_list = ["CRAM-MD5", "PLAIN"]');
    stores.push(store);
    await store.ok('saslpasswd2 -p -c -u example.org anna', { stdin: 'x\n' });
    await store.ok('saslpasswd2 -p -c -n bert', { stdin: 'x\n' });
    expect(await store.ok('sasldblistusers2')).toBe(
      'anna@example.org: userPassword\nbert@imap.nausch.org: userPassword\n',
    );
    const plains = await store.look(({ secrets }) =>
      secrets.list().map((record) => readSecret(record).plain)
    );
    expect(plains).toEqual(['x', undefined]);
  });
});
