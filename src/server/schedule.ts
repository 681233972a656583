/** When scheduled events run (EVENTS of cyrus.conf): pure, the clock is passed in. */

import type { ScheduledEvent } from '../config/services.ts';

/**
 * The next time of an event, in milliseconds since the epoch and later than `now`. `last` is when it ran last, or
 * when the server started. A time of day is one of this machine's local time; where the change to summer time
 * leaves it out, the event runs at the hour that stands in its place.
 */
export function nextRun(when: ScheduledEvent['when'], now: number, last: number): number {
  if (when.kind === 'every') {
    const period = when.seconds * 1000;
    // After a long sleep of the machine it runs once, not once for each time it missed.
    return Math.max(now, last + period);
  }
  const next = new Date(now);
  next.setHours(when.hour, when.minute, 0, 0);
  if (next.getTime() <= now) {
    next.setDate(next.getDate() + 1);
    next.setHours(when.hour, when.minute, 0, 0);
  }
  return next.getTime();
}

/** Longest timer: setTimeout counts in 31 bits, and a machine's clock may be set meanwhile. */
const LONGEST_WAIT = 60_000;

/** Runs events until it is stopped. */
export class Schedule {
  readonly #events: readonly ScheduledEvent[];
  #entries: { event: ScheduledEvent; next: number; running: boolean }[] | undefined;
  readonly #run: (event: ScheduledEvent) => Promise<void>;
  readonly #skipped: (event: ScheduledEvent) => void;
  readonly #now: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `run` never rejects; `skipped` hears of an event whose last run has not ended when its time comes again. */
  constructor(
    events: readonly ScheduledEvent[],
    run: (event: ScheduledEvent) => Promise<void>,
    skipped: (event: ScheduledEvent) => void,
    now: () => number = Date.now,
  ) {
    this.#events = events;
    this.#run = run;
    this.#skipped = skipped;
    this.#now = now;
  }

  /** From now on events have their times. Local time is a matter of some milliseconds when it is first asked for. */
  start(): void {
    const start = this.#now();
    this.#entries = this.#events.map((event) => ({
      event,
      next: nextRun(event.when, start, start),
      running: false,
    }));
    this.#arm();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Starts what is due. Called by the timer. */
  tick(): void {
    const now = this.#now();
    for (const entry of this.#entries ?? []) {
      if (entry.next > now) continue;
      entry.next = nextRun(entry.event.when, now, now);
      if (entry.running) {
        this.#skipped(entry.event);
        continue;
      }
      entry.running = true;
      void this.#run(entry.event).finally(() => {
        entry.running = false;
      });
    }
  }

  #arm(): void {
    const entries = this.#entries ?? [];
    if (entries.length === 0) return;
    const soonest = Math.min(...entries.map((entry) => entry.next));
    const wait = Math.min(LONGEST_WAIT, Math.max(0, soonest - this.#now()));
    this.#timer = setTimeout(() => {
      this.tick();
      this.#arm();
    }, wait);
    this.#timer.unref();
  }
}
