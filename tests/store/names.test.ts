import { describe, expect, test } from 'bun:test';
import { makeSettings } from '../../src/config/settings.ts';
import { MailError } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import type { Identity, MailboxName } from '../../src/store/border.ts';
import {
  checkName,
  folderName,
  isBelow,
  leafName,
  Namespace,
  parentName,
  sameName,
} from '../../src/store/names.ts';

type Given = Parameters<typeof makeSettings>[0];

function user(userid: string, admin = false): Identity {
  return { userid, admin, groups: [] };
}

function space(userid: string, given: Given = {}, admin = false): Namespace {
  return new Namespace(makeSettings(given), user(userid, admin));
}

function mailbox(owner: string, path = ''): MailboxName {
  return { owner, path };
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof MailError) return thrown.code;
    throw thrown;
  }
  return 'no error';
}

/** Both directions of a name. */
function expectSame(names: Namespace, external: string, internal: MailboxName): void {
  expect(names.toInternal(external)).toEqual(internal);
  expect(names.toExternal(internal)).toBe(external);
}

describe('the standard namespace with /', () => {
  const bob = space('bob');

  test('own folders stand below INBOX, others below user, shared ones at the top', () => {
    expectSame(bob, 'INBOX', mailbox('bob'));
    expectSame(bob, 'INBOX/Sent', mailbox('bob', 'Sent'));
    expectSame(bob, 'INBOX/Lists/dev', mailbox('bob', 'Lists/dev'));
    expectSame(bob, 'user/eve', mailbox('eve'));
    expectSame(bob, 'user/eve/Sent', mailbox('eve', 'Sent'));
    expectSame(bob, 'staff/2012', mailbox('', 'staff/2012'));
  });

  test('NAMESPACE prefixes', () => {
    expect(bob.separator).toBe('/');
    expect(bob.personal).toEqual({ prefix: 'INBOX/', separator: '/' });
    expect(bob.otherUsers).toEqual({ prefix: 'user/', separator: '/' });
    expect(bob.shared).toEqual({ prefix: '', separator: '/' });
  });

  test('INBOX in any case, also as the level above', () => {
    expect(bob.toInternal('inbox')).toEqual(mailbox('bob'));
    expect(bob.toInternal('iNbOx/Sent')).toEqual(mailbox('bob', 'Sent'));
    // No prefix of another name: only the whole level counts.
    expect(bob.toInternal('inboxes')).toEqual(mailbox('', 'inboxes'));
  });

  test('an own mailbox by its full name is the same mailbox', () => {
    expect(bob.toInternal('user/bob/Sent')).toEqual(mailbox('bob', 'Sent'));
    expect(bob.toInternal('user/bob')).toEqual(mailbox('bob'));
  });

  test('user names with dots, and in other case where username_tolower', () => {
    expectSame(bob, 'user/john.doe/Sent', mailbox('john.doe', 'Sent'));
    expect(bob.toInternal('user/Eve/Sent')).toEqual(mailbox('eve', 'Sent'));
    expect(space('bob', { username_tolower: false }).toInternal('user/Eve')).toEqual(mailbox('Eve'));
  });

  test('folder names are case-sensitive and may be odd', () => {
    for (
      const odd of [
        'Yahoo!',
        'me@gmail.com',
        'a^b',
        'a.b',
        '100%',
        'x*',
        '~',
        '#1',
        ' x ',
        '&',
        'Entwürfe',
        '-',
      ]
    ) {
      expectSame(bob, `INBOX/${odd}`, mailbox('bob', odd));
    }
    expect(bob.toInternal('INBOX/sent')).not.toEqual(bob.toInternal('INBOX/Sent'));
  });

  test('a folder named like INBOX is a folder', () => {
    expectSame(bob, 'INBOX/INBOX', mailbox('bob', 'INBOX'));
  });

  test('decomposed names are normalized to NFC', () => {
    expect(bob.toInternal('INBOX/Entwu\u0308rfe')).toEqual(mailbox('bob', 'Entw\u00fcrfe'));
  });

  test('names no mailbox can have', () => {
    const long = 'x'.repeat(limits.mailbox_name.value);
    const deep = 'INBOX' + '/a'.repeat(limits.mailbox_depth.value);
    expect(bob.toInternal(`INBOX/${long}`).path).toBe(long);
    expect(bob.toInternal(deep).path.length).toBe(2 * limits.mailbox_depth.value - 1);
    for (
      const name of [
        '',
        '/',
        '/INBOX',
        'INBOX/',
        'INBOX//x',
        'INBOX/x/',
        'user',
        'user/',
        'user//x',
        'user/eve/',
        'User/eve',
        'INBOX/a\u0000b',
        'INBOX/a\tb',
        'INBOX/a\r\nb',
        'INBOX/\u007f',
        'INBOX/\u0085',
        'INBOX/\u2028',
        'INBOX/\ud800',
        'INBOX/..',
        'INBOX/../x',
        'INBOX/.',
        '../etc/passwd',
        'user/../x',
        'user/a%b',
        'user/-eve',
        'user/anyone',
        'user/group:staff',
        `INBOX/${long}x`,
        `INBOX/${'ü'.repeat(limits.mailbox_name.value / 2)}x`,
        `${deep}/b`,
      ]
    ) {
      expect([name, codeOf(() => bob.toInternal(name))]).toEqual([name, 'cannot']);
    }
  });

  test('without virtual domains an @ is a character', () => {
    expectSame(bob, 'user/eve@example.org/Sent', mailbox('eve@example.org', 'Sent'));
    expectSame(bob, 'staff@home', mailbox('', 'staff@home'));
  });
});

