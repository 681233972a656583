import { describe, expect, test } from 'bun:test';
import { MailError } from '../../src/errors.ts';
import type { AclEntry, Identity } from '../../src/store/border.ts';
import {
  changeRights,
  effectiveRights,
  hasRight,
  listRights,
  mayPost,
  newAcl,
  parseRights,
  RIGHTS,
  showRights,
  subtract,
  unite,
  withEntry,
} from '../../src/store/rights.ts';

const off = { virtdomains: 'off' as const };
const on = { virtdomains: 'on' as const };

function who(userid: string, groups: string[] = [], admin = false): Identity {
  return { userid, admin, groups };
}

function acl(...entries: [string, string][]): AclEntry[] {
  return entries.map(([identifier, rights]) => ({ identifier, rights }));
}

function syntaxOf(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof MailError && thrown.code === 'badsyntax') return thrown.message;
    throw thrown;
  }
  return 'taken';
}

describe('letters', () => {
  test('c and d are read as their members (RFC 4314 §2.1.1)', () => {
    expect(parseRights('lrswida')).toBe('lrswitea');
    expect(parseRights('c')).toBe('kx');
    expect(parseRights('lrswipcda')).toBe(RIGHTS);
    expect(parseRights('')).toBe('');
    expect(parseRights('aall')).toBe('la');
  });

  test('c and d are shown wherever a member is set', () => {
    expect(showRights(RIGHTS)).toBe('lrswipkxtecda');
    expect(showRights('lrswitea')).toBe('lrswiteda');
    expect(showRights('lrk')).toBe('lrkc');
    expect(showRights('lrt')).toBe('lrtd');
    expect(showRights('lr')).toBe('lr');
    expect(showRights('')).toBe('');
  });

  test('an unknown right is refused, never ignored (RFC 4314 §3.1)', () => {
    expect(syntaxOf(() => parseRights('lrQswicda'))).toBe('Uppercase rights are not allowed');
    expect(syntaxOf(() => parseRights('lrqswicda'))).toBe('The "q" right is not supported');
    for (const bad of [' ', 'l r', '+l', 'l-', 'é', '0', '\u0000', 'n']) {
      expect(syntaxOf(() => parseRights(bad))).not.toBe('taken');
    }
  });

  test('SETACL adds, removes and replaces', () => {
    expect(changeRights('lrswi', '+cda')).toBe('lrswikxtea');
    expect(changeRights('lrswi', '-sw')).toBe('lri');
    expect(changeRights('lrswi', 'lr')).toBe('lr');
    expect(changeRights('lrswi', '')).toBe('');
    expect(changeRights('lrswi', '+')).toBe('lrswi');
    expect(changeRights('lrswite', '-d')).toBe('lrswi');
    expect(syntaxOf(() => changeRights('l', '+-r'))).not.toBe('taken');
  });

  test('what was shown and read again is what it was, or wider only by the virtual rights', () => {
    for (let bits = 0; bits < 1 << RIGHTS.length; bits++) {
      const rights = [...RIGHTS].filter((_, at) => (bits >> at & 1) === 1).join('');
      expect(parseRights(rights)).toBe(rights);
      const shown = showRights(rights);
      expect([...shown].filter((letter) => letter !== 'c' && letter !== 'd').join('')).toBe(rights);
      expect(shown.includes('c')).toBe(rights.includes('k') || rights.includes('x'));
      expect(shown.includes('d')).toBe(rights.includes('t') || rights.includes('e'));
      expect(new Set(shown).size).toBe(shown.length);
    }
  });
});

