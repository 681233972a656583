import { addressPart } from '../address.ts';
import type { Compiler, Extension } from '../extension.ts';
import { type Keys, matchValues } from '../keys.ts';
import { lowerAscii } from '../octets.ts';
import { NO_VALUES, Values } from '../match/values.ts';
import type { AddressPart, Envelope } from '../message.ts';
import { datePart } from '../moment.ts';
import { parsePath } from '../path.ts';
import { type Run, ScriptError, StateKey, type Test } from '../run.ts';
import { mapped, type Text, type Texts } from '../text.ts';
import { localOr, ZONE } from '../zone.ts';

/** The paths of an envelope by their names. */
const PATHS: Readonly<Record<string, (envelope: Envelope) => string | null>> = {
  from: (envelope) => envelope.from,
  to: (envelope) => envelope.to,
  orig_to: (envelope) => envelope.originalTo,
  auth: (envelope) => envelope.auth,
};

/** The moment of a test, unix milliseconds, and the zone that some moment is shown in, minutes east of UTC. */
interface At {
  readonly now: number;
  readonly zone: (seconds: number) => number;
}

/** Parts that other extensions bring (RFC 6009), with the capability each needs. */
const PARAMETERS: Readonly<
  Record<
    string,
    { readonly capability: string; readonly values: (envelope: Envelope, at: At) => (string | null)[] }
  >
> = {
  notify: { capability: 'envelope-dsn', values: ({ dsn }) => [...dsn?.notify ?? []] },
  orcpt: { capability: 'envelope-dsn', values: ({ dsn }) => [dsn?.orcpt ?? null] },
  ret: { capability: 'envelope-dsn', values: ({ dsn }) => [dsn?.ret ?? null] },
  envid: { capability: 'envelope-dsn', values: ({ dsn }) => [dsn?.envid ?? null] },
  bytimeabsolute: {
    capability: 'envelope-deliverby',
    values({ deliverBy: by }, { zone }) {
      if (by === undefined) return [];
      const seconds = Math.floor(by.deadline / 1000);
      return [datePart('iso8601', seconds, zone(seconds))];
    },
  },
  bytimerelative: {
    capability: 'envelope-deliverby',
    values: (
      { deliverBy: by },
      { now },
    ) => [by === undefined ? null : String(Math.round((by.deadline - now) / 1000))],
  },
  bymode: { capability: 'envelope-deliverby', values: ({ deliverBy: by }) => [by?.mode ?? null] },
  bytrace: {
    capability: 'envelope-deliverby',
    values: ({ deliverBy: by }) => [by === undefined ? null : by.trace ? 'trace' : ''],
  },
};

function partWrong(name: string): string | null {
  const lower = lowerAscii(name);
  return Object.hasOwn(PATHS, lower) || Object.hasOwn(PARAMETERS, lower)
    ? null
    : `unknown part of the envelope "${name}": expected "from" or "to"`;
}

/** What is wrong with a part that needs an extension, which was not required. */
function unavailable(name: string, compiler: Compiler): string | null {
  const lower = lowerAscii(name);
  const needed = Object.hasOwn(PARAMETERS, lower) ? PARAMETERS[lower]?.capability : undefined;
  return needed === undefined || compiler.enabled(needed)
    ? null
    : `the part "${name}" of the envelope needs require "${needed}"`;
}

/** RFC 6009 §4, §5: an error. */
function noAddress(name: string): string {
  return `the part "${name}" of the envelope is no address, of which a part could be taken`;
}

class EnvelopeTest implements Test {
  readonly #parts: Texts;
  readonly #keys: Keys;
  /** Null where none was asked for. */
  readonly #part: AddressPart | null;
  /** Of "bytimeabsolute"; null for the server's. */
  readonly #zone: Text | null;

  constructor(parts: Texts, keys: Keys, part: AddressPart | null, zone: Text | null) {
    this.#parts = mapped(parts, lowerAscii);
    this.#keys = keys;
    this.#part = part;
    this.#zone = zone;
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
    const key = `${name} ${this.#part} ${this.#zone?.value(run) ?? ''}`;
    let values = known.values.get(key);
    if (values === undefined) {
      const found = this.#find(run, name).filter((text) => text !== null);
      values = found.length === 0 ? NO_VALUES : new Values(found);
      known.values.set(key, values);
    }
    return values;
  }

  #find(run: Run, name: string): (string | null)[] {
    const { envelope, host: { now }, separators, frame } = run;
    if (Object.hasOwn(PARAMETERS, name)) {
      const { capability, values } = PARAMETERS[name] as (typeof PARAMETERS)[string];
      if (!frame.program.required.has(capability)) return [];
      if (this.#part !== null) throw new ScriptError(`the envelope test: ${noAddress(name)}`);
      return values(envelope, { now, zone: (seconds) => localOr(run, this.#zone, seconds) });
    }
    const value = Object.hasOwn(PATHS, name) ? PATHS[name]?.(envelope) ?? null : null;
    return value === null ? [] : [partOf(name, value, this.#part ?? 'all', separators)];
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
    compile(call, compiler) {
      const parts = call.texts('envelope parts');
      const given = call.hasAddressPart();
      for (const name of parts.constant ?? []) {
        const wrong = unavailable(name, compiler) ??
          (given && Object.hasOwn(PARAMETERS, lowerAscii(name)) ? noAddress(name) : null);
        if (wrong === null) continue;
        compiler.error(call.position('envelope parts'), `the envelope test: ${wrong}`);
        return null;
      }
      const keys = call.keys('key list');
      if (keys === null) return null;
      const zone = call.has('zone') ? call.text('zone') : null;
      return new EnvelopeTest(parts, keys, given ? call.addressPart() : null, zone);
    },
  }],
};

/** RFC 6009 §4: "notify", "orcpt", "ret", "envid". */
export const envelopeDsn: Extension = { capability: 'envelope-dsn', needs: ['envelope'] };

/** RFC 6009 §5: "bytimeabsolute", "bytimerelative", "bymode", "bytrace". */
export const envelopeDeliverby: Extension = {
  capability: 'envelope-deliverby',
  needs: ['envelope'],
  tags: [{ on: ['envelope'], tag: ZONE }],
};
