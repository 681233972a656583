/** vnd.cyrus.snooze (draft-ietf-extra-sieve-snooze): what a script says, and when its message wakes. */

import { describe, expect, test } from 'bun:test';
import { nextTime, timeOfDay } from '../../../src/sieve/nexttime.ts';
import type { SnoozeAction } from '../../../src/sieve/result.ts';
import { zoneNamed, type ZoneOffset } from '../../../src/sieve/timezone.ts';
import { actions, decide, findings, MESSAGE_A, outcome } from '../harness.ts';

const REQUIRE =
  'require ["vnd.cyrus.snooze", "imap4flags", "mailbox", "special-use", "mailboxid", "variables", "fileinto", "reject"];';

/** What a script decides on Wednesday 2026-07-01, 12:00 UTC, where it is 14:00 (harness). */
function snooze(script: string): SnoozeAction {
  const found = decide(`${REQUIRE} ${script}`, MESSAGE_A).filter((action) => action.kind === 'snooze');
  if (found.length !== 1) throw new Error(`${found.length} snoozes`);
  return found[0] as SnoozeAction;
}

const at = (text: string): number => Date.parse(text) / 1000;

describe('the action', () => {
  test('has everything the script says, and the message is not kept', () => {
    const script =
      `${REQUIRE} setflag "\\\\Seen"; snooze :mailbox "INBOX.Later" :create :specialuse "\\\\Archive"
      :addflags ["\\\\Flagged", "$awakened"] :removeflags "\\\\Seen" :tzid "Europe/Vienna" :weekdays ["1", "2"]
      ["18:00:00", "08:00"];`;
    expect(decide(script, MESSAGE_A)).toEqual([{
      kind: 'snooze',
      until: at('2026-07-06T06:00:00Z'),
      placement: {
        mailbox: 'INBOX.Later',
        flags: ['\\Seen'],
        content: null,
        create: true,
        specialUse: '\\Archive',
        mailboxId: null,
      },
      addFlags: ['\\Flagged', '$awakened'],
      removeFlags: ['\\Seen'],
    }]);
    expect(snooze('snooze :mailboxid "F1" "18:00:00";').placement).toMatchObject({
      mailbox: 'INBOX',
      mailboxId: 'F1',
    });
  });

  test("without a zone the server's clock counts", () => {
    expect(snooze('snooze "14:00:01";').until).toBe(at('2026-07-01T12:00:01Z'));
    expect(snooze('snooze "13:59:59";').until).toBe(at('2026-07-02T11:59:59Z'));
    expect(snooze('snooze :tzid "Australia/Melbourne" "21:59:59";').until).toBe(at('2026-07-02T11:59:59Z'));
    expect(snooze('snooze :tzid "Australia/Melbourne" "22:00:00";').until).toBe(at('2026-07-01T12:00:00Z'));
  });

  test('the last one counts, a keep or fileinto stands beside it', () => {
    expect(snooze('snooze "15:00:00"; snooze :mailbox "B" "16:00:00";').placement.mailbox).toBe('B');
    expect(actions(`${REQUIRE} keep; snooze "15:00:00"; fileinto "x";`, MESSAGE_A))
      .toEqual(['keep', 'snooze', 'fileinto x']);
  });

  test('and reject exclude each other', () => {
    for (const script of ['reject "no"; snooze "15:00:00";', 'snooze "15:00:00"; reject "no";']) {
      const { error, result } = outcome(`${REQUIRE} ${script}`, MESSAGE_A);
      expect(error?.text).toContain('excludes');
      expect(result.actions.length).toBeLessThan(2);
    }
  });

  test('what variables make of times, weekdays and zones is looked at when it runs', () => {
    expect(snooze('set "t" "15:00:00"; set "z" "Asia/Tokyo"; snooze :tzid "${z}" "${t}";').until)
      .toBe(at('2026-07-02T06:00:00Z'));
    for (
      const [script, text] of [
        ['set "t" "25:00:00"; snooze "${t}";', 'is no time of day'],
        ['set "t" "7"; snooze :weekdays "${t}" "10:00:00";', 'is no weekday'],
        ['snooze :tzid "Mars/Olympus" "10:00:00";', 'unknown time zone "Mars/Olympus"'],
      ] as const
    ) {
      const { error, result } = outcome(`${REQUIRE} ${script}`, MESSAGE_A);
      expect(error?.text).toContain(text);
      expect(result.actions).toEqual([]);
    }
  });

  test.each([
    ['snooze;', 'requires 1 positional argument'],
    ['snooze "8:00";', '"8:00" is no time of day'],
    ['snooze ["08:00:00", "24:00:00"];', '"24:00:00" is no time of day'],
    ['snooze :weekdays "7" "08:00:00";', '"7" is no weekday'],
    ['snooze :weekdays "Mon" "08:00:00";', '"Mon" is no weekday'],
    ['snooze :mailbox "" "08:00:00";', 'invalid folder name'],
    ['snooze :mailboxid "a" :specialuse "\\\\Junk" "08:00:00";', 'specialuse'],
    ['snooze :tzid "Mars/Olympus" "08:00:00";', 'unknown time zone'],
    ['snooze :copy "08:00:00";', ':copy'],
  ])('%s: %s', (script, text) => {
    expect(findings(`${REQUIRE} ${script}`).join('\n')).toContain(text);
  });

  test('its flags need imap4flags, its other tags their extensions', () => {
    const findingsOf = (script: string) => findings(`require "vnd.cyrus.snooze"; ${script}`).join('\n');
    expect(findingsOf('snooze :addflags "x" "08:00:00";')).toContain('needs require "imap4flags"');
    expect(findingsOf('snooze :removeflags "x" "08:00:00";')).toContain('needs require "imap4flags"');
    expect(findingsOf('snooze :create "08:00:00";')).toContain('create');
    expect(findingsOf('snooze :mailboxid "x" "08:00:00";')).toContain('mailboxid');
    expect(findingsOf('snooze :specialuse "\\\\Junk" "08:00:00";')).toContain('specialuse');
    expect(findingsOf('snooze "08:00:00";')).toBe('');
    expect(findings('snooze "08:00:00";').join('\n')).toContain('vnd.cyrus.snooze');
  });
});

