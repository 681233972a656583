/** RFC 5231, with the examples of §6 */

import { expect, test } from 'bun:test';
import { findings, holds, message } from '../harness.ts';

const MAIL = message(
  'Received: one',
  'Received: two',
  'Subject: a',
  'X-Priority: 3',
  'To: <a@example.com>, b@example.com',
  'Cc: c@example.com',
  '',
  '',
);
const NEEDED = ['relational', 'comparator-i;ascii-numeric'];

test(':count counts values over all fields of a test', () => {
  const count = (relation: string, number: number): boolean =>
    holds(
      `header :count "${relation}" :comparator "i;ascii-numeric" ["received", "subject"] "${number}"`,
      MAIL,
      NEEDED,
    );
  expect([
    count('eq', 3),
    count('gt', 2),
    count('gt', 3),
    count('le', 3),
    count('ne', 3),
    count('lt', 4),
    count('ge', 4),
  ])
    .toEqual([true, true, false, true, false, true, false]);
  expect(holds('address :count "ge" :comparator "i;ascii-numeric" ["to", "cc"] ["3"]', MAIL, NEEDED)).toBe(
    true,
  );
  expect(holds('header :count "eq" :comparator "i;ascii-numeric" "x-none" "0"', MAIL, NEEDED)).toBe(true);
});

test(':value compares by the comparator', () => {
  expect(holds('header :value "lt" :comparator "i;ascii-numeric" ["x-priority"] ["10"]', MAIL, NEEDED)).toBe(
    true,
  );
  expect(holds('header :value "lt" ["x-priority"] ["10"]', MAIL, NEEDED)).toBe(false);
  expect(holds('address :value "gt" :all ["to"] ["AA"]', MAIL, NEEDED)).toBe(true);
});

test('a relation that is none is an error, as is one that is missing', () => {
  expect(findings('require "relational"; if header :value "xx" "a" "b" { }')[0]).toContain(
    'unknown relation "xx"',
  );
  expect(findings('require "relational"; if header :count 1 "a" { }')[0]).toContain(
    "expects a string behind ':count'",
  );
});
