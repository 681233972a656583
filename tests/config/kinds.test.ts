import { describe, expect, test } from 'bun:test';
import * as kinds from '../../src/config/kinds.ts';
import type { Parsed } from '../../src/config/kinds/kind.ts';

function value<T>(parsed: Parsed<T>): T | string {
  return parsed.ok ? parsed.value : `refused: ${parsed.problem}`;
}

function refused<T>(parsed: Parsed<T>): boolean {
  return !parsed.ok;
}

describe('a switch', () => {
  const kind = kinds.switchKind();
  test("takes Cyrus's words", () => {
    for (const word of ['yes', 'Yes', 'on', 'true', 't', 'y', '1']) {
      expect(value(kind.fromText(word))).toBe(true);
    }
    for (const word of ['no', 'off', 'OFF', 'false', 'f', 'n', '0']) {
      expect(value(kind.fromText(word))).toBe(false);
    }
    expect(value(kind.fromText('maybe'))).toBe('refused: expected yes or no, found "maybe"');
  });
  test('is true or false in TOML and nothing else', () => {
    expect(value(kind.fromToml('yes'))).toBe('refused: expected true or false, found the string "yes"');
    expect(value(kind.fromToml(1))).toBe('refused: expected true or false, found the integer 1');
    expect(value(kind.fromToml([]))).toBe('refused: expected true or false, found an array');
    expect(value(kind.fromToml({}))).toBe('refused: expected true or false, found a table');
    expect(value(kind.fromToml(new Date(0)))).toBe('refused: expected true or false, found a date');
    expect(value(kind.fromToml(1.5))).toBe('refused: expected true or false, found the float 1.5');
  });
});

describe('a size', () => {
  const kind = kinds.sizeKind(0, 2 ** 50, true);
  test('has units of 1024', () => {
    expect(value(kind.fromToml('64M'))).toBe(64 * 1024 * 1024);
    expect(value(kind.fromToml('1 GiB'))).toBe(2 ** 30);
    expect(value(kind.fromToml('12kb'))).toBe(12 * 1024);
    expect(value(kind.fromToml('7B'))).toBe(7);
    expect(value(kind.fromToml(4096))).toBe(4096);
  });
  test('takes the unit of an old key for a bare number', () => {
    expect(value(kind.fromText('2048000', 'K'))).toBe(2048000 * 1024);
    expect(value(kind.fromText('2G', 'K'))).toBe(2 ** 31);
    expect(value(kind.fromText('-1', 'K'))).toBe(-1);
  });
  test('refuses what is none', () => {
    for (const text of ['', 'M', '-2', '1.5M', '64MX', '1e6', '99999999999999999999']) {
      expect(refused(kind.fromToml(text))).toBe(true);
    }
    expect(refused(kind.fromToml(2 ** 51))).toBe(true);
    expect(refused(kinds.sizeKind(0, 10).fromToml(-1))).toBe(true);
  });
});

describe('a duration', () => {
  const kind = kinds.durationKind(0, 366 * 86400);
  test('is counted in seconds', () => {
    expect(value(kind.fromToml('30m'))).toBe(1800);
    expect(value(kind.fromToml('1h30m'))).toBe(5400);
    expect(value(kind.fromToml('3d'))).toBe(259200);
    expect(value(kind.fromToml('2w'))).toBe(1209600);
    expect(value(kind.fromText('30', 'm'))).toBe(1800);
    expect(value(kind.fromToml(0))).toBe(0);
  });
  test('needs a unit in TOML, so that nobody has to guess', () => {
    expect(refused(kind.fromToml(30))).toBe(true);
    expect(refused(kind.fromToml('30'))).toBe(true);
    expect(refused(kind.fromToml('m'))).toBe(true);
    expect(refused(kind.fromToml('-3d'))).toBe(true);
    expect(refused(kind.fromToml('3000w'))).toBe(true);
  });
});

test('a path is absolute and has no control characters', () => {
  const kind = kinds.pathKind();
  expect(value(kind.fromToml('/var/spool/'))).toBe('/var/spool');
  expect(value(kind.fromToml('/'))).toBe('/');
  expect(refused(kind.fromToml('var/spool'))).toBe(true);
  expect(refused(kind.fromToml('/var/\x00spool'))).toBe(true);
  expect(refused(kind.fromToml('/var/\nspool'))).toBe(true);
});

test('permissions are octal text', () => {
  const kind = kinds.modeKind();
  expect(value(kind.fromToml('0660'))).toBe(0o660);
  expect(value(kind.fromToml('777'))).toBe(0o777);
  expect(kind.toToml(0o7)).toBe('"0007"');
  for (const odd of [660, '0888', '06600', '-660', '']) expect(refused(kind.fromToml(odd))).toBe(true);
});

test('networks are addresses with or without the length of a prefix', () => {
  const kind = kinds.networksKind();
  expect(value(kind.fromText('127.0.0.0/8, ::1 10.0.0.7'))).toEqual(['127.0.0.0/8', '::1', '10.0.0.7']);
  for (const odd of ['10.0.0.0/33', '::1/129', 'localhost', '10.0.0/8', '1.2.3.4/8/8', '1.2.3.4/']) {
    expect(refused(kind.fromToml([odd]))).toBe(true);
  }
});

test('a list drops what stands twice and refuses what is no string', () => {
  const kind = kinds.listKind({ separator: /\|/, item: 'folders' });
  expect(value(kind.fromText('Drafts | Sent || Drafts'))).toEqual(['Drafts', 'Sent']);
  expect(value(kind.fromToml(['a', 1]))).toBe(
    'refused: expected an array of folders, found the integer 1 in it',
  );
  expect(value(kind.fromToml('a'))).toBe('refused: expected an array of folders, found the string "a"');
  expect(refused(kind.fromToml(['']))).toBe(true);
});

test('a choice names its words', () => {
  const kind = kinds.choiceKind(['off', 'userid', 'on'], { yes: 'on' });
  expect(value(kind.fromText('YES'))).toBe('on');
  expect(value(kind.fromText('constructor'))).toStartWith('refused: ');
  expect(value(kind.fromToml('yes'))).toBe(
    'refused: expected one of "off", "userid", "on", found the string "yes"',
  );
});

test('partitions are named paths', () => {
  const kind = kinds.pathsKind();
  expect(value(kind.fromToml({ Default: '/a', b: '/b/' }))).toEqual({ default: '/a', b: '/b' });
  for (const odd of [{}, { a: 'b' }, { 'a b': '/c' }, { a: 1 }, { a: '' }, [], 'x', null]) {
    expect(refused(kind.fromToml(odd))).toBe(true);
  }
});

test('a further certificate has two files', () => {
  const kind = kinds.certificatesKind();
  const files = { server_cert: '/c.pem', server_key: '/k.pem' };
  expect(value(kind.fromToml([files]))).toEqual([files]);
  expect(value(kind.fromToml([{ ...files, ca: '/x' }]))).toContain('unknown key "ca"');
  for (const odd of [[{ server_cert: '/c.pem' }], [{}], ['x'], files, [{ ...files, server_key: 1 }]]) {
    expect(refused(kind.fromToml(odd))).toBe(true);
  }
});
