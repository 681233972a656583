/** RFC 5260: date and currentdate. */
import { parseDate } from '../../mime/date.ts';
import type { Call, Extension, FieldSource } from '../extension.ts';
import type { Keys } from '../keys.ts';
import { printable } from '../lexer.ts';
import { NO_VALUES, Values } from '../match/values.ts';
import { DATE_PARTS, type DatePart, datePart } from '../moment.ts';
import { lowerAscii } from '../octets.ts';
import { type FieldNumber, fieldNumber } from '../fieldnumber.ts';
import type { Run, Test } from '../run.ts';
import type { Text } from '../text.ts';
import { localOr, ZONE } from '../zone.ts';

function partWrong(name: string): string | null {
  return (DATE_PARTS as readonly string[]).includes(lowerAscii(name))
    ? null
    : `unknown date part "${printable(name)}": expected one of ${
      DATE_PARTS.map((part) => `"${part}"`).join(', ')
    }`;
}

/** §4.1: a zone that is given, that of the field, or the server's. */
type Zone = Text | 'original' | 'local';

function zoneOf(call: Call): Zone {
  return call.has('zone') ? call.text('zone') : call.has('originalzone') ? 'original' : 'local';
}

/** The offset to use for a moment, in minutes east of UTC. */
function offset(run: Run, zone: Zone, seconds: number, original: number): number {
  if (zone === 'original') return original;
  return localOr(run, zone === 'local' ? null : zone, seconds);
}

/** The value a test compares; none where the part is none that there is. */
function valuesOf(run: Run, part: Text, zone: Zone, seconds: number, original: number): Values {
  const name = lowerAscii(part.value(run));
  if (partWrong(name) !== null) return NO_VALUES;
  return new Values([datePart(name as DatePart, seconds, offset(run, zone, seconds, original))]);
}

class DateTest implements Test {
  readonly #name: Text;
  readonly #part: Text;
  readonly #zone: Zone;
  readonly #keys: Keys;
  readonly #source: FieldSource;
  readonly #number: FieldNumber;

  constructor(call: Call, keys: Keys) {
    this.#name = call.text('header name');
    this.#part = call.text('date part');
    this.#zone = zoneOf(call);
    this.#keys = keys;
    this.#source = call.source();
    this.#number = fieldNumber(call) ?? { index: 1, last: false };
  }

  evaluate(run: Run): boolean {
    const { index, last } = this.#number;
    const [value] = this.#source.fields(run, lowerAscii(this.#name.value(run))).only(index, last).raw;
    // §4: a date that is the whole value, or what is behind its last semicolon.
    const date = value === undefined
      ? null
      : parseDate(value) ?? parseDate(value.slice(value.lastIndexOf(';') + 1));
    if (date === null) return this.#keys.match(run, NO_VALUES);
    return this.#keys.match(run, valuesOf(run, this.#part, this.#zone, date.seconds, date.zone));
  }
}

class CurrentDateTest implements Test {
  readonly #part: Text;
  readonly #zone: Zone;
  readonly #keys: Keys;

  constructor(call: Call, keys: Keys) {
    this.#part = call.text('date part');
    this.#zone = zoneOf(call);
    this.#keys = keys;
  }

  evaluate(run: Run): boolean {
    const seconds = Math.floor(run.host.now / 1000);
    return this.#keys.match(run, valuesOf(run, this.#part, this.#zone, seconds, 0));
  }
}

export const date: Extension = {
  capability: 'date',
  tests: [{
    name: 'date',
    tags: [ZONE, { name: 'originalzone', group: 'zone' }],
    match: true,
    parameters: [
      { name: 'header name', type: 'string' },
      { name: 'date part', type: 'string', check: partWrong },
      { name: 'key list', type: 'strings' },
    ],
    compile(call) {
      const keys = call.keys('key list');
      return keys === null ? null : new DateTest(call, keys);
    },
  }, {
    name: 'currentdate',
    tags: [ZONE],
    match: true,
    parameters: [{ name: 'date part', type: 'string', check: partWrong }, {
      name: 'key list',
      type: 'strings',
    }],
    compile(call) {
      const keys = call.keys('key list');
      return keys === null ? null : new CurrentDateTest(call, keys);
    },
  }],
};
