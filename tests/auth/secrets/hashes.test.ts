import { expect, test } from 'bun:test';
import { CachedSource } from '../../../src/auth/secrets/cached.ts';
import { isPasswordHash, matchesHash } from '../../../src/auth/secrets/passwordhash.ts';
import { passwdLines } from '../../../src/auth/secrets/passwdfile.ts';
import { Proofs } from '../../../src/auth/secrets/proofs.ts';
import type { SecretSource } from '../../../src/auth/secrets/source.ts';
import { dnValue, fillTemplate, filterValue } from '../../../src/auth/ldap/template.ts';

test('the MD5-based hashes of crypt(3) and Apache', async () => {
  // Made by crypt(3) and `openssl passwd -apr1`.
  const made = [
    ['secret', '$1$abc$iCQ2D3nhptRYi27fDYv2s1'],
    [
      'secret',
      Bun.spawnSync(['openssl', 'passwd', '-apr1', '-salt', 'abcdefgh', 'secret']).stdout.toString().trim(),
    ],
    [
      '',
      Bun.spawnSync(['openssl', 'passwd', '-1', '-salt', 'x', '-stdin'], { stdin: Buffer.from('\n') }).stdout
        .toString().trim(),
    ],
    [
      'p'.repeat(70),
      Bun.spawnSync(['openssl', 'passwd', '-1', '-salt', 'x', 'p'.repeat(70)]).stdout.toString().trim(),
    ],
  ] as const;
  for (const [password, hash] of made) {
    expect([hash, await matchesHash(hash, password)]).toEqual([hash, true]);
    expect(await matchesHash(hash, `${password}x`)).toBe(false);
  }
});

test('what is no hash never matches, nor does a password with a NUL', async () => {
  for (const hash of ['', 'x', '*', '!', '!!', '*0', '*1', '!$6$salt$abc', 'plain', '$6$']) {
    expect([hash, isPasswordHash(hash)]).toEqual([hash, false]);
    expect(await matchesHash(hash, hash, () => Promise.resolve(true))).toBe(false);
  }
  expect(await matchesHash('$6$salt$abc', 'a\0b', () => Promise.resolve(true))).toBe(false);
});

test('lines of passwd, shadow and htpasswd', () => {
  const text =
    'root:x:0:0:root:/root:/bin/sh\n#a:$6$x$y\nanna:$6$x$y:1:2:3\r\nbert:{SHA}abc=\n:$6$x$y\nhalf\n\nlock:!$6$x$y:\n';
  expect(passwdLines(text)).toEqual([{ name: 'anna', hash: '$6$x$y' }, { name: 'bert', hash: '{SHA}abc=' }]);
});

test('names in filters and DNs are escaped', () => {
  const fill = (template: string, userid: string, escape = filterValue) =>
    fillTemplate(template, { userid, realm: 'realm.test' }, escape);
  expect(fill('(uid=%u)', '*)(uid=*\0\\')).toBe('(uid=\\2a\\29\\28uid=\\2a\\00\\5c)');
  expect(fill('(&(uid=%U)(dc=%d)(o=%1)(x=%9)(r=%r)(p=%%u))', 'anna@mail.example.org'))
    .toBe('(&(uid=anna)(dc=mail.example.org)(o=org)(x=)(r=realm.test)(p=%u))');
  expect(fill('(%d)', 'anna')).toBe('(realm.test)');
  expect(fill('uid=%u,o=x', ' a,dc=evil+"b"=\n ', dnValue)).toBe(
    'uid=\\ a\\,dc\\=evil\\+\\"b\\"\\=\\0a\\ ,o=x',
  );
});

test('a remembered proof stands for all its inputs, and only for so long', async () => {
  let now = 0;
  let asked = 0;
  const source: SecretSource = {
    abilities: { plain: false, scram: false },
    verify: (_, password) => (asked++, Promise.resolve(password === 'right')),
    secret: () => Promise.resolve(null),
  };
  const cached = new CachedSource(source, 'pam', new Proofs(() => now, 30));
  const imap = { protocol: 'imap', remoteAddress: '192.0.2.1' };
  expect(await cached.verify('anna', 'right', imap)).toBe(true);
  expect(await cached.verify('anna', 'right', imap)).toBe(true);
  expect(asked).toBe(1);
  // CVE-2025-30189: every input that is left out of the key lets somebody in.
  expect(await cached.verify('bert', 'right', imap)).toBe(true);
  expect(await cached.verify('anna', 'right', { ...imap, protocol: 'pop3' })).toBe(true);
  expect(await cached.verify('anna', 'right', { ...imap, remoteAddress: '192.0.2.2' })).toBe(true);
  expect(asked).toBe(4);
  for (let round = 0; round < 2; round++) expect(await cached.verify('anna', 'wrong', imap)).toBe(false);
  expect(asked).toBe(6);
  now = 30_001;
  expect(await cached.verify('anna', 'right', imap)).toBe(true);
  expect(asked).toBe(7);
});