describe('who may what', () => {
  const settings = off;

  test('an owner has what the ACL says and can always administer', () => {
    const own = newAcl('bob', null);
    expect(own).toEqual(acl(['bob', RIGHTS]));
    expect(showRights(effectiveRights(own, who('bob'), 'bob', settings))).toBe('lrswipkxtecda');
    expect(effectiveRights([], who('bob'), 'bob', settings)).toBe('lkxa');
    expect(effectiveRights(acl(['-bob', RIGHTS]), who('bob'), 'bob', settings)).toBe('lkxa');
  });

  test('a stranger has nothing', () => {
    expect(effectiveRights(newAcl('bob', null), who('eve'), 'bob', settings)).toBe('');
    expect(effectiveRights(newAcl('bob', null), who('bo'), 'bob', settings)).toBe('');
    expect(effectiveRights(newAcl('bob', null), who('bobby'), 'bob', settings)).toBe('');
  });

  test('anyone, groups and negative entries', () => {
    const list = acl(['anyone', 'lr'], ['group:staff', 'swi'], ['-eve', 'r'], ['-group:guests', 'lrsw'], [
      'anonymous',
      'p',
    ]);
    expect(effectiveRights(list, who('max'), 'bob', settings)).toBe('lr');
    expect(effectiveRights(list, who('max', ['staff']), 'bob', settings)).toBe('lrswi');
    expect(effectiveRights(list, who('max', ['group:staff']), 'bob', settings)).toBe('lrswi');
    expect(effectiveRights(list, who('eve', ['staff']), 'bob', settings)).toBe('lswi');
    expect(effectiveRights(list, who('max', ['staff', 'guests']), 'bob', settings)).toBe('i');
    expect(effectiveRights(acl(['-anyone', 'r'], ['eve', 'lr']), who('eve'), 'bob', settings)).toBe('l');
  });

  test('a user named like a group gets nothing of it', () => {
    expect(effectiveRights(acl(['group:staff', 'lr']), who('staff'), 'bob', settings)).toBe('');
    expect(effectiveRights(acl(['staff', 'lr']), who('max', ['staff']), 'bob', settings)).toBe('');
  });

  test('an administrator administers and does not read', () => {
    expect(effectiveRights(newAcl('bob', null), who('cyrus', [], true), 'bob', settings)).toBe('lkxa');
    expect(effectiveRights(acl(['cyrus', 'r'], ['-cyrus', 'l']), who('cyrus', [], true), 'bob', settings))
      .toBe('lrkxa');
  });

  test('the shared hierarchy has no owner', () => {
    expect(newAcl('', null)).toEqual(acl(['anyone', 'lrs']));
    expect(effectiveRights(newAcl('', null), who('bob'), '', settings)).toBe('lrs');
    expect(effectiveRights([], who(''), '', settings)).toBe('');
    expect(effectiveRights([], who('@d.org'), '@d.org', settings)).toBe('');
  });

  test('domains end at their border', () => {
    const list = acl(['anyone', 'lr'], ['eve@e.net', 'lrswi']);
    expect(effectiveRights(list, who('max@d.org'), 'bob@d.org', on)).toBe('lr');
    expect(effectiveRights(list, who('eve@e.net'), 'bob@d.org', on)).toBe('');
    expect(effectiveRights(list, who('max'), 'bob@d.org', on)).toBe('');
    expect(effectiveRights(list, who('max@d.org'), '@d.org', on)).toBe('lr');
    expect(effectiveRights(list, who('max@d.org'), '', on)).toBe('');
    expect(effectiveRights(list, who('root@e.net', [], true), 'bob@d.org', on)).toBe('');
    expect(effectiveRights(list, who('root@d.org', [], true), 'bob@d.org', on)).toBe('lrkxa');
    expect(effectiveRights(list, who('cyrus', [], true), 'bob@d.org', on)).toBe('lrkxa');
    expect(effectiveRights(list, who('eve@e.net'), 'bob@d.org', off)).toBe('lrswi');
  });

  test('a new folder takes over the ACL above it', () => {
    const parent = acl(['bob', RIGHTS], ['eve', 'lr']);
    const child = newAcl('bob', parent);
    expect(child).toEqual(parent);
    expect(child[0]).not.toBe(parent[0]);
    expect(newAcl('bob', [])).toEqual([]);
  });

  test('posting needs p, also for the owner', () => {
    expect(mayPost(acl(['anyone', 'p']), null)).toBe(true);
    expect(mayPost(acl(['anonymous', 'p']), null)).toBe(true);
    expect(mayPost(acl(['anonymous', 'p']), who('eve'))).toBe(false);
    expect(mayPost(acl(['eve', 'p']), who('eve'))).toBe(true);
    expect(mayPost(acl(['eve', 'p']), null)).toBe(false);
    expect(mayPost(newAcl('bob', null), null)).toBe(false);
    expect(mayPost(newAcl('bob', null), who('bob'))).toBe(true);
    expect(mayPost(acl(['anyone', 'p'], ['-anonymous', 'p']), null)).toBe(false);
  });

  test('LISTRIGHTS: every right once, what is always granted first (RFC 4314 §3.7)', () => {
    expect(listRights('eve', 'bob')).toEqual({ required: '', optional: [...RIGHTS, 'c', 'd'] });
    expect(listRights('bob', 'bob')).toEqual({
      required: 'lkxca',
      optional: ['r', 's', 'w', 'i', 'p', 't', 'e', 'd'],
    });
  });

  test('entries of an ACL', () => {
    const list = acl(['bob', RIGHTS]);
    expect(withEntry(list, 'eve', 'lr')).toEqual(acl(['bob', RIGHTS], ['eve', 'lr']));
    expect(withEntry(acl(['eve', 'lr'], ['bob', 'l']), 'eve', 'r')).toEqual(acl(['eve', 'r'], ['bob', 'l']));
    expect(withEntry(acl(['eve', 'lr'], ['bob', 'l']), 'eve', null)).toEqual(acl(['bob', 'l']));
    expect(withEntry(list, 'eve', '')).toEqual(list);
    expect(withEntry(list, '-bob', 'r')).toEqual(acl(['bob', RIGHTS], ['-bob', 'r']));
    expect(list).toEqual(acl(['bob', RIGHTS]));
  });
});

