/** Comparators and match types of RFC 5228, asked as tests ask them. */

import { expect, test } from 'bun:test';
import { asciiCasemap } from '../../src/sieve/match/asciicasemap.ts';
import { contains } from '../../src/sieve/match/contains.ts';
import { is } from '../../src/sieve/match/is.ts';
import type { MatchType } from '../../src/sieve/match/matcher.ts';
import { octet } from '../../src/sieve/match/octet.ts';
import { Values } from '../../src/sieve/match/values.ts';
import { fromOctets, toOctets } from '../../src/sieve/octets.ts';

function matches(type: MatchType, comparator: typeof octet, values: string[], keys: string[]): boolean {
  return type.compile(comparator, keys.map(toOctets), null).match(new Values(values.map(toOctets)), null);
}

test(':is compares whole values, with one key and with several', () => {
  expect(matches(is, octet, ['Frop'], ['Frop'])).toBe(true);
  expect(matches(is, octet, ['Frop'], ['frop'])).toBe(false);
  expect(matches(is, asciiCasemap, ['x', 'FROP'], ['frop'])).toBe(true);
  expect(matches(is, asciiCasemap, ['x', 'Frop'], ['a', 'fROP'])).toBe(true);
  expect(matches(is, asciiCasemap, [], ['a', ''])).toBe(false);
});

test(':contains finds a key anywhere, the empty one in every value and none in no value', () => {
  expect(matches(contains, asciiCasemap, ['Make MONEY fast'], ['gold', 'money'])).toBe(true);
  expect(matches(contains, octet, ['Make MONEY fast'], ['money'])).toBe(false);
  expect(matches(contains, asciiCasemap, [''], [''])).toBe(true);
  expect(matches(contains, asciiCasemap, [], [''])).toBe(false);
});

test('i;ascii-casemap changes ASCII letters alone: octets of UTF-8 are no letters', () => {
  expect(matches(is, asciiCasemap, ['Ärger'], ['ÄRGER'])).toBe(true);
  expect(matches(is, asciiCasemap, ['ärger'], ['ÄRGER'])).toBe(false);
  expect(fromOctets(asciiCasemap.normalize(toOctets('ÀÉ Z')))).toBe('ÀÉ z');
});

test('i;ascii-casemap orders as upper case does', () => {
  // RFC 4790 §9.2.1: "_" comes behind the letters.
  expect(Math.sign(asciiCasemap.order('_', 'a'))).toBe(1);
  expect(Math.sign(octet.order('_', 'a'))).toBe(-1);
});
