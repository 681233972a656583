import { expect, test } from 'bun:test';
import type { ScheduledEvent } from '../../src/config/services.ts';
import { nextRun, Schedule } from '../../src/server/schedule.ts';

const MINUTE = 60_000;
const at = (hour: number, minute: number) => ({ kind: 'at', hour, minute }) as const;

test('a period counts from the last run; missed ones are made up by one', () => {
  const every = { kind: 'every', seconds: 1800 } as const;
  expect(nextRun(every, 0, 0)).toBe(30 * MINUTE);
  expect(nextRun(every, 10 * MINUTE, 0)).toBe(30 * MINUTE);
  expect(nextRun(every, 500 * MINUTE, 0)).toBe(500 * MINUTE);
});

test('a time of day is today if it is still to come, else tomorrow', () => {
  const noon = new Date(2026, 5, 10, 12, 0, 0).getTime();
  expect(nextRun(at(13, 30), noon, noon)).toBe(new Date(2026, 5, 10, 13, 30).getTime());
  expect(nextRun(at(4, 0), noon, noon)).toBe(new Date(2026, 5, 11, 4, 0).getTime());
  expect(nextRun(at(12, 0), noon, noon)).toBe(new Date(2026, 5, 11, 12, 0).getTime());
  expect(nextRun(at(4, 0), new Date(2026, 11, 31, 12).getTime(), 0)).toBe(
    new Date(2027, 0, 1, 4, 0).getTime(),
  );
});

test('what is due runs once, and not again while it runs', async () => {
  let now = new Date(2026, 5, 10, 3, 59, 59).getTime();
  const ran: string[] = [];
  const skipped: string[] = [];
  const running = Promise.withResolvers<void>();
  const events: ScheduledEvent[] = [
    { name: 'expire', job: 'expire', when: at(4, 0) },
    { name: 'checkpoint', job: 'checkpoint', when: { kind: 'every', seconds: 1800 } },
  ];
  const schedule = new Schedule(
    events,
    (event) => {
      ran.push(event.name);
      return event.name === 'checkpoint' ? running.promise : Promise.resolve();
    },
    (event) => skipped.push(event.name),
    () => now,
  );
  schedule.start();
  schedule.tick();
  expect(ran).toEqual([]);
  now += 1000;
  schedule.tick();
  schedule.tick();
  expect(ran).toEqual(['expire']);
  now += 30 * MINUTE;
  schedule.tick();
  now += 30 * MINUTE;
  schedule.tick();
  expect(ran).toEqual(['expire', 'checkpoint']);
  expect(skipped).toEqual(['checkpoint']);
  running.resolve();
  await running.promise;
  await Promise.resolve();
  await Promise.resolve();
  now += 30 * MINUTE;
  schedule.tick();
  expect(ran).toEqual(['expire', 'checkpoint', 'checkpoint']);
});
