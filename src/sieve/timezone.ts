/** Time zones by their names in the tz database. */

/** Minutes east of UTC at a moment in unix seconds. */
export type ZoneOffset = (seconds: number) => number;

/** Those that were asked for, by the name the runtime has for them: it knows some hundreds. */
const KNOWN = new Map<string, ZoneOffset>();

/** Longer than any name of a zone. */
const LONGEST = 64;

/** The offset of a zone such as `Europe/Vienna`; null where there is no such zone. */
export function zoneNamed(name: string): ZoneOffset | null {
  if (name === '' || name.length > LONGEST || !/^[A-Za-z]/.test(name)) return null;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return null;
  }
  const { timeZone } = format.resolvedOptions();
  const known = KNOWN.get(timeZone);
  if (known !== undefined) return known;
  const offset: ZoneOffset = (seconds) => {
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(seconds * 1000)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    return Math.round((Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - seconds) / 60);
  };
  KNOWN.set(timeZone, offset);
  return offset;
}
