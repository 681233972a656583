/** RFC 5260: date, currentdate, index. */

import { expect, test } from 'bun:test';
import { datePart, parseZone } from '../../../src/sieve/moment.ts';
import { actions, findings, holds, HOST, message } from '../harness.ts';

const MAIL = message(
  'Received: from a (b [192.0.2.1]) by c; Wed, 22 Jul 2009 08:30:48 +0200',
  'Received: from x by y; Mon, 20 Jul 2009 23:59:59 -0500',
  'Date: Mon, 20 Jul 2009 21:44:43 +0300',
  'To: <one@example.com>, two@example.com',
  'To: three@example.com',
  'Cc: four@example.com',
  'X-Bad: 32 Jan 2009 00:00:00 +0000',
  '',
  '',
);

function held(test: string): boolean {
  return holds(test, MAIL, ['date', 'index', 'relational', 'comparator-i;ascii-numeric', 'variables'], {
    host: { zoneOffset: () => 120, now: Date.UTC(2026, 6, 1, 22, 30, 5) },
  });
}

test('§4.2: every part of a date, in its own zone', () => {
  for (
    const [part, value] of [
      ['year', '2009'],
      ['month', '07'],
      ['day', '20'],
      ['date', '2009-07-20'],
      ['julian', '55032'],
      ['hour', '21'],
      ['minute', '44'],
      ['second', '43'],
      ['time', '21:44:43'],
      ['iso8601', '2009-07-20T21:44:43+03:00'],
      ['std11', 'Mon, 20 Jul 2009 21:44:43 +0300'],
      ['zone', '+0300'],
      ['weekday', '1'],
      ['WeekDay', '1'],
    ] as const
  ) expect([part, held(`date :originalzone "date" "${part}" "${value}"`)]).toEqual([part, true]);
});

test("§4.1: the server's zone, another one", () => {
  expect(held('date "date" "time" "20:44:43"')).toBe(true);
  expect(held('date "date" "zone" "+0200"')).toBe(true);
  expect(held('date :zone "-0930" "date" "iso8601" "2009-07-20T09:14:43-09:30"')).toBe(true);
  expect(held('date :zone "+0000" "date" "iso8601" "2009-07-20T18:44:43Z"')).toBe(true);
  expect(held('date :zone "+0000" "date" "zone" "+0000"')).toBe(true);
  expect(findings('require "date"; if date :zone "0200" "a" "hour" "b" { }')[0]).toContain('no time zone');
  expect(findings('require "date"; if date :zone "+0200" :originalzone "a" "hour" "b" { }')[0]).toContain(
    "excludes ':zone'",
  );
  expect(() => held('date :zone "${x}" "date" "hour" "1"')).toThrow('no time zone');
  expect(parseZone('+0260')).toBeNull();
});

test('§4: only the first field; the date behind its last semicolon; none where it is no date', () => {
  expect(held('date :originalzone "received" "date" "2009-07-22"')).toBe(true);
  expect(held('date :originalzone "received" "date" "2009-07-20"')).toBe(false);
  expect(held('date :count "eq" "received" "date" "1"')).toBe(true);
  expect(held('date :count "eq" "x-bad" "date" "0"')).toBe(true);
  expect(held('date :matches "x-none" "date" "*"')).toBe(false);
  expect(findings('require "date"; if date "a" "frop" "b" { }')[0]).toContain('unknown date part "frop"');
});

test('§5: currentdate is the moment of the run', () => {
  expect(held('currentdate "date" "2026-07-02"')).toBe(true);
  expect(held('currentdate :zone "+0000" "date" "2026-07-01"')).toBe(true);
  expect(held('currentdate :value "ge" :comparator "i;ascii-numeric" "hour" "0"')).toBe(true);
  expect(held('currentdate :count "eq" "hour" "1"')).toBe(true);
  const script = `require ["date", "variables", "fileinto"];
    if currentdate :matches "month" "*" { set "month" "\${1}"; }
    if currentdate :matches "year"  "*" { set "year"  "\${1}"; }
    fileinto "\${month}-\${year}";`;
  expect(actions(script, MAIL, { host: HOST })).toEqual(['fileinto 07-2026']);
});

test('moments before 1970 and leap days', () => {
  expect(datePart('julian', -1, 0)).toBe('40586');
  expect(datePart('date', Date.UTC(2024, 1, 29) / 1000, 0)).toBe('2024-02-29');
  expect(datePart('weekday', 0, -60)).toBe('3');
});

test('§6: :index counts fields, over all names of a test, from the first or the last', () => {
  expect(held('date :originalzone :index 2 "received" "date" "2009-07-20"')).toBe(true);
  expect(held('date :originalzone :index 1 :last "received" "date" "2009-07-20"')).toBe(true);
  expect(held('date :index 3 "received" "date" "2009-07-20"')).toBe(false);
  expect(held('header :index 2 "to" "three@example.com"')).toBe(true);
  expect(held('header :index 3 ["to", "cc"] "four@example.com"')).toBe(true);
  expect(held('header :index 1 ["cc", "to"] "four@example.com"')).toBe(true);
  expect(held('header :index 1 :last ["to", "cc"] "four@example.com"')).toBe(true);
  expect(held('header :index 2 :last ["to", "cc"] "three@example.com"')).toBe(true);
  expect(held('header :index 4 ["to", "cc"] "four@example.com"')).toBe(false);
  expect(held('address :index 1 "to" "two@example.com"')).toBe(true);
  expect(held('address :index 2 "to" "two@example.com"')).toBe(false);
  expect(held('header :count "eq" :index 1 "to" "1"')).toBe(true);
  expect(findings('require "index"; if header :last "to" "x" { }')[0]).toContain(
    'cannot be specified without the :index tag',
  );
  expect(findings('require "index"; if header :index 0 "to" "x" { }')[0]).toContain('1 at least');
});