describe('the separator .', () => {
  const bob = space('bob', { unixhierarchysep: false });

  test('levels are separated by dots, dots are shown as ^', () => {
    expect(bob.separator).toBe('.');
    expectSame(bob, 'INBOX.Sent', mailbox('bob', 'Sent'));
    expectSame(bob, 'user.john^doe.a^b', mailbox('john.doe', 'a.b'));
    expect(bob.personal.prefix).toBe('INBOX.');
    expect(bob.otherUsers.prefix).toBe('user.');
  });

  test('a ^ and a dot inside a level stay different', () => {
    const dot = bob.toExternal(mailbox('bob', 'a.b'));
    const caret = bob.toExternal(mailbox('bob', 'a^b'));
    expect(dot).not.toBe(caret);
    expect(bob.toInternal(dot).path).toBe('a.b');
    expect(bob.toInternal(caret).path).toBe('a^b');
  });

  test('a user name cannot be smuggled in with /', () => {
    expect(codeOf(() => bob.toInternal('user.a/b'))).toBe('cannot');
  });

  test('^^ is the level ..', () => {
    expect(codeOf(() => bob.toInternal('INBOX.^^'))).toBe('cannot');
  });
});

describe('altnamespace', () => {
  const bob = space('bob', { altnamespace: true });

  test('own folders stand beside INBOX, the others below their prefixes', () => {
    expectSame(bob, 'INBOX', mailbox('bob'));
    expectSame(bob, 'Sent', mailbox('bob', 'Sent'));
    expectSame(bob, 'user/x', mailbox('bob', 'user/x'));
    expectSame(bob, 'Other Users/eve', mailbox('eve'));
    expectSame(bob, 'Other Users/eve/Sent', mailbox('eve', 'Sent'));
    expectSame(bob, 'Shared Folders/staff', mailbox('', 'staff'));
    expect(bob.personal).toEqual({ prefix: '', separator: '/' });
    expect(bob.otherUsers.prefix).toBe('Other Users/');
    expect(bob.shared.prefix).toBe('Shared Folders/');
  });

  test('the prefixes alone are no mailboxes, and nothing stands below INBOX', () => {
    for (
      const name of [
        'Other Users',
        'Shared Folders',
        'Other Users/',
        'Shared Folders/',
        'INBOX/',
        'INBOX/Sent',
      ]
    ) {
      expect([name, codeOf(() => bob.toInternal(name))]).toEqual([name, 'cannot']);
    }
  });

  test('own folders whose names would mean something else are shown below INBOX', () => {
    expectSame(bob, 'INBOX/Other Users/x', mailbox('bob', 'Other Users/x'));
    expectSame(bob, 'INBOX/Shared Folders', mailbox('bob', 'Shared Folders'));
    expectSame(bob, 'INBOX/inbox/x', mailbox('bob', 'inbox/x'));
  });

  test("prefixes are the administrator's words, also with the separator .", () => {
    const dotted = space('bob', {
      altnamespace: true,
      unixhierarchysep: false,
      userprefix: 'Leute',
      sharedprefix: 'A^B',
    });
    expectSame(dotted, 'Leute.john^doe.x', mailbox('john.doe', 'x'));
    expectSame(dotted, 'A^B.staff', mailbox('', 'staff'));
  });

  test('an administrator sees the standard names', () => {
    const admin = space('cyrus', { altnamespace: true }, true);
    expectSame(admin, 'user/bob/Sent', mailbox('bob', 'Sent'));
    expectSame(admin, 'user/cyrus', mailbox('cyrus'));
    expect(admin.toInternal('INBOX')).toEqual(mailbox('cyrus'));
    expect(admin.personal.prefix).toBe('INBOX/');
  });
});

