import { expect, test } from 'bun:test';
import { editDistance, nearest } from '../../src/config/nearest.ts';
import { Random } from '../harness/random.ts';

/** The definition, word by word, without memory. */
function slowDistance(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length;
  const candidates = [
    slowDistance(a.slice(1), b) + 1,
    slowDistance(a, b.slice(1)) + 1,
    slowDistance(a.slice(1), b.slice(1)) + (a[0] === b[0] ? 0 : 1),
  ];
  if (a.length > 1 && b.length > 1 && a[0] === b[1] && a[1] === b[0]) {
    candidates.push(slowDistance(a.slice(2), b.slice(2)) + 1);
  }
  return Math.min(...candidates);
}

test('the distance is that of the definition', () => {
  const seed = 20260801;
  const random = new Random(seed);
  const word = () => Array.from({ length: random.below(6) }, () => random.pick(['a', 'b', 'c'])).join('');
  for (let round = 0; round < 400; round++) {
    const [a, b] = [word(), word()];
    expect({ seed, a, b, distance: editDistance(a, b) }).toEqual({
      seed,
      a,
      b,
      distance: slowDistance(a, b),
    });
  }
});

test('a name with one mistake finds the right one', () => {
  const there = ['lmtp_downcase_rcpt', 'quotawarn', 'timeout', 'admins'];
  expect(nearest('lmtp_downcase_rctp', there)).toBe('lmtp_downcase_rcpt');
  expect(nearest('quotawran', there)).toBe('quotawarn');
  expect(nearest('TIMEOUT', there)).toBe('timeout');
  expect(nearest('admin', there)).toBe('admins');
});

test('a name that is like none finds none', () => {
  expect(nearest('flubber', ['timeout', 'admins'])).toBeUndefined();
  expect(nearest('x', ['y'])).toBeUndefined();
  expect(nearest('a'.repeat(1_000_000), ['admins'])).toBeUndefined();
});
