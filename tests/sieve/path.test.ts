/** Addresses of an envelope, right and wrong. */

import { expect, test } from 'bun:test';
import { parsePath } from '../../src/sieve/path.ts';
import { ENVELOPE, holds, MESSAGE_A } from './harness.ts';

test('paths with and without brackets, routes and domains', () => {
  for (
    const [path, localpart, domain] of [
      ['a@b.c', 'a', 'b.c'],
      ['<a@b.c>', 'a', 'b.c'],
      ['<@x.y,@z.w:a@b.c>', 'a', 'b.c'],
      ['<MAILER-DAEMON>', 'MAILER-DAEMON', ''],
      ['..a...b..@c.d', '..a...b..', 'c.d'],
      ['"a b\\"c"@d', 'a b"c', 'd'],
      ['a@[192.0.2.1]', 'a', '[192.0.2.1]'],
      ['a@_b.c-', 'a', '_b.c-'],
    ] as const
  ) expect([path, parsePath(path)]).toEqual([path, { localpart, domain }]);
});

test('what is no path', () => {
  for (
    const path of [
      'a@',
      '<<a@b>',
      'a@b>',
      '<a@b',
      '<a b>',
      '<a@@b>',
      '<x.y:a@b>',
      '<@.x:a@b>',
      '<@x..y:a@b>',
      '<@x.ya@b>',
      '<@x@y:a@b>',
      '<@x,y:a@b>',
      '<@x,@y,a@b>',
      '',
      '<>',
      'a@b..c',
      '"a@b',
    ]
  ) expect([path, parsePath(path)]).toEqual([path, null]);
});

test('an envelope test of what is no path matches nothing', () => {
  const world = { envelope: { ...ENVELOPE, from: 'a@' } };
  expect(holds('envelope :contains "from" ""', MESSAGE_A, ['envelope'], world)).toBe(false);
  expect(
    holds('envelope :contains "from" ""', MESSAGE_A, ['envelope'], { envelope: { ...ENVELOPE, from: '<>' } }),
  ).toBe(true);
});