describe('virtual domains', () => {
  const settings = { virtdomains: 'on' as const };

  test('a user sees the names of the own domain without it', () => {
    const bob = space('bob@example.org', settings);
    expectSame(bob, 'INBOX/Sent', mailbox('bob@example.org', 'Sent'));
    expectSame(bob, 'user/eve/Sent', mailbox('eve@example.org', 'Sent'));
    expectSame(bob, 'staff', mailbox('@example.org', 'staff'));
    expect(bob.toInternal('user/eve/Sent@Example.ORG')).toEqual(mailbox('eve@example.org', 'Sent'));
  });

  test('other domains do not exist for a user', () => {
    const bob = space('bob@example.org', settings);
    expect(codeOf(() => bob.toInternal('user/eve@example.com'))).toBe('nonexistent');
    expect(codeOf(() => bob.toInternal('staff@'))).toBe('nonexistent');
    const plain = space('bob', settings);
    expect(codeOf(() => plain.toInternal('user/eve@example.com'))).toBe('nonexistent');
    const domainAdmin = space('root@example.org', settings, true);
    expect(codeOf(() => domainAdmin.toInternal('user/eve@example.com'))).toBe('nonexistent');
    expectSame(domainAdmin, 'user/eve', mailbox('eve@example.org'));
  });

  test('a global administrator names every domain', () => {
    const admin = space('cyrus', settings, true);
    expectSame(admin, 'user/django@nausch.org', mailbox('django@nausch.org'));
    expectSame(admin, 'user/django/Sent@nausch.org', mailbox('django@nausch.org', 'Sent'));
    expectSame(admin, 'user/django', mailbox('django'));
    expectSame(admin, 'staff@nausch.org', mailbox('@nausch.org', 'staff'));
    const dotted = space('cyrus', { ...settings, unixhierarchysep: false }, true);
    expectSame(dotted, 'user.john^doe.Sent@nausch.org', mailbox('john.doe@nausch.org', 'Sent'));
  });

  test('folders with an @ in their name', () => {
    const bob = space('bob@example.org', settings);
    expectSame(bob, 'INBOX/me@gmail.com', mailbox('bob@example.org', 'me@gmail.com'));
    expectSame(bob, 'user/eve/me@gmail.com@example.org', mailbox('eve@example.org', 'me@gmail.com'));
    const admin = space('cyrus', settings, true);
    expectSame(admin, 'user/bob/me@gmail.com@', mailbox('bob', 'me@gmail.com'));
    const home = space('cyrus', { ...settings, defaultdomain: 'example.org' }, true);
    expectSame(home, 'user/bob/me@gmail.com@example.org', mailbox('bob', 'me@gmail.com'));
  });

  test('the default domain has no suffix', () => {
    const admin = space('cyrus', { ...settings, defaultdomain: 'Nausch.org' }, true);
    expect(admin.toInternal('user/django@nausch.org')).toEqual(mailbox('django'));
    expect(admin.toExternal(mailbox('django'))).toBe('user/django');
    const bob = space('bob', { ...settings, defaultdomain: 'nausch.org' });
    expect(bob.toInternal('user/django@nausch.org')).toEqual(mailbox('django'));
  });

  test('what is no domain is no name', () => {
    const admin = space('cyrus', settings, true);
    for (
      const bad of ['user/x@a b', 'user/x@..', 'user/x@-a', 'user/x@[1.2.3.4]', 'user/x@a/b', 'user/a@b@c']
    ) {
      expect([bad, codeOf(() => admin.toInternal(bad))]).toEqual([bad, 'cannot']);
    }
  });

  test('internationalized domains are A-labels', () => {
    const admin = space('cyrus', settings, true);
    expect(admin.toInternal('user/eve@Müller.example')).toEqual(mailbox('eve@xn--mller-kva.example'));
  });
});

