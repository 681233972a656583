import { describe, expect, test } from 'bun:test';
import { canonicalRecipient, canonicalUser, isAdmin, needsInterface } from '../../src/auth/canonical.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { MailError } from '../../src/errors.ts';

type Given = Parameters<typeof makeSettings>[0];

/** What the how-to configures. */
const HOWTO: Given = {
  virtdomains: 'on',
  servername: 'imap.nausch.org',
  admins: ['cyrus'],
  username_tolower: true,
  lmtp_downcase_rcpt: true,
};

function user(login: string, given: Given, interfaceDomain = ''): string {
  return canonicalUser(login, makeSettings(given), { interfaceDomain });
}

function recipient(local: string, domain: string, given: Given, interfaceDomain = '') {
  return canonicalRecipient(local, domain, makeSettings(given), { interfaceDomain });
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

describe('logins', () => {
  test('the how-to: Django reads the mail of django@nausch.org', () => {
    expect(user('Django', HOWTO, 'nausch.org')).toBe('django@nausch.org');
    expect(user('django@nausch.org', HOWTO, 'nausch.org')).toBe('django@nausch.org');
    expect(recipient('Django', 'Nausch.org', HOWTO)).toEqual({ userid: 'django@nausch.org', detail: null });
  });

  test('the administrator of the how-to is a global one', () => {
    expect(user('cyrus', HOWTO, 'nausch.org')).toBe('cyrus');
    expect(user('CYRUS', HOWTO, 'nausch.org')).toBe('cyrus');
    expect(isAdmin('cyrus', makeSettings(HOWTO))).toBe(true);
    expect(isAdmin('cyrus@nausch.org', makeSettings(HOWTO))).toBe(false);
    expect(isAdmin('django@nausch.org', makeSettings(HOWTO))).toBe(false);
  });

  test('off: an @ is part of the name', () => {
    expect(user('Bob', {})).toBe('bob');
    expect(user('Bob', { username_tolower: false })).toBe('Bob');
    expect(user('bob@d.org', {}, 'x.org')).toBe('bob@d.org');
  });

  test('userid: the login says the domain', () => {
    const given: Given = { virtdomains: 'userid', defaultdomain: 'Home.org' };
    expect(user('bob@D.org', given)).toBe('bob@d.org');
    expect(user('bob@home.org', given)).toBe('bob');
    expect(user('bob', given, 'x.org')).toBe('bob');
  });

  test('on: the interface says the domain where the login does not', () => {
    const given: Given = { virtdomains: 'on', defaultdomain: 'home.org' };
    expect(user('bob', given, 'd.org')).toBe('bob@d.org');
    expect(user('bob', given, 'home.org')).toBe('bob');
    expect(user('bob', given, '')).toBe('bob');
    expect(user('bob@e.net', given, 'd.org')).toBe('bob@e.net');
  });

  test('a % stands for the @ that some clients cannot send', () => {
    expect(user('bob%d.org', { virtdomains: 'on' })).toBe('bob@d.org');
    expect(refused(() => user('bob%d.org', {}))).toBe(true);
  });

  test('administrators of a domain are written with it', () => {
    const settings = makeSettings({
      virtdomains: 'on',
      defaultdomain: 'home.org',
      admins: ['Root@D.org', 'x@home.org', 'no good/'],
    });
    expect(isAdmin('root@d.org', settings)).toBe(true);
    expect(isAdmin('root', settings)).toBe(false);
    expect(isAdmin('x', settings)).toBe(true);
    expect(isAdmin('', settings)).toBe(false);
    expect(canonicalUser('root', settings, { interfaceDomain: 'd.org' })).toBe('root@d.org');
  });

  test('names nobody can have', () => {
    for (
      const bad of [
        '',
        '@d.org',
        'bob@',
        'bob@..',
        'a@b@d.org',
        'bob\u0000',
        'bob\n',
        '../bob',
        'a/b',
        'anyone',
        'anyone@d.org',
        'Anonymous',
        'group:staff',
        '-bob',
        '\ud800',
        'x'.repeat(256),
        `${'x'.repeat(250)}@d.org`,
        'bob@[127.0.0.1]',
        'bob rip=1.2.3.4\u202e',
        '*)(uid=*',
      ]
    ) {
      expect([bad, refused(() => user(bad, { virtdomains: 'on' }))]).toEqual([bad, true]);
    }
  });

  test('a name in decomposed form is the same user', () => {
    expect(user('mu\u0308ller', {})).toBe('m\u00fcller');
  });

  test('the interface is asked only where it matters', () => {
    const settings = makeSettings(HOWTO);
    expect(needsInterface('django', settings)).toBe(true);
    expect(needsInterface('django@nausch.org', settings)).toBe(false);
    expect(needsInterface('Cyrus', settings)).toBe(false);
    expect(needsInterface('django', makeSettings({ virtdomains: 'userid' }))).toBe(false);
    expect(needsInterface('django', makeSettings({}))).toBe(false);
  });
});

describe('recipients', () => {
  test('the part behind + is a folder', () => {
    expect(recipient('bob+Sent', 'd.org', HOWTO)).toEqual({ userid: 'bob@d.org', detail: 'Sent' });
    expect(recipient('bob+Lists/dev', 'd.org', HOWTO)).toEqual({ userid: 'bob@d.org', detail: 'Lists/dev' });
    expect(recipient('bob+a+b', 'd.org', HOWTO)).toEqual({ userid: 'bob@d.org', detail: 'a+b' });
    expect(recipient('bob+', 'd.org', HOWTO)).toEqual({ userid: 'bob@d.org', detail: null });
    expect(recipient('bob+Lists.dev', 'd.org', { ...HOWTO, unixhierarchysep: false }).detail).toBe(
      'Lists/dev',
    );
  });

  test('a folder nobody can have is no reason to refuse the mail', () => {
    for (const odd of ['..', 'a//b', 'a/', '/', 'x\u0000', 'x'.repeat(2000)]) {
      expect(recipient(`bob+${odd}`, 'd.org', HOWTO)).toEqual({ userid: 'bob@d.org', detail: null });
    }
  });

  test('lmtp_downcase_rcpt changes the user and leaves the folder', () => {
    expect(recipient('Bob+Sent', 'D.org', HOWTO)).toEqual({ userid: 'bob@d.org', detail: 'Sent' });
    expect(recipient('Bob', 'D.org', { ...HOWTO, lmtp_downcase_rcpt: false }).userid).toBe('Bob@d.org');
  });

  test('virtdomains off drops the domain', () => {
    expect(recipient('bob', 'any.where', {}).userid).toBe('bob');
    expect(recipient('bob', '', {}).userid).toBe('bob');
  });

  test('an address without a domain belongs to whom a login without one does', () => {
    expect(recipient('django', '', HOWTO, 'nausch.org').userid).toBe('django@nausch.org');
    expect(recipient('cyrus', '', HOWTO, 'nausch.org').userid).toBe('cyrus');
    expect(recipient('bob', '', { virtdomains: 'userid' }, 'nausch.org').userid).toBe('bob');
  });

  test('users of the default domain', () => {
    expect(recipient('bob', 'HOME.org', { virtdomains: 'on', defaultdomain: 'home.org' }).userid).toBe('bob');
  });

  test('shared folders are written with a + in front', () => {
    expect(recipient('+staff/2012', 'd.org', HOWTO)).toEqual({ userid: '@d.org', detail: 'staff/2012' });
    expect(recipient('+staff', 'd.org', {})).toEqual({ userid: '', detail: 'staff' });
    expect(refused(() => recipient('+', 'd.org', HOWTO))).toBe(true);
    expect(refused(() => recipient('+user/bob', 'd.org', HOWTO))).toBe(true);
    expect(refused(() => recipient('+INBOX', 'd.org', HOWTO))).toBe(true);
    expect(refused(() => recipient('', 'd.org', HOWTO))).toBe(true);
  });

  test('addresses nobody can have', () => {
    for (
      const [local, domain] of [
        ['a/b', 'd.org'],
        ['a b/../c', 'd.org'],
        ['bob', 'a b'],
        ['bob', '[1.2.3.4]'],
        ['x'.repeat(1000), 'd.org'],
        ['\ud800', 'd.org'],
        ['a@b', 'd.org'],
      ] as const
    ) {
      expect([local, domain, refused(() => recipient(local, domain, HOWTO))]).toEqual([local, domain, true]);
    }
  });
});

test('postuser is another name for shared folders, as no name at all is', () => {
  const given: Given = { postuser: 'BB', virtdomains: 'userid', defaultdomain: 'home.org' };
  expect(recipient('bb+staff', 'home.org', given)).toEqual({ userid: '', detail: 'staff' });
  expect(recipient('Bb+staff', 'd.org', given)).toEqual({ userid: '@d.org', detail: 'staff' });
  expect(recipient('+staff', 'home.org', given)).toEqual({ userid: '', detail: 'staff' });
  expect(recipient('bb', 'home.org', given)).toEqual({ userid: 'bb', detail: null });
  expect(refused(() => recipient('bb+', 'home.org', given))).toBe(true);
  expect(recipient('bb+staff', 'home.org', { ...given, postuser: '' })).toEqual({
    userid: 'bb',
    detail: 'staff',
  });
});

test('recipient_delimiter: the first of several characters, or none', () => {
  const given = { recipient_delimiter: '-+' };
  expect(recipient('bob-a+b', '', given)).toEqual({ userid: 'bob', detail: 'a+b' });
  expect(recipient('bob+a-b', '', given)).toEqual({ userid: 'bob', detail: 'a-b' });
  expect(recipient('-staff', '', given)).toEqual({ userid: '', detail: 'staff' });
  expect(recipient('bob+a', '', { recipient_delimiter: '-' })).toEqual({ userid: 'bob+a', detail: null });
  expect(recipient('bob+a', '', { recipient_delimiter: '' })).toEqual({ userid: 'bob+a', detail: null });
});
