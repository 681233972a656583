/** `date-time` (RFC 9051 §9), the form of INTERNALDATE. */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY = 86_400;

let lastDay = NaN;
let lastDayText = '';

/**
 * The date and time, quoted: `"17-Jul-1996 02:44:25 -0700"`. `seconds` are unix seconds, `zone` minutes east of
 * Greenwich. Years beyond 4 digits, which the form cannot hold, become the nearest it can.
 */
export function internaldate(seconds: number, zone = 0): string {
  const local = Math.min(Math.max(Math.floor(seconds) + 60 * zone, FIRST), LAST);
  const day = Math.floor(local / DAY);
  // Neighbouring messages mostly share the day; the calendar is the costly part.
  if (day !== lastDay) {
    const date = new Date(day * DAY * 1000);
    const number = date.getUTCDate();
    lastDayText = `"${number < 10 ? ' ' : ''}${number}-${MONTHS[date.getUTCMonth()]}-${
      String(date.getUTCFullYear()).padStart(4, '0')
    } `;
    lastDay = day;
  }
  const time = local - day * DAY;
  const minutes = Math.floor(time / 60);
  const away = Math.abs(zone);
  return `${lastDayText}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(time % 60)} ${
    zone < 0 ? '-' : '+'
  }${two(Math.floor(away / 60))}${two(away % 60)}"`;
}

/** 0001-01-01 and 9999-12-31 23:59:59. */
const FIRST = -62_135_596_800;
const LAST = 253_402_300_799;

function two(number: number): string {
  return number < 10 ? `0${number}` : `${number}`;
}
