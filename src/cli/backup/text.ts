/** Sizes and times as the backup's commands write and read them. */

import { usageError } from '../options.ts';

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** Bytes in the unit that leaves few digits: `1.5 GB`; units count in 1024s, as in the configuration. */
export function bytesText(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/**
 * A time as an administrator writes it, in unix seconds: `2026-01-05T13:59:00Z`, `2026-01-05 13:59` in local time, or seconds
 * of the unix clock behind an @.
 * @throws MailError 'badsyntax'
 */
export function readTime(text: string): number {
  const unix = /^@(\d{1,11})$/.exec(text);
  if (unix !== null) return Number(unix[1]);
  if (/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?$/.test(text)) {
    const time = Date.parse(text.replace(' ', 'T'));
    if (!Number.isNaN(time)) return Math.floor(time / 1000);
  }
  throw usageError(`"${text}" is no time such as "2026-01-05 13:59" (local) or 2026-01-05T13:59:00Z`);
}
