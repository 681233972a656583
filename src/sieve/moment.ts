/** A moment in a time zone, and the parts of it that scripts compare (RFC 5260 §4.2). */

/** The names of the parts. */
export const DATE_PARTS = [
  'year',
  'month',
  'day',
  'date',
  'julian',
  'hour',
  'minute',
  'second',
  'time',
  'iso8601',
  'std11',
  'zone',
  'weekday',
] as const;

export type DatePart = (typeof DATE_PARTS)[number];

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const SECONDS_PER_DAY = 86_400;
/** Days between 1858-11-17, where Modified Julian Days begin, and 1970-01-01. */
const MJD_OF_1970 = 40_587;

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0');
}

/** One part of a moment. `seconds` are unix seconds, `zone` is minutes east of UTC. */
export function datePart(part: DatePart, seconds: number, zone: number): string {
  const local = seconds + zone * 60;
  const shown = new Date(local * 1000);
  const year = digits(shown.getUTCFullYear(), 4);
  const month = digits(shown.getUTCMonth() + 1, 2);
  const day = digits(shown.getUTCDate(), 2);
  const hour = digits(shown.getUTCHours(), 2);
  const minute = digits(shown.getUTCMinutes(), 2);
  const second = digits(shown.getUTCSeconds(), 2);
  const time = `${hour}:${minute}:${second}`;
  switch (part) {
    case 'year':
      return year;
    case 'month':
      return month;
    case 'day':
      return day;
    case 'date':
      return `${year}-${month}-${day}`;
    case 'julian':
      return String(Math.floor(local / SECONDS_PER_DAY) + MJD_OF_1970);
    case 'hour':
      return hour;
    case 'minute':
      return minute;
    case 'second':
      return second;
    case 'time':
      return time;
    case 'iso8601':
      return `${year}-${month}-${day}T${time}${zone === 0 ? 'Z' : formatZone(zone, ':')}`;
    case 'std11':
      return `${DAYS[shown.getUTCDay()]}, ${day} ${MONTHS[shown.getUTCMonth()]} ${year} ${time} ${
        formatZone(zone, '')
      }`;
    case 'zone':
      return formatZone(zone, '');
    case 'weekday':
      return String(shown.getUTCDay());
  }
}

/** `+hhmm`, with something between hours and minutes. */
function formatZone(zone: number, between: string): string {
  const minutes = Math.abs(zone);
  return `${zone < 0 ? '-' : '+'}${digits(Math.floor(minutes / 60), 2)}${between}${digits(minutes % 60, 2)}`;
}

/** RFC 5260 §4.1 `time-zone` as minutes east of UTC, or null. */
export function parseZone(text: string): number | null {
  const match = /^([+-])(\d\d)([0-5]\d)$/.exec(text);
  if (match === null) return null;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return match[1] === '-' ? -minutes : minutes;
}
