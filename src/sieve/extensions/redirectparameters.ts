/** What a redirect asks of whoever takes the message (RFC 6009): reports about it, and until when it is to be delivered. */
import type { Call, Draft, Extension, Modifier, TagSpec } from '../extension.ts';
import { printable } from '../lexer.ts';
import { lowerAscii, upperAscii } from '../octets.ts';
import type { ReportWord } from '../result.ts';
import { type Run, ScriptError } from '../run.ts';
import type { Text } from '../text.ts';

const OTHERS: readonly ReportWord[] = ['SUCCESS', 'FAILURE', 'DELAY'];

/** RFC 3461 §4.1: NEVER alone, or some of the others; null for anything else. */
function reportWords(text: string): readonly ReportWord[] | null {
  const upper = upperAscii(text);
  if (upper === 'NEVER') return ['NEVER'];
  const words = upper.split(',');
  const found = OTHERS.filter((word) => words.includes(word));
  return found.length === words.length ? found : null;
}

function notifyWrong(text: string): string | null {
  return reportWords(text) !== null
    ? null
    : `"${printable(text)}" says nothing about reports: expected "NEVER", or some of "SUCCESS,FAILURE,DELAY"`;
}

function retWrong(text: string): string | null {
  return /^(?:full|hdrs)$/i.test(text)
    ? null
    : `"${printable(text)}" cannot be returned: expected "FULL" or "HDRS"`;
}

function modeWrong(text: string): string | null {
  return /^(?:notify|return)$/i.test(text)
    ? null
    : `"${printable(text)}" is no way to end a delivery: expected "notify" or "return"`;
}

/** RFC 3339 §5.6 date-time. The zone also as the "zone" of RFC 5260 has it, since the example of RFC 6009 §7.2 writes that. */
function timeWrong(text: string): string | null {
  const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:?\d\d)$/i;
  return form.test(text) && !Number.isNaN(timeOf(text))
    ? null
    : `"${printable(text)}" is no time: expected one like "2026-07-01T12:00:00+02:00"`;
}

/** Milliseconds since 1970, NaN where it is no time. */
function timeOf(text: string): number {
  return Date.parse(upperAscii(text).replace(/([-+]\d\d)(\d\d)$/, '$1:$2'));
}

/** A text that is right once its variables are known, too. */
function checked(run: Run, text: Text, wrong: (text: string) => string | null): string {
  const value = text.value(run);
  const found = wrong(value);
  if (found !== null) throw new ScriptError(found);
  return value;
}

function notifyTag(call: Call): Modifier {
  const text = call.text('notify');
  return {
    apply(run: Run, draft: Draft): void {
      const notify = reportWords(checked(run, text, notifyWrong));
      draft.dispatch = { ...draft.dispatch, notify };
    },
  };
}

function retTag(call: Call): Modifier {
  const text = call.text('ret');
  return {
    apply(run: Run, draft: Draft): void {
      const ret = upperAscii(checked(run, text, retWrong)) === 'FULL' ? 'FULL' : 'HDRS';
      draft.dispatch = { ...draft.dispatch, ret };
    },
  };
}

/** RFC 6009 §6 */
export const redirectDsn: Extension = {
  capability: 'redirect-dsn',
  tags: [
    { name: 'notify', parameter: { name: 'notify', type: 'string', check: notifyWrong }, modify: notifyTag },
    { name: 'ret', parameter: { name: 'ret', type: 'string', check: retWrong }, modify: retTag },
  ].map((tag) => ({ on: ['redirect'], tag: tag as TagSpec })),
};

/** The time from one of two tags, with what the others say. */
function timeTag(deadline: (call: Call) => (run: Run) => number): NonNullable<TagSpec['modify']> {
  return (call) => {
    const when = deadline(call);
    const mode = call.has('bymode') ? call.text('bymode') : null;
    const trace = call.has('bytrace');
    return {
      apply(run: Run, draft: Draft): void {
        const notify = mode !== null && lowerAscii(checked(run, mode, modeWrong)) === 'notify';
        draft.dispatch = {
          ...draft.dispatch,
          deliverBy: { deadline: when(run), mode: notify ? 'notify' : 'return', trace },
        };
      },
    };
  };
}

const RELATIVE: TagSpec = {
  name: 'bytimerelative',
  group: 'bytime',
  parameter: { name: 'bytimerelative', type: 'number' },
  modify: timeTag((call) => {
    const seconds = call.number('bytimerelative');
    return ({ host }) => host.now + seconds * 1000;
  }),
};

const ABSOLUTE: TagSpec = {
  name: 'bytimeabsolute',
  group: 'bytime',
  parameter: { name: 'bytimeabsolute', type: 'string', check: timeWrong },
  modify: timeTag((call) => {
    const text = call.text('bytimeabsolute');
    return (run) => timeOf(checked(run, text, timeWrong));
  }),
};

/** A tag that means something only beside one of the two times. */
function beside(tag: TagSpec): TagSpec {
  return {
    ...tag,
    modify(call, compiler) {
      if (!call.has('bytimerelative') && !call.has('bytimeabsolute')) {
        compiler.error(
          call.position(tag.name),
          `the :${tag.name} tag for the redirect command needs :bytimerelative or :bytimeabsolute`,
        );
      }
      return { apply: () => {} };
    },
  };
}

/** RFC 6009 §7 */
export const redirectDeliverby: Extension = {
  capability: 'redirect-deliverby',
  tags: [
    RELATIVE,
    ABSOLUTE,
    beside({ name: 'bymode', parameter: { name: 'bymode', type: 'string', check: modeWrong } }),
    beside({ name: 'bytrace' }),
  ].map((tag) => ({ on: ['redirect'], tag })),
};
