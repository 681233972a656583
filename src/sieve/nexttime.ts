/** When a clock shows a time of day the next time. */
import type { ZoneOffset } from './timezone.ts';

const DAY = 86_400;

/** 1970-01-01 was a Thursday; 0 is Sunday (RFC 5260 §4.2). */
const FIRST_WEEKDAY = 4;

/** Seconds since midnight of `hh:mm` or `hh:mm:ss`, or null. */
export function timeOfDay(text: string): number | null {
  const match = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(text);
  return match === null ? null : Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3] ?? 0);
}

/**
 * The first moment from `now` on, in unix seconds, at which a clock in the zone shows one of `times` (seconds since midnight, at
 * least one) on one of `weekdays` (0 is Sunday; none are all). A time that a change of the clock leaves out is as much later as
 * the clock was put forward; one that comes twice counts both times.
 */
export function nextTime(
  now: number,
  times: readonly number[],
  weekdays: readonly number[],
  offset: ZoneOffset,
): number {
  const today = Math.floor((now + offset(now) * 60) / DAY);
  // A week on it is the same weekday again, whose times may all have been earlier today.
  for (let day = today; day <= today + 8; day++) {
    const weekday = (day + FIRST_WEEKDAY) % 7;
    if (weekdays.length > 0 && !weekdays.includes(weekday)) continue;
    const next = onDay(day * DAY, now, times, offset);
    if (next !== null) return next;
  }
  return now + DAY;
}

/** The first of the times on the day that begins at `midnight`, local seconds, that is not before `now`. */
function onDay(
  midnight: number,
  now: number,
  times: readonly number[],
  offset: ZoneOffset,
): number | null {
  // The clock is never changed twice in so short a time.
  const before = offset(midnight - DAY);
  const after = offset(midnight + 2 * DAY);
  let first: number | null = null;
  for (const time of times) {
    for (const moment of moments(midnight + time, before, after, offset)) {
      if (moment >= now && (first === null || moment < first)) first = moment;
    }
  }
  return first;
}

/** When a clock shows something, in unix seconds. */
function moments(local: number, before: number, after: number, offset: ZoneOffset): number[] {
  if (before === after) return [local - before * 60];
  const found = [before, after].filter((minutes) => offset(local - minutes * 60) === minutes)
    .map((minutes) => local - minutes * 60);
  return found.length > 0 ? found : [local - before * 60];
}
