import type { Extension } from '../extension.ts';
import { addressPart } from '../address.ts';
import { type Keys, matchValues } from '../keys.ts';
import { lowerAscii } from '../octets.ts';
import { NO_VALUES, Values } from '../match/values.ts';
import type { AddressPart, Envelope } from '../message.ts';
import { parsePath } from '../path.ts';
import { type Run, StateKey, type Test } from '../run.ts';
import { mapped, type Texts } from '../text.ts';

/** The parts of an envelope by their names, and what each is. */
const PARTS: Readonly<Record<string, (envelope: Envelope) => string | null>> = {
  from: (envelope) => envelope.from,
  to: (envelope) => envelope.to,
  orig_to: (envelope) => envelope.originalTo,
  auth: (envelope) => envelope.auth,
};

function partWrong(name: string): string | null {
  return lowerAscii(name) in PARTS ? null : `unknown part of the envelope "${name}": expected "from" or "to"`;
}

class EnvelopeTest implements Test {
  readonly #parts: Texts;
  readonly #keys: Keys;
  readonly #part: AddressPart;

  constructor(parts: Texts, keys: Keys, part: AddressPart) {
    this.#parts = mapped(parts, lowerAscii);
    this.#keys = keys;
    this.#part = part;
  }

  evaluate(run: Run): boolean {
    const matcher = this.#keys.matcher(run);
    let count = 0;
    for (const name of this.#parts.values(run)) {
      const values = this.#values(run, name);
      if (matcher.matchCount !== undefined) count += values.items.length;
      else if (matchValues(run, matcher, values)) return true;
    }
    return matcher.matchCount?.(count) ?? false;
  }

  #values(run: Run, name: string): Values {
    const known = run.state(KNOWN);
    if (known.envelope !== run.envelope) known.values.clear();
    known.envelope = run.envelope;
    const key = `${name} ${this.#part}`;
    let values = known.values.get(key);
    if (values === undefined) {
      const value = PARTS[name]?.(run.envelope) ?? null;
      const text = value === null ? null : partOf(name, value, this.#part, run.separators);
      values = text === null ? NO_VALUES : new Values([text]);
      known.values.set(key, values);
    }
    return values;
  }
}

/** Parts of the envelope that tests asked for already. */
interface KnownParts {
  envelope: Envelope | null;
  readonly values: Map<string, Values>;
}

const KNOWN = new StateKey<KnownParts>(() => ({ envelope: null, values: new Map() }));

/** RFC 5228 §5.4: the null reverse-path is the empty string, whatever part of it is asked for. What is no path has no part. */
function partOf(name: string, value: string, part: AddressPart, separators: string): string | null {
  if (value === '' || value === '<>' || name === 'auth') return value === '<>' ? '' : value;
  const mailbox = parsePath(value);
  return mailbox === null ? null : addressPart(mailbox, part, separators);
}

/** RFC 5228 §5.4 */
export const envelope: Extension = {
  capability: 'envelope',
  tests: [{
    name: 'envelope',
    match: true,
    addressPart: true,
    parameters: [
      { name: 'envelope parts', type: 'strings', check: partWrong },
      { name: 'key list', type: 'strings' },
    ],
    compile(call) {
      const keys = call.keys('key list');
      return keys === null ? null : new EnvelopeTest(call.texts('envelope parts'), keys, call.addressPart());
    },
  }],
};
