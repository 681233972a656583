/**
 * Patterns that make a backtracking matcher try without end: each must cost what any other pattern of its size does. There is no
 * clock here: with backtracking none of these would end while anybody waits.
 */

import { expect, test } from 'bun:test';
import { asciiCasemap } from '../../src/sieve/match/asciicasemap.ts';
import { contains } from '../../src/sieve/match/contains.ts';
import { matches } from '../../src/sieve/match/matches.ts';
import type { MatchType } from '../../src/sieve/match/matcher.ts';
import { regex } from '../../src/sieve/match/regex.ts';
import { unicodeCasemap } from '../../src/sieve/match/unicodecasemap.ts';
import { Values } from '../../src/sieve/match/values.ts';
import { limits } from '../../src/limits.ts';
import { message, outcome } from '../sieve/harness.ts';

const NO_CAPTURES = { set: () => {} };

function run(type: MatchType, key: string, value: string, comparator = asciiCasemap): boolean {
  return type.compile(comparator, [key], null).match(new Values([value]), NO_CAPTURES);
}

const LONG = 'a'.repeat(100_000);

for (
  const pattern of [
    '(a+)+$',
    '^(a*)*$',
    '^((a*)*)*$',
    '(a|aa)+$',
    '^(a|a?)+$',
    '(.*a){20}$',
    '(a?){50}a{50}$',
    '([a-z]+)*[0-9]$',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '(.|[^b])*c',
    'a*a*a*a*a*a*a*a*a*b',
    '(x+x+)+y',
  ]
) {
  test(`:regex ${pattern} is linear`, () => {
    expect(run(regex, pattern, LONG + '!')).toBe(false);
  });
}

test('an expression of as many instructions as there may be is bounded by the text', () => {
  const size = Math.floor(limits.sieve_regex_program.value / 260) - 1;
  expect(run(regex, `(a{255}){${size}}b`, 'a'.repeat(1_000))).toBe(false);
});

for (
  const pattern of [
    '*?'.repeat(200) + 'b',
    '*a'.repeat(500) + 'b',
    '?*'.repeat(500) + 'b',
    '*' + 'a?'.repeat(200) + 'b*',
    '*'.repeat(4_000) + 'b',
    '*' + 'a'.repeat(2_000) + 'b*',
    '*' + '?'.repeat(2_000) + 'b*',
  ]
) {
  test(`:matches ${pattern.slice(0, 12)}… (${pattern.length}) is linear`, () => {
    expect(run(matches, pattern, LONG)).toBe(false);
    expect(run(matches, pattern, LONG, unicodeCasemap)).toBe(false);
    expect(run(matches, pattern, LONG + 'b')).toBe(true);
  });
}

test(':contains of a long key that nearly stands everywhere is linear', () => {
  expect(run(contains, 'a'.repeat(30_000) + 'b', LONG + LONG)).toBe(false);
});

test('a pattern longer than a script needs is an error', () => {
  expect(() => run(matches, 'a'.repeat(limits.sieve_match_pattern.value + 1), 'a')).toThrow('8192');
});

test('a large expression over a long value takes the budget and ends the script', () => {
  const script = `require "regex"; if header :regex "subject" "(a{255}){30}b" { discard; }`;
  const subject = (length: number) => message(`Subject: ${'a'.repeat(length)}`, '', '');
  expect(outcome(script, subject(1_000)).error).toBeNull();
  expect(outcome(script, subject(1_000_000)).error?.text).toContain('steps');
});
