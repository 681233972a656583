/**
 * One clock for all connections of a process: a timer per second instead of one per connection, so that ten
 * thousand idle clients cost one short loop and activity costs an assignment.
 */

import { Roster } from './roster.ts';

/** What the clock looks at once a second. */
export interface Watched {
  /** For the clock. */
  watchedAt: number;
  /** Called with the clock's seconds; acts if its time has come. */
  tick(now: number): void;
}

const watched = new Roster<'watchedAt', Watched>('watchedAt');
let timer: ReturnType<typeof setInterval> | undefined;
let seconds = 0;
let origin = 0;

function beat(): void {
  // The monotonic clock, so that a change of the machine's time never cuts anybody off.
  seconds = Math.floor((performance.now() - origin) / 1000);
  for (const item of watched) item.tick(seconds);
}

/** Seconds since the clock began, monotonic, as of its last beat. Only differences mean something. */
export function idleNow(): number {
  return seconds;
}

/** Starts watching; the clock only runs while there is something to watch and never keeps a process alive. */
export function watch(item: Watched): void {
  watched.add(item);
  if (timer === undefined) {
    if (origin === 0) origin = performance.now();
    seconds = Math.floor((performance.now() - origin) / 1000);
    timer = setInterval(beat, 1000);
    timer.unref();
  }
}

export function unwatch(item: Watched): void {
  watched.delete(item);
  if (watched.size === 0 && timer !== undefined) {
    clearInterval(timer);
    timer = undefined;
  }
}