describe('every mode', () => {
  /** mulberry32: small, seeded, good enough to choose from. */
  function random(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) % below;
    };
  }

  const PIECES = [
    'a',
    'A',
    '.',
    '^',
    '@',
    '~',
    ' ',
    'inbox',
    'INBOX',
    'user',
    'Other Users',
    'Shared Folders',
    'ü',
    '%',
    'd.org',
    '😀',
  ];
  const LOCALS = ['bob', 'eve', 'john.doe', 'a.b.c', 'inbox', 'user', "o'hara", 'x+y', 'müller'];
  const DOMAINS = ['', 'd.org', 'sub.d.org', 'e.net'];

  test('round trip, and different names stay different', () => {
    const seed = Number(process.env['SEED'] ?? 20111208);
    const next = random(seed);
    const pick = <T>(list: readonly T[]): T => list[next(list.length)] as T;
    const component = () => {
      let text = '';
      for (let n = 1 + next(3); n > 0; n--) text += pick(PIECES);
      return text === '.' || text === '..' ? 'dots' : text;
    };
    let checked = 0;
    for (const unixhierarchysep of [true, false]) {
      for (const altnamespace of [true, false]) {
        for (const virtdomains of ['off', 'userid', 'on'] as const) {
          for (const defaultdomain of ['', 'home.org']) {
            for (const admin of [true, false]) {
              const domains = virtdomains === 'off' ? [''] : DOMAINS;
              const domain = pick(domains);
              const userid = (at: string, local: string) => at === '' ? local : `${local}@${at}`;
              const viewer = user(userid(domain, pick(LOCALS)), admin);
              const names = new Namespace(
                makeSettings({ unixhierarchysep, altnamespace, virtdomains, defaultdomain }),
                viewer,
              );
              const seen = new Map<string, MailboxName>();
              for (let n = 0; n < 300; n++) {
                const at = admin && domain === '' ? pick(domains) : domain;
                const path = Array.from({ length: next(4) }, component).join('/');
                const shared = next(4) === 0 && path !== '';
                const owner = shared
                  ? (at === '' ? '' : `@${at}`)
                  : next(3) === 0
                  ? viewer.userid
                  : userid(at, pick(LOCALS));
                const name = { owner, path };
                if (codeOf(() => checkName(name)) !== 'no error') continue;
                const external = names.toExternal(name);
                const where = `seed ${seed}: ${
                  JSON.stringify({ name, external, viewer, unixhierarchysep, altnamespace, virtdomains })
                }`;
                const before = seen.get(external);
                if (before !== undefined && !sameName(before, name)) throw new Error(`same name, ${where}`);
                seen.set(external, name);
                const back = names.toInternal(external);
                if (!sameName(back, name)) throw new Error(`came back as ${JSON.stringify(back)}, ${where}`);
                checked++;
              }
            }
          }
        }
      }
    }
    expect(checked).toBeGreaterThan(5000);
  });

  test('whatever is read is a valid name and reads the same again', () => {
    const seed = Number(process.env['SEED'] ?? 4711);
    const next = random(seed);
    const pick = <T>(list: readonly T[]): T => list[next(list.length)] as T;
    const pieces = [...PIECES, '/', '/', '.', '@', '\u0000', '\u0301', '\ud800', 'user/', 'INBOX/', 'INBOX.'];
    let read = 0;
    for (let n = 0; n < 6000; n++) {
      const given = {
        unixhierarchysep: next(2) === 0,
        altnamespace: next(2) === 0,
        virtdomains: pick(['off', 'userid', 'on'] as const),
      };
      const viewer = user(pick(['bob', 'bob@d.org']), next(2) === 0);
      const names = new Namespace(makeSettings(given), viewer);
      const text = Array.from({ length: next(8) }, () => pick(pieces)).join('');
      let name: MailboxName;
      try {
        name = names.toInternal(text);
      } catch (thrown) {
        if (thrown instanceof MailError && (thrown.code === 'cannot' || thrown.code === 'nonexistent')) {
          continue;
        }
        throw thrown;
      }
      read++;
      const where = `seed ${seed}: ${JSON.stringify({ text, name, given, viewer })}`;
      if (codeOf(() => checkName(name)) !== 'no error') throw new Error(`invalid, ${where}`);
      if (!sameName(names.toInternal(names.toExternal(name)), name)) throw new Error(`differs, ${where}`);
    }
    expect(read).toBeGreaterThan(500);
  });
});