test('times of day', () => {
  expect(timeOfDay('00:00')).toBe(0);
  expect(timeOfDay('23:59:59')).toBe(86_399);
  for (const wrong of ['', '24:00', '1:00', '10:60', '10:00:60', '10:00 ', '10', '-1:00']) {
    expect(timeOfDay(wrong)).toBeNull();
  }
});

test('zones by name', () => {
  expect(zoneNamed('Europe/Vienna')?.(at('2026-01-01T00:00:00Z'))).toBe(60);
  expect(zoneNamed('europe/vienna')?.(at('2026-07-01T00:00:00Z'))).toBe(120);
  expect(zoneNamed('Asia/Kathmandu')?.(at('2026-07-01T00:00:00Z'))).toBe(345);
  expect(zoneNamed('America/St_Johns')?.(at('2026-01-01T00:00:00Z'))).toBe(-210);
  for (const wrong of ['', 'Nowhere', '+01:00', 'Europe/', 'x'.repeat(100_000), 'Europe/Vienna\0']) {
    expect(zoneNamed(wrong)).toBeNull();
  }
});

/** Looks at the clock every half hour, as somebody would who waits beside it. Times and changes of the clock are half hours. */
function slowly(now: number, times: readonly number[], days: readonly number[], offset: ZoneOffset): number {
  const STEP = 1800;
  let before = now + offset(now - STEP) * 60 - STEP;
  for (let moment = now;; moment += STEP) {
    const local = moment + offset(moment) * 60;
    // What the clock shows now, and what it has left out since the last look.
    for (let shown = Math.min(before + STEP, local); shown <= local; shown += STEP) {
      const day = new Date(shown * 1000).getUTCDay();
      if (days.length > 0 && !days.includes(day)) continue;
      if (!times.includes(((shown % 86_400) + 86_400) % 86_400)) continue;
      return shown === local ? moment : moment + (shown - (before + STEP));
    }
    before = local;
  }
}

describe('the next time of day', () => {
  const zones = [
    'UTC',
    'Europe/Vienna',
    'America/New_York',
    'Australia/Lord_Howe',
    'America/Santiago',
    'Asia/Kolkata',
  ];
  for (const name of zones) {
    test(`in ${name} is what somebody sees who waits beside the clock`, () => {
      const offset = zoneNamed(name) as ZoneOffset;
      let seed = 7;
      const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
      const year = at('2026-01-01T00:00:00Z');
      const changes = Array.from({ length: 365 }, (_, day) => year + day * 86_400)
        .filter((moment) => offset(moment) !== offset(moment + 86_400));
      for (let round = 0; round < 150; round++) {
        // Half of them around a change of the clock, where there is one.
        const begin = changes.length > 0 && round % 2 === 0
          ? changes[random(changes.length)] as number - 2 * 86_400 + random(192) * 1800
          : year + random(365 * 48) * 1800;
        const times = Array.from({ length: 1 + random(4) }, () => random(48) * 1800);
        const days = Array.from({ length: random(4) }, () => random(7));
        const found = nextTime(begin, times, days, offset);
        const wanted = slowly(begin, times, days, offset);
        if (found !== wanted) {
          throw new Error(JSON.stringify({ begin: new Date(begin * 1000), times, days, found, wanted }));
        }
      }
    });
  }

  test('when a change of the clock leaves it out, or shows it twice', () => {
    const vienna = zoneNamed('Europe/Vienna') as ZoneOffset;
    const half = [2 * 3600 + 1800];
    // 02:30 is left out on 29 March, and comes twice on 25 October.
    expect(nextTime(at('2026-03-28T12:00:00Z'), half, [], vienna)).toBe(at('2026-03-29T01:30:00Z'));
    expect(nextTime(at('2026-10-24T12:00:00Z'), half, [], vienna)).toBe(at('2026-10-25T00:30:00Z'));
    expect(nextTime(at('2026-10-25T00:30:01Z'), half, [], vienna)).toBe(at('2026-10-25T01:30:00Z'));
    expect(nextTime(at('2026-10-25T01:30:01Z'), half, [], vienna)).toBe(at('2026-10-26T01:30:00Z'));
  });

  test('on the same weekday a week on', () => {
    const utc = zoneNamed('UTC') as ZoneOffset;
    expect(nextTime(at('2026-07-01T12:00:01Z'), [12 * 3600], [3], utc)).toBe(at('2026-07-08T12:00:00Z'));
  });
});
