/**
 * vnd.cyrus.snooze (draft-ietf-extra-sieve-snooze): the message waits in another mailbox, and comes to its own at a time of day.
 */
import { act, checkConflict, draft, mailboxName, mailboxNameWrong, messageTo } from '../action.ts';
import type { Extension, Modifier, TagSpec } from '../extension.ts';
import { flagsIn } from '../flags.ts';
import { printable } from '../lexer.ts';
import { nextTime, timeOfDay } from '../nexttime.ts';
import { type Command, type Run, ScriptError } from '../run.ts';
import type { Text, Texts } from '../text.ts';
import { zoneNamed } from '../timezone.ts';

function timeWrong(text: string): string | null {
  return timeOfDay(text) === null
    ? `"${printable(text)}" is no time of day: expected one like "08:00:00"`
    : null;
}

function weekdayWrong(text: string): string | null {
  return /^[0-6]$/.test(text)
    ? null
    : `"${printable(text)}" is no weekday: expected "0" (Sunday) to "6" (Saturday)`;
}

function zoneWrong(text: string): string | null {
  return zoneNamed(text) === null
    ? `unknown time zone "${printable(text)}": expected one like "Europe/Vienna"`
    : null;
}

/** The value, if it is what it should be: only now it is known where it has variables. */
function checked(text: string, wrong: (text: string) => string | null): string {
  const problem = wrong(text);
  if (problem !== null) throw new ScriptError(problem);
  return text;
}

interface SnoozeParts {
  readonly mailbox: Text | null;
  readonly addFlags: Texts | null;
  readonly removeFlags: Texts | null;
  readonly zone: Text | null;
  readonly weekdays: Texts | null;
  readonly times: Texts;
  readonly modifiers: readonly Modifier[];
}

class Snooze implements Command {
  readonly #parts: SnoozeParts;

  constructor(parts: SnoozeParts) {
    this.#parts = parts;
  }

  execute(run: Run): void {
    const { mailbox, addFlags, removeFlags, zone, weekdays, times, modifiers } = this.#parts;
    const name = mailbox === null ? 'INBOX' : mailboxName(mailbox.value(run));
    const { target } = draft(run, modifiers, messageTo(run, name));
    const hours = times.values(run).map((text) => timeOfDay(checked(text, timeWrong)) as number);
    const days = weekdays?.values(run).map((text) => Number(checked(text, weekdayWrong))) ?? [];
    run.spend(hours.length + days.length);
    const offset = zone === null ? run.host.zoneOffset.bind(run.host) : zoneNamed(
      checked(zone.value(run), zoneWrong),
    );
    if (offset === null || hours.length === 0) throw new ScriptError('snooze has no time to wait for');
    const until = nextTime(Math.floor(run.host.now / 1000), [...new Set(hours)], days, offset);
    checkConflict(run, 'snooze');
    run.result.implicitKeep = false;
    // A message sleeps once: what is said last counts.
    const { actions } = run.result;
    const before = actions.findIndex(({ kind }) => kind === 'snooze');
    if (before >= 0) actions.splice(before, 1);
    act(run, {
      kind: 'snooze',
      until,
      placement: target,
      addFlags: flagsIn(addFlags?.values(run) ?? []),
      removeFlags: flagsIn(removeFlags?.values(run) ?? []),
    }, () => `snooze until ${new Date(until * 1000).toISOString()}, then "${name}"`);
  }
}

/** Flags have a meaning only with imap4flags. */
const FLAG_TAGS: readonly TagSpec[] = ['addflags', 'removeflags'].map((name) => ({
  name,
  parameter: { name: 'flags', type: 'strings' },
}));

export const snooze: Extension = {
  capability: 'vnd.cyrus.snooze',
  commands: [{
    name: 'snooze',
    tags: [
      { name: 'mailbox', parameter: { name: 'mailbox', type: 'string', check: mailboxNameWrong } },
      ...FLAG_TAGS,
      { name: 'tzid', parameter: { name: 'time zone', type: 'string', doubt: zoneWrong } },
      { name: 'weekdays', parameter: { name: 'weekdays', type: 'strings', check: weekdayWrong } },
    ],
    parameters: [{ name: 'times', type: 'strings', check: timeWrong }],
    emit(call, compiler) {
      for (const { name } of FLAG_TAGS) {
        if (!call.has(name) || compiler.enabled('imap4flags')) continue;
        compiler.error(call.position(name), `:${name} of snooze needs require "imap4flags"`);
        return;
      }
      const texts = (name: string): Texts | null => call.has(name) ? call.texts(name) : null;
      const text = (name: string): Text | null => call.has(name) ? call.text(name) : null;
      compiler.command(
        call.node,
        new Snooze({
          mailbox: text('mailbox'),
          addFlags: texts('addflags'),
          removeFlags: texts('removeflags'),
          zone: text('tzid'),
          weekdays: texts('weekdays'),
          times: call.texts('times'),
          modifiers: call.modifiers(),
        }),
      );
    },
  }],
};
