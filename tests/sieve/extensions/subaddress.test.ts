/** RFC 5233 */

import { expect, test } from 'bun:test';
import { ENVELOPE, findings, holds, message } from '../harness.ts';
import { Mail } from '../../../src/sieve/mail/mail.ts';

const MAIL = message(
  'To: ken+sieve@example.org, 5551212+sip-x+y@example.com',
  'Cc: ken@example.org, empty+@example.org',
  '',
  '',
);

test('§4: user and detail, where an address without a separator has no detail', () => {
  const found = (test: string): boolean => holds(test, MAIL, ['subaddress']);
  expect(found('address :user "to" "ken"')).toBe(true);
  expect(found('address :detail "to" "sieve"')).toBe(true);
  expect(found('address :detail "to" "sip-x+y"')).toBe(true);
  expect(found('address :user "cc" "ken"')).toBe(true);
  expect(found('address :detail "cc" ""')).toBe(true);
  expect(holds('address :detail "cc" "*"', message('Cc: ken@example.org', '', ''), ['subaddress'])).toBe(
    false,
  );
  expect(holds('address :contains :detail "cc" ""', message('Cc: ken@example.org', '', ''), ['subaddress']))
    .toBe(false);
});

test('envelope knows them too; separators are as configured', () => {
  const world = { envelope: { ...ENVELOPE, to: 'ken-list@example.org' } };
  expect(holds('envelope :detail "to" "list"', MAIL, ['envelope', 'subaddress'], world)).toBe(false);
  expect(
    holds('envelope :detail "to" "list"', MAIL, ['envelope', 'subaddress'], { ...world, separators: '+-' }),
  ).toBe(true);
  const mail = message('To: ken-list@example.org', '', '');
  expect(
    holds('address :detail "to" "list"', mail, ['subaddress'], { message: new Mail(mail, '-') }),
  ).toBe(true);
});

test('it needs its require', () => {
  expect(findings('if address :detail "to" "x" { }')[0]).toContain('without require "subaddress"');
});
