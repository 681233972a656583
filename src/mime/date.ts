/**
 * Dates of header fields (RFC 5322 §3.3 with the obsolete forms of §4.3) as unix seconds. Total: what is no date
 * yields null, what is nearly one is understood as long as it is unambiguous.
 */

/** A moment and the zone it was written in. */
export interface HeaderDate {
  /** Unix seconds, UTC. */
  readonly seconds: number;
  /** Offset east of UTC in minutes; 0 for an unknown zone (`-0000`, military letters; RFC 5322 §4.3). */
  readonly zone: number;
}

/** Years beyond these are nonsense and would sort a message for ever to an end of the list. */
const FIRST_YEAR = 1900;
const LAST_YEAR = 2100;

/** RFC 5322 §4.3. Single letters stand for -0000 there, since RFC 822 got their signs wrong; `Z` is the same as UTC. */
const ZONES: ReadonlyMap<string, number> = new Map([
  ['UT', 0],
  ['UTC', 0],
  ['GMT', 0],
  ['EDT', -240],
  ['EST', -300],
  ['CDT', -300],
  ['CST', -360],
  ['MDT', -360],
  ['MST', -420],
  ['PDT', -420],
  ['PST', -480],
]);

const MONTHS = 'janfebmaraprmayjunjulaugsepoctnovdec';

/**
 * Parses the value of a Date field: `[day-of-week ","] day month year hour ":" minute [":" second] zone` with comments
 * and blanks anywhere, two and three digit years, alphabetic zones and a missing zone (taken as UTC). Also asctime
 * order (`Thu Jan  1 00:00:00 1970`). A leap second counts as the second before it.
 */
export function parseDate(value: string): HeaderDate | null {
  const words = splitWords(value);
  let at = isName(words[0]) && monthOf(words[0]) < 0 ? 1 : 0;
  let day: number;
  let month: number;
  let year: number | null = null;
  if (isName(words[at])) {
    // asctime: month day time [zone] year
    month = monthOf(words[at++]);
    day = number(words[at++], 2);
  } else {
    day = number(words[at++], 2);
    month = monthOf(words[at++]);
    year = yearOf(words[at++]);
  }
  const time = words[at++] ?? '';
  const [hourText, minuteText, secondText, more] = time.split(/[:.]/, 4);
  const hour = number(hourText, 2);
  const minute = number(minuteText, 2);
  const second = secondText === undefined ? 0 : number(secondText, 2);
  let zoneText = words[at++];
  if (year === null) {
    year = yearOf(zoneText);
    if (year < 0) {
      year = yearOf(words[at]);
    } else {
      zoneText = words[at];
    }
  }
  if (more !== undefined && number(more, 9) < 0) return null;
  if (month < 0 || year < FIRST_YEAR || year > LAST_YEAR || hour < 0 || hour > 23) return null;
  if (minute < 0 || minute > 59 || second < 0 || second > 60) return null;
  if (day < 1 || day > new Date(Date.UTC(year, month + 1, 0)).getUTCDate()) return null;
  const zone = zoneOf(zoneText);
  const seconds = Date.UTC(year, month, day, hour, minute, Math.min(second, 59)) / 1000 - zone * 60;
  return { seconds, zone };
}

/** Words between blanks, commas and comments, at most the ten a date can have. */
function splitWords(value: string): string[] {
  const words: string[] = [];
  let depth = 0;
  let start = -1;
  for (let i = 0; i <= value.length && words.length < 10; i++) {
    const c = i < value.length ? value.charCodeAt(i) : 32;
    const separates = depth > 0 || c === 32 || c === 9 || c === 44 || c === 40 || c === 10 || c === 13;
    if (separates) {
      if (start >= 0) words.push(value.slice(start, i));
      start = -1;
    } else if (start < 0) {
      start = i;
    }
    if (c === 40) depth++;
    else if (depth > 0 && c === 41) depth--;
    else if (depth > 0 && c === 92) i++;
  }
  return joinTime(words);
}

/** RFC 5322 §4.3 allows blanks around the colons of the time: `10 : 20 :30` becomes one word again. */
function joinTime(words: string[]): string[] {
  const out: string[] = [];
  for (const word of words) {
    const before = out.at(-1);
    if (before !== undefined && (word.startsWith(':') || before.endsWith(':'))) {
      out[out.length - 1] = before + word;
    } else out.push(word);
  }
  return out;
}

function isName(word: string | undefined): boolean {
  return word !== undefined && /^[a-z]/i.test(word);
}

function monthOf(word: string | undefined): number {
  if (word === undefined || word.length < 3) return -1;
  const index = MONTHS.indexOf(word.slice(0, 3).toLowerCase());
  return index % 3 === 0 ? index / 3 : -1;
}

/** RFC 5322 §4.3: two digits are 2000-2049 or 1950-1999, three digits count from 1900. */
function yearOf(word: string | undefined): number {
  const year = number(word, 5);
  if (year < 0 || word === undefined) return -1;
  if (word.length === 2) return year < 50 ? 2000 + year : 1900 + year;
  return word.length === 3 ? 1900 + year : year;
}

/** Minutes east of UTC. What is out of range or unknown counts as UTC. */
function zoneOf(word: string | undefined): number {
  if (word === undefined) return 0;
  const digits = /^([+-])(\d\d):?(\d\d)$/.exec(word);
  if (digits === null) return ZONES.get(word.toUpperCase()) ?? 0;
  const minutes = Number(digits[2]) * 60 + Number(digits[3]);
  // The grammar allows up to 99:59; real zones end at 14 hours.
  if (Number(digits[3]) > 59 || minutes > 14 * 60) return 0;
  return digits[1] === '-' && minutes > 0 ? -minutes : minutes;
}

/** An unsigned decimal of at most `digits` digits, or -1. */
function number(word: string | undefined, digits: number): number {
  if (word === undefined || word.length === 0 || word.length > digits) return -1;
  for (let i = 0; i < word.length; i++) {
    const c = word.charCodeAt(i);
    if (c < 48 || c > 57) return -1;
  }
  return Number(word);
}
