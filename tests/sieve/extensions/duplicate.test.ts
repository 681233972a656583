/** RFC 7352 */

import { expect, test } from 'bun:test';
import type { Remembered } from '../../../src/sieve/result.ts';
import { findings, message, MESSAGE_A, outcome } from '../harness.ts';

const MAIL = message('Message-ID: <1@example.com>', 'X-Event: one', 'X-Event: two', '', '');

/** Whether the test is true, and what it remembers. */
function ask(
  test: string,
  seen: readonly string[] = [],
  mail = MAIL,
): { found: boolean; remembered: readonly Remembered[] } {
  const script = `require ["duplicate", "variables"]; if ${test} { discard; }`;
  const { result, error } = outcome(script, mail, { host: { seen: (key) => seen.includes(key) } });
  expect(error).toBeNull();
  return { found: result.has('discard'), remembered: result.remembered };
}

function key(test: string): string {
  return ask(test).remembered[0]?.key ?? '';
}

test('§3: true only for what was seen before; then nothing new is remembered', () => {
  const first = ask('duplicate');
  expect(first).toMatchObject({ found: false, remembered: [{ seconds: null }] });
  expect(ask('duplicate', [key('duplicate')])).toEqual({ found: true, remembered: [] });
});

test('§3.1, §3.2: where the id comes from does not matter, the handle does', () => {
  const plain = key('duplicate');
  expect(key('duplicate :header "message-id"')).toBe(plain);
  expect(key('allof (header :matches "message-id" "*", duplicate :uniqueid "${0}")')).toBe(plain);
  expect(key('duplicate :handle "a"')).not.toBe(plain);
  expect(key('duplicate :handle "a" :uniqueid "b"')).not.toBe(key('duplicate :uniqueid "ab"'));
  expect(key('duplicate :header "x-event"')).toBe(key('duplicate :uniqueid "one"'));
  expect(key('duplicate :uniqueid "One"')).not.toBe(key('duplicate :uniqueid "one"'));
});

test('§3.1, §3.3: no id or no time is no duplicate, and nothing is remembered', () => {
  const nothing = { found: false, remembered: [] };
  expect(ask('duplicate', [], MESSAGE_A)).toEqual(nothing);
  expect(ask('duplicate :header "in valid:"')).toEqual(nothing);
  expect(ask('duplicate :seconds 0', [key('duplicate')])).toEqual(nothing);
});

test('§3.3: :seconds, and :last counts anew each time', () => {
  expect(ask('duplicate :seconds 60').remembered).toMatchObject([{ seconds: 60 }]);
  expect(ask('duplicate :seconds 60 :last', [key('duplicate')])).toMatchObject({
    found: true,
    remembered: [{ seconds: 60 }],
  });
});

test('all tests of a run give the same answer, and the last time that is said counts', () => {
  const twice = ask('anyof (duplicate :seconds 10, duplicate :seconds 20)');
  expect(twice.found).toBe(false);
  expect(twice.remembered).toMatchObject([{ seconds: 20 }]);
});

test('one source of the id', () => {
  expect(findings('require "duplicate"; if duplicate :header "a" :uniqueid "b" { }')[0]).toContain(
    "excludes ':header'",
  );
});
