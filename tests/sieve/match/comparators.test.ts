/** Comparators of RFC 4790 and RFC 5051, and the relations of RFC 5231. */

import { expect, test } from 'bun:test';
import { asciiCasemap } from '../../../src/sieve/match/asciicasemap.ts';
import { asciiNumeric } from '../../../src/sieve/match/asciinumeric.ts';
import type { Comparator } from '../../../src/sieve/match/comparator.ts';
import { comparatorNamed } from '../../../src/sieve/match/comparators.ts';
import { contains } from '../../../src/sieve/match/contains.ts';
import { count } from '../../../src/sieve/match/count.ts';
import { octet } from '../../../src/sieve/match/octet.ts';
import { unicodeCasemap } from '../../../src/sieve/match/unicodecasemap.ts';
import { value } from '../../../src/sieve/match/value.ts';
import { Values } from '../../../src/sieve/match/values.ts';
import { toOctets } from '../../../src/sieve/octets.ts';
import { forSeeds } from '../../mime/random.ts';

function order(comparator: Comparator, left: string, right: string): number {
  return Math.sign(
    comparator.order(comparator.normalize(toOctets(left)), comparator.normalize(toOctets(right))),
  );
}

function compares(comparator: Comparator, relation: string, values: string[], key: string): boolean {
  return value.compile(comparator, [toOctets(key)], relation).match(new Values(values.map(toOctets)), null);
}

test('all four are known by their names, and no other', () => {
  for (const comparator of [octet, asciiCasemap, asciiNumeric, unicodeCasemap]) {
    expect(comparatorNamed(comparator.name)).toBe(comparator);
  }
  expect(comparatorNamed('i;frop')).toBeNull();
});

test('i;ascii-numeric: the examples of RFC 4790 §9.1.1', () => {
  expect(order(asciiNumeric, '0', '1')).toBe(-1);
  expect(order(asciiNumeric, '1', '4294967298')).toBe(-1);
  for (const same of ['04294967298', '4294967298b']) expect(order(asciiNumeric, '4294967298', same)).toBe(0);
  expect(order(asciiNumeric, '04294967298', '')).toBe(-1);
  expect(order(asciiNumeric, '', 'x')).toBe(0);
  expect(order(asciiNumeric, '00', '0')).toBe(0);
  expect(order(asciiNumeric, '-1', '5')).toBe(1);
});

test('i;ascii-numeric orders numbers of any size as numbers', () => {
  forSeeds(2_000, (random) => {
    const [a, b] = [random.text('0129', 30), random.text('0129', 30)];
    const expected = a === '' || b === ''
      ? (a === '' ? 1 : 0) - (b === '' ? 1 : 0)
      : BigInt(a) < BigInt(b)
      ? -1
      : BigInt(a) > BigInt(b)
      ? 1
      : 0;
    expect({ a, b, order: order(asciiNumeric, a, b) }).toEqual({ a, b, order: expected });
  });
});

test('i;unicode-casemap: case and composition make no difference', () => {
  expect(order(unicodeCasemap, 'ärger', 'ÄRGER')).toBe(0);
  expect(order(unicodeCasemap, 'a\u0308rger', 'ÄRGER')).toBe(0);
  expect(order(unicodeCasemap, 'Σίσυφος', 'ΣΊΣΥΦΟΣ')).toBe(0);
  expect(order(unicodeCasemap, 'жизнь', 'ЖИЗНЬ')).toBe(0);
  // RFC 5051 §2: the three forms of the digraph are one.
  for (const form of ['Ǆ', 'ǅ', 'ǆ']) {
    expect(unicodeCasemap.normalize(toOctets(form))).toBe(toOctets('Dz\u030c'));
  }
  // An iota below stays below in title case.
  expect(order(unicodeCasemap, 'ᾳ', 'ᾼ')).toBe(0);
  expect(order(unicodeCasemap, 'ნ', 'ნ')).toBe(0);
  // The sharp s has no title case of one character.
  expect(order(unicodeCasemap, 'ß', 'SS')).not.toBe(0);
  expect(
    contains.compile(unicodeCasemap, [toOctets('RGER')], null).match(new Values([toOctets('Ärger')]), null),
  )
    .toBe(true);
});

test('i;unicode-casemap: what is no UTF-8 is compared as octets', () => {
  expect(unicodeCasemap.normalize('\xe4a')).toBe('\xe4a');
});

test(':value with every relation', () => {
  const values = ['3', '12'];
  expect(compares(asciiNumeric, 'gt', values, '5')).toBe(true);
  expect(compares(asciiNumeric, 'gt', values, '12')).toBe(false);
  expect(compares(asciiNumeric, 'ge', values, '12')).toBe(true);
  expect(compares(asciiNumeric, 'LT', values, '3')).toBe(false);
  expect(compares(asciiNumeric, 'le', values, '3')).toBe(true);
  expect(compares(asciiNumeric, 'eq', values, '012')).toBe(true);
  expect(compares(asciiNumeric, 'ne', ['12'], '12')).toBe(false);
  expect(compares(asciiNumeric, 'ge', [], '0')).toBe(false);
  expect(compares(asciiCasemap, 'lt', ['apple'], 'Banana')).toBe(true);
  expect(compares(octet, 'lt', ['apple'], 'Banana')).toBe(false);
  expect(() => compares(octet, 'frop', ['a'], 'b')).toThrow('"gt"');
});

test(':count compares how many there are', () => {
  const more = count.compile(asciiNumeric, ['2'], 'ge');
  expect(more.match(new Values(['a', 'b']), null)).toBe(true);
  expect(more.match(new Values(['a']), null)).toBe(false);
  expect(count.compile(asciiNumeric, ['0'], 'eq').match(new Values([]), null)).toBe(true);
});

test(':contains finds long keys as it finds short ones', () => {
  forSeeds(400, (random) => {
    const key = random.text('ab', 100) + random.text('ab', 60);
    const text = random.text('ab', 300) + (random.once(2) ? key : '') + random.text('ab', 100);
    expect(contains.compile(octet, [key], null).match(new Values([text]), null)).toBe(text.includes(key));
  });
});