describe('relations of names', () => {
  test('below is by levels, not by letters', () => {
    expect(isBelow(mailbox('bob', 'ab'), mailbox('bob', 'a'))).toBe(false);
    expect(isBelow(mailbox('bob', 'a/b'), mailbox('bob', 'a'))).toBe(true);
    expect(isBelow(mailbox('bob', 'a'), mailbox('bob', 'a'))).toBe(false);
    expect(isBelow(mailbox('bob', 'a'), mailbox('bob'))).toBe(true);
    expect(isBelow(mailbox('bob'), mailbox('bob'))).toBe(false);
    expect(isBelow(mailbox('bobby', 'a'), mailbox('bob'))).toBe(false);
  });

  test('parents and leaves', () => {
    expect(parentName(mailbox('bob', 'a/b'))).toEqual(mailbox('bob', 'a'));
    expect(parentName(mailbox('bob', 'a'))).toEqual(mailbox('bob'));
    expect(parentName(mailbox('bob'))).toBeUndefined();
    expect(parentName(mailbox('', 'a/b'))).toEqual(mailbox('', 'a'));
    expect(parentName(mailbox('', 'a'))).toBeUndefined();
    expect(parentName(mailbox('@d.org', 'a'))).toBeUndefined();
    expect(leafName(mailbox('bob', 'a/b'))).toBe('b');
    expect(leafName(mailbox('bob'))).toBe('');
  });

  test('folders of the settings and of addresses use the separator clients see', () => {
    expect(folderName('bob', 'Lists/dev', { unixhierarchysep: true })).toEqual(mailbox('bob', 'Lists/dev'));
    expect(folderName('bob', 'Lists.dev', { unixhierarchysep: false })).toEqual(mailbox('bob', 'Lists/dev'));
    expect(folderName('bob', 'Lists.dev', { unixhierarchysep: true })).toEqual(mailbox('bob', 'Lists.dev'));
    expect(codeOf(() => folderName('bob', '', { unixhierarchysep: true }))).toBe('cannot');
  });

  test('checkName guards names that were not read from a client', () => {
    expect(codeOf(() => checkName(mailbox('', '')))).toBe('cannot');
    expect(codeOf(() => checkName(mailbox('bob', 'u\u0308')))).toBe('cannot');
    expect(codeOf(() => checkName(mailbox('', 'INBOX/x')))).toBe('cannot');
    expect(checkName(mailbox('bob', 'user'))).toEqual(mailbox('bob', 'user'));
  });
});
