/** The zone of INTERNALDATE: the server's local time, as Cyrus has it. */

/** Clocks change at most at full quarters of an hour. */
const QUARTER = 900;

let lastQuarter = NaN;
let lastZone = 0;

/** Minutes east of Greenwich at this time (unix seconds). Neighbouring messages mostly share the answer. */
export function localZone(seconds: number): number {
  const quarter = Math.floor(seconds / QUARTER);
  if (quarter !== lastQuarter) {
    lastQuarter = quarter;
    // NaN for times no Date can hold.
    lastZone = -new Date(seconds * 1000).getTimezoneOffset() || 0;
  }
  return lastZone;
}
