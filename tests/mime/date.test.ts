import { expect, test } from 'bun:test';
import { parseDate } from '../../src/mime/date.ts';
import { forSeeds } from './random.ts';

test.each<[string, number | null, number]>([
  // RFC 5322 appendix A
  ['Fri, 21 Nov 1997 09:55:06 -0600', Date.UTC(1997, 10, 21, 15, 55, 6), -360],
  ['Thu,\r\n 13\r\n Feb\r\n 1969\r\n 23:32\r\n -0330 (Newfoundland Time)', Date.UTC(1969, 1, 14, 3, 2), -210],
  ['21 Nov 97 09:55:06 GMT', Date.UTC(1997, 10, 21, 9, 55, 6), 0],
  ['Fri, 21 Nov 1997 09(comment):   55  :  06 -0600', Date.UTC(1997, 10, 21, 15, 55, 6), -360],
  // RFC 5322 §4.3
  ['1 Jan 49 00:00 EST', Date.UTC(2049, 0, 1, 5), -300],
  ['1 Jan 50 00:00 pdt', Date.UTC(1950, 0, 1, 7), -420],
  ['1 Jan 102 00:00 Z', Date.UTC(2002, 0, 1), 0],
  ['1 Jan 2002 00:00 A', Date.UTC(2002, 0, 1), 0],
  ['1 Jan 2002 00:00 -0000', Date.UTC(2002, 0, 1), 0],
  ['1 Jan 2002 00:00', Date.UTC(2002, 0, 1), 0],
  // asctime, full month names, a leap second, odd zones
  ['Thu Jan  1 00:00:01 1970', 1000, 0],
  ['Thu Jan  1 00:00:01 EST 1970', 1000 + 5 * 3600_000, -300],
  ['1 January 2002 12:00:00 +0100', Date.UTC(2002, 0, 1, 11), 60],
  ['31 Dec 2016 23:59:60 +0000', Date.UTC(2016, 11, 31, 23, 59, 59), 0],
  ['1 Jan 2002 00:00:00 +9999', Date.UTC(2002, 0, 1), 0],
  ['1 Jan 2002 00:00:00 -1500', Date.UTC(2002, 0, 1), 0],
  ['1 Jan 2002 00:00:00 +1400', Date.UTC(2001, 11, 31, 10), 840],
  ['1 Jan 2002 00:00:00 +05:30', Date.UTC(2001, 11, 31, 18, 30), 330],
  ['29 Feb 2024 00:00 +0000', Date.UTC(2024, 1, 29), 0],
  // no dates
  ['', null, 0],
  ['nonsense', null, 0],
  ['1 Jan 99999 00:00:00 +0000', null, 0],
  ['1 Jan -1 00:00:00 +0000', null, 0],
  ['1 Jan 1800 00:00:00 +0000', null, 0],
  ['29 Feb 2023 00:00 +0000', null, 0],
  ['32 Jan 2023 00:00 +0000', null, 0],
  ['0 Jan 2023 00:00 +0000', null, 0],
  ['1 Foo 2023 00:00 +0000', null, 0],
  ['1 Jan 2023 24:00 +0000', null, 0],
  ['1 Jan 2023 00:60 +0000', null, 0],
  ['1 Jan 2023', null, 0],
  ['((((((((', null, 0],
])('%s', (value, milliseconds, zone) => {
  expect(parseDate(value)).toEqual(milliseconds === null ? null : { seconds: milliseconds / 1000, zone });
});

test('generated dates are the moments they were written from', () => {
  const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
  const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  const two = (n: number) => String(n).padStart(2, '0');
  forSeeds(2000, (random) => {
    const seconds = random.below(4_000_000_000);
    const zone = (random.below(113) - 56) * 15;
    const local = new Date((seconds + zone * 60) * 1000);
    const sign = zone < 0 ? '-' : '+';
    const offset = sign + two(Math.floor(Math.abs(zone) / 60)) + two(Math.abs(zone) % 60);
    const day = random.once(3) ? '' : `${days[local.getUTCDay()]}, `;
    const time = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}`;
    const date = `${local.getUTCDate()} ${months[local.getUTCMonth()]} ${local.getUTCFullYear()}`;
    expect(parseDate(`${day}${date} ${time} ${offset}${random.pick(['', ' (XYZ)'])}`)).toEqual({
      seconds,
      zone,
    });
  });
});

test('noise is a date or none', () => {
  forSeeds(5000, (random) => {
    const text = random.text('0123456789 :+-(),JanFebGMT\\', 30);
    const date = parseDate(text);
    if (date !== null) expect(Number.isSafeInteger(date.seconds) && Math.abs(date.zone) <= 840).toBe(true);
  });
});
