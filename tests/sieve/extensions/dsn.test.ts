/** RFC 6009: what the envelope says about reports and time, and what a redirect says about them. */

import { expect, test } from 'bun:test';
import type { Envelope } from '../../../src/sieve/message.ts';
import type { Dispatch } from '../../../src/sieve/result.ts';
import { decide, ENVELOPE, findings, holds, HOST, MESSAGE_A } from '../harness.ts';

const ASKED: Envelope = {
  ...ENVELOPE,
  dsn: { notify: ['SUCCESS', 'DELAY'], orcpt: 'rfc822;bird@example.com', ret: 'HDRS', envid: 'QQ314159' },
  deliverBy: { deadline: HOST.now + 90_000, mode: 'notify', trace: true },
};

function envelope(part: string, key: string, given = ASKED): boolean {
  const needed = ['envelope', 'envelope-dsn', 'envelope-deliverby'];
  return holds(`envelope "${part}" "${key}"`, MESSAGE_A, needed, { envelope: given });
}

test('the envelope', () => {
  expect(envelope('notify', 'DELAY')).toBe(true);
  expect(envelope('notify', 'FAILURE')).toBe(false);
  expect(envelope('orcpt', 'rfc822;bird@example.com')).toBe(true);
  expect(envelope('ret', 'HDRS')).toBe(true);
  expect(envelope('envid', 'QQ314159')).toBe(true);
  expect(envelope('bytimerelative', '90')).toBe(true);
  expect(envelope('bytimeabsolute', '2026-07-01T14:01:30+02:00')).toBe(true);
  expect(envelope('bymode', 'notify')).toBe(true);
  expect(envelope('bytrace', 'trace')).toBe(true);
  for (const part of ['notify', 'orcpt', 'ret', 'envid', 'bymode', 'bytimerelative']) {
    expect(envelope(part, '', ENVELOPE)).toBe(false);
  }
});

test('its parts need their extension', () => {
  expect(findings('require "envelope"; if envelope "ret" "FULL" { }')).toEqual([
    '1:33 the envelope test: the part "ret" of the envelope needs require "envelope-dsn"',
  ]);
  expect(findings('require "envelope-dsn"; keep;')).toEqual([
    '1:9 the extension "envelope-dsn" needs require "envelope"',
  ]);
});

function dispatch(tags: string): Dispatch {
  const script =
    `require ["redirect-dsn", "redirect-deliverby", "variables"]; redirect ${tags} "a@example.com";`;
  const [action] = decide(script, MESSAGE_A);
  if (action?.kind !== 'redirect') throw new Error('no redirect');
  return action.dispatch;
}

test('redirect', () => {
  expect(dispatch('')).toEqual({ notify: null, ret: null, deliverBy: null });
  expect(dispatch(':notify "never" :ret "full"')).toMatchObject({ notify: ['NEVER'], ret: 'FULL' });
  expect(dispatch(':notify "DELAY,SUCCESS"').notify).toEqual(['SUCCESS', 'DELAY']);
  expect(dispatch(':bytimerelative 60').deliverBy).toEqual({
    deadline: HOST.now + 60_000,
    mode: 'return',
    trace: false,
  });
  expect(dispatch(':bymode "notify" :bytimeabsolute "2026-07-01T14:00:00+01:00" :bytrace').deliverBy).toEqual(
    {
      deadline: Date.UTC(2026, 6, 1, 13),
      mode: 'notify',
      trace: true,
    },
  );
});

test('what it cannot mean is an error', () => {
  const wrong = (tags: string) =>
    findings(`require ["redirect-dsn", "redirect-deliverby"]; redirect ${tags} "a@example.com";`)[0] ?? '';
  expect(wrong(':notify "NEVER,DELAY"')).toContain('expected "NEVER", or some of');
  expect(wrong(':ret "some"')).toContain('expected "FULL" or "HDRS"');
  expect(wrong(':bytimeabsolute "tomorrow"')).toContain('is no time');
  expect(wrong(':bytimerelative 1 :bytimeabsolute "2026-07-01T12:00:00Z"')).toContain(
    "excludes ':bytimerelative'",
  );
  expect(wrong(':bymode "notify"')).toContain('needs :bytimerelative');
  expect(wrong(':bytrace')).toContain('needs :bytimerelative');
});

test('imapsieve is nothing for a delivery', () => {
  expect(findings('require "imapsieve";')).toEqual(['1:9 the extension "imapsieve" is not allowed here']);
});
