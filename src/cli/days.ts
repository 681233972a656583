/** Times on the command lines of Cyrus's programs: days, or a number with its unit. */

import { usageError } from './options.ts';

const SECONDS: Readonly<Record<string, number>> = { d: 86_400, h: 3600, m: 60, s: 1 };

/** `3`, `0.5`, `12h` in days. Throws `badsyntax` (EX_USAGE) for what is no time. */
export function durationDays(text: string): number {
  const found = /^(\d+(?:\.\d+)?)([dhms]?)$/.exec(text);
  const unit = SECONDS[found?.[2] || 'd'];
  if (found === null || unit === undefined) {
    throw usageError(`"${text}" is no time: days, or a number with d, h, m or s`);
  }
  return Number(found[1]) * unit / 86_400;
}