test('effective rights agree with a slow, obvious model', () => {
  const seed = Number(process.env['SEED'] ?? 4314);
  let state = seed;
  const next = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
  const pick = <T>(list: readonly T[]): T => list[next(list.length)] as T;
  const subset = () => [...RIGHTS].filter(() => next(2) === 0).join('');
  const names = [
    'bob',
    'eve',
    'bob@d.org',
    'eve@d.org',
    'eve@e.net',
    'anyone',
    'group:a',
    'group:b',
    'anonymous',
  ];

  for (let round = 0; round < 4000; round++) {
    const virtdomains = pick(['off', 'userid', 'on'] as const);
    const identity = who(pick(names.slice(0, 5)), ['a', 'b'].filter(() => next(2) === 0), next(4) === 0);
    const owner = pick(['bob', 'eve', 'bob@d.org', 'eve@e.net', '', '@d.org']);
    const list = Array.from(
      { length: next(6) },
      () => ({ identifier: (next(3) === 0 ? '-' : '') + pick(names), rights: subset() }),
    );

    const domain = (userid: string) =>
      virtdomains === 'off' || !userid.includes('@') ? '' : userid.slice(userid.lastIndexOf('@'));
    const means = (name: string) =>
      name === 'anyone' || name === identity.userid ||
      identity.groups.some((group) => name === `group:${group}`);
    let expected = '';
    for (const letter of RIGHTS) {
      const inOwnDomain = domain(owner) === domain(identity.userid);
      const global = identity.admin && domain(identity.userid) === '';
      if (!inOwnDomain && !global) continue;
      const given = list.some((entry) =>
        !entry.identifier.startsWith('-') && means(entry.identifier) && entry.rights.includes(letter)
      );
      const denied = list.some((entry) =>
        entry.identifier.startsWith('-') && means(entry.identifier.slice(1)) && entry.rights.includes(letter)
      );
      const implied = 'lkxa'.includes(letter) && (identity.admin || identity.userid === owner);
      if (given && !denied || implied) expected += letter;
    }
    const result = effectiveRights(list, identity, owner, { virtdomains });
    if (result !== expected) {
      throw new Error(
        `seed ${seed}: ${result} instead of ${expected} for ${
          JSON.stringify({ list, identity, owner, virtdomains })
        }`,
      );
    }
    const a = subset();
    const b = subset();
    for (const letter of RIGHTS) {
      expect(hasRight(unite(a, b), letter)).toBe(a.includes(letter) || b.includes(letter));
      expect(hasRight(subtract(a, b), letter)).toBe(a.includes(letter) && !b.includes(letter));
    }
  }
});
