/** Times and sizes on the command line of backup and restore. */

import { expect, test } from 'bun:test';
import { bytesText, readTime } from '../../src/cli/backup/text.ts';

test('times', () => {
  expect(readTime('@1800000000')).toBe(1_800_000_000);
  expect(readTime('2026-01-05T13:59:00Z')).toBe(Date.UTC(2026, 0, 5, 13, 59) / 1000);
  expect(readTime('2026-01-05T13:59:07+01:00')).toBe(Date.UTC(2026, 0, 5, 12, 59, 7) / 1000);
  expect(readTime('2026-01-05 13:59')).toBe(new Date(2026, 0, 5, 13, 59).getTime() / 1000);
  for (
    const wrong of [
      '',
      'yesterday',
      '2026-01-05',
      '2026-13-05 13:59',
      '2026-01-05 25:00',
      '@',
      '@1.5',
      '13:59',
    ]
  ) {
    expect(() => readTime(wrong)).toThrow('is no time such as');
  }
});

test('sizes', () => {
  expect([0, 900, 1024, 1536, 10 * 1024, 5 * 2 ** 30, 2 ** 50].map(bytesText)).toEqual(
    ['0 B', '900 B', '1.0 KB', '1.5 KB', '10 KB', '5.0 GB', '1024 TB'],
  );
});
