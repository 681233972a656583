import { describe, expect, test } from 'bun:test';
import { makeSettings } from '../../src/config/settings.ts';
import { MailError } from '../../src/errors.ts';
import {
  canonicalDomain,
  isSharedOwner,
  makeUserid,
  MAX_USERID_BYTES,
  ownerFolder,
  splitUserid,
} from '../../src/store/userid.ts';

const off = makeSettings({ virtdomains: 'off' });
const on = makeSettings({ virtdomains: 'on' });

function folder(userid: string, settings = on): string {
  return ownerFolder(userid, settings).join('/');
}

function refused(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch (thrown) {
    if (thrown instanceof MailError && thrown.code === 'nouser') return true;
    throw thrown;
  }
}

describe('folders on disk', () => {
  test('hashed by the first letter, as the how-to shows it', () => {
    expect(folder('django', off)).toBe('d/user/django');
    expect(folder('django')).toBe('d/user/django');
    expect(folder('django@nausch.org')).toBe('domain/n/nausch.org/d/user/django');
  });

  test('without hashimapspool', () => {
    const flat = makeSettings({ virtdomains: 'on', hashimapspool: false });
    expect(folder('django', flat)).toBe('user/django');
    expect(folder('django@nausch.org', flat)).toBe('domain/nausch.org/user/django');
    expect(folder('', flat)).toBe('shared');
  });

  test('what does not begin with a letter is under q, in lower case', () => {
    expect(folder('4711')).toBe('q/user/4711');
    expect(folder('Özgür')).toBe('q/user/Özgür');
    expect(folder('Django')).toBe('d/user/Django');
    expect(folder('x@4you.de')).toBe('domain/q/4you.de/x/user/x');
  });

  test('dots of the user become ^, those of the domain stay', () => {
    expect(folder('john.doe@a.b.c')).toBe('domain/a/a.b.c/j/user/john^doe');
  });

  test('shared hierarchies', () => {
    expect(folder('')).toBe('shared');
    expect(folder('@nausch.org')).toBe('domain/n/nausch.org/shared');
    expect(folder('shared')).toBe('s/user/shared');
    expect(isSharedOwner('')).toBe(true);
    expect(isSharedOwner('@nausch.org')).toBe(true);
    expect(isSharedOwner('bob')).toBe(false);
  });

  test('nothing that is no canonical userid reaches the disk', () => {
    for (
      const bad of [
        '.',
        '..',
        '../x',
        'a/b',
        'a\0',
        '/etc',
        'a@..',
        'a@../x',
        'a@/x',
        '@..',
        'a@B.org',
        'u\u0308ber',
        'a^b',
        'a\\..',
      ]
    ) {
      const result = refused(() => ownerFolder(bad, on)) ? 'refused' : folder(bad);
      expect([bad, result]).toEqual([bad, 'refused']);
    }
  });

  test('every part is a plain file name, and different owners have different folders', () => {
    const owners = [
      '',
      'bob',
      'b.ob',
      'bo.b',
      'user',
      'domain',
      'shared',
      'b',
      'bob.',
      "o'hara",
      'a b',
      '..a'.slice(2),
    ];
    const all = [
      ...owners,
      ...owners.filter((owner) => owner !== '').flatMap((owner) => [`${owner}@d.org`, `${owner}@user`]),
      '@d.org',
      '@user',
    ];
    for (const hashimapspool of [true, false]) {
      const settings = makeSettings({ virtdomains: 'on', hashimapspool });
      const seen = new Set<string>();
      for (const owner of all) {
        const parts = ownerFolder(owner, settings);
        for (const part of parts) {
          expect(part).not.toMatch(/^\.{0,2}$|[/\0]/);
          expect(Buffer.byteLength(part)).toBeLessThanOrEqual(255);
        }
        seen.add(parts.join('/'));
      }
      expect(seen.size).toBe(new Set(all).size);
    }
  });
});

describe('userids', () => {
  test("letters of all scripts, Cyrus's characters, normalized", () => {
    for (
      const good of [
        'bob',
        'john.doe',
        "o'hara",
        'x+y',
        'a b',
        'müller',
        '田中',
        'a_b-c',
        '$x',
        '#1',
        'a=b',
        'a:b',
      ]
    ) {
      expect(makeUserid(good, '', on)).toBe(good);
    }
    expect(makeUserid('mu\u0308ller', '', on)).toBe('m\u00fcller');
  });

  test('what cannot be a user', () => {
    for (
      const bad of [
        '',
        ' ',
        'bob ',
        ' bob',
        '-bob',
        '.bob',
        'a/b',
        'a%b',
        'a*b',
        'a!b',
        'a^b',
        'a\u0000b',
        'a\nb',
        'a\u202eb',
        'a\u200bb',
        'a\\b',
        'a"b',
        'anyone',
        'Anyone',
        'anonymous',
        'anybody',
        'group:staff',
        'GROUP:staff',
      ]
    ) {
      expect([bad, refused(() => makeUserid(bad, '', on))]).toEqual([bad, true]);
    }
    expect(makeUserid('anyonesfriend', '', on)).toBe('anyonesfriend');
  });

  test('the length counts bytes, with the domain', () => {
    expect(makeUserid('x'.repeat(MAX_USERID_BYTES), '', on).length).toBe(MAX_USERID_BYTES);
    expect(refused(() => makeUserid('x'.repeat(MAX_USERID_BYTES + 1), '', on))).toBe(true);
    expect(refused(() => makeUserid('ü'.repeat(128), '', on))).toBe(true);
    expect(refused(() => makeUserid('x'.repeat(250), 'd.org', on))).toBe(true);
  });

  test('an @ is part of the name only without virtual domains', () => {
    expect(makeUserid('bob@d.org', '', off)).toBe('bob@d.org');
    expect(refused(() => makeUserid('a@b', 'd.org', on))).toBe(true);
    expect(splitUserid('bob@d.org', off)).toEqual({ local: 'bob@d.org', domain: '' });
    expect(splitUserid('bob@d.org', on)).toEqual({ local: 'bob', domain: 'd.org' });
    expect(splitUserid('@d.org', on)).toEqual({ local: '', domain: 'd.org' });
  });
});

test('domains have one form', () => {
  expect(canonicalDomain('Nausch.ORG')).toBe('nausch.org');
  expect(canonicalDomain('nausch.org.')).toBe('nausch.org');
  expect(canonicalDomain('BÜCHER.example')).toBe('xn--bcher-kva.example');
  expect(canonicalDomain('localhost')).toBe('localhost');
  for (
    const bad of [
      '',
      '.',
      'a..b',
      '-a.de',
      'a-.de',
      'a b',
      '[1.2.3.4]',
      '[IPv6:::1]',
      'a/b',
      'a@b',
      '%61.de',
      'ü%2f.de',
      'ü/x',
      'x'.repeat(64),
      `${'x.'.repeat(127)}x`,
      'a\u0000',
    ]
  ) {
    expect([bad, canonicalDomain(bad)]).toEqual([bad, undefined]);
  }
});
