/** RFC 5173; how a body becomes text is the message's (`mail/body.ts`). */
import type { Extension } from '../extension.ts';
import { limits } from '../../limits.ts';
import { chargeMatch, type Keys } from '../keys.ts';
import type { Matcher } from '../match/matcher.ts';
import { Values } from '../match/values.ts';
import type { Message } from '../message.ts';
import { lowerAscii } from '../octets.ts';
import { type Run, StateKey, type Test } from '../run.ts';
import { inTurns, type Slices } from '../slices.ts';
import { mapped, type Texts } from '../text.ts';

/** What was made of a body that a script did not change: many rules look at one body. */
interface KnownBodies {
  message: Message | null;
  readonly values: Map<string, Values>;
}

const KNOWN = new StateKey<KnownBodies>(() => ({ message: null, values: new Map() }));

abstract class BodyTest implements Test {
  readonly #keys: Keys;

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  evaluate(run: Run): boolean | Promise<boolean> {
    const matcher = this.#keys.matcher(run);
    const { pause } = run.host;
    const values = inTurns(this.#values(run), pause);
    return values instanceof Promise
      ? values.then((all) => this.#match(run, matcher, all))
      : this.#match(run, matcher, values);
  }

  #match(run: Run, matcher: Matcher, values: Values): boolean {
    if (matcher.matchCount !== undefined) return matcher.matchCount(values.items.length);
    chargeMatch(run, matcher, values);
    // §6: match variables stay as they are.
    return matcher.match(values, null, run);
  }

  *#values(run: Run): Slices<Values> {
    const known = run.state(KNOWN);
    const changed = run.message.content() !== null;
    if (changed || known.message !== run.message) known.values.clear();
    known.message = run.message;
    const key = this.key(run);
    let values = known.values.get(key);
    if (values === undefined) {
      run.spend(Math.ceil(Math.min(run.message.size, limits.sieve_body.value) / OCTETS_PER_STEP));
      values = new Values(yield* this.extract(run));
      if (known.values.size >= KEPT) known.values.clear();
      if (!changed) known.values.set(key, values);
    }
    return values;
  }

  protected abstract key(run: Run): string;
  protected abstract extract(run: Run): Slices<readonly string[]>;
}

/** Decoding so much of a body costs as much as a comparison. */
const OCTETS_PER_STEP = 128;
/** Bodies in different forms that are kept during a run. */
const KEPT = 4;

class RawTest extends BodyTest {
  protected override key(): string {
    return 'raw';
  }

  // deno-lint-ignore require-yield -- octets as they are take one slice
  protected override *extract(run: Run): Slices<readonly string[]> {
    return run.message.rawBody();
  }
}

class TextTest extends BodyTest {
  protected override key(): string {
    return 'text';
  }

  protected override extract(run: Run): Slices<readonly string[]> {
    return run.message.textBody();
  }
}

class ContentTest extends BodyTest {
  readonly #types: Texts;

  constructor(keys: Keys, types: Texts) {
    super(keys);
    this.#types = mapped(types, lowerAscii);
  }

  protected override key(run: Run): string {
    return `content ${this.#types.values(run).join(' ')}`;
  }

  protected override extract(run: Run): Slices<readonly string[]> {
    return run.message.contentBody(this.#types.values(run));
  }
}

export const body: Extension = {
  capability: 'body',
  tests: [{
    name: 'body',
    match: true,
    tags: [
      { name: 'raw', group: 'body transform' },
      { name: 'text', group: 'body transform' },
      { name: 'content', group: 'body transform', parameter: { name: 'content', type: 'strings' } },
    ],
    parameters: [{ name: 'key list', type: 'strings' }],
    compile(call) {
      const keys = call.keys('key list');
      if (keys === null) return null;
      if (call.has('content')) return new ContentTest(keys, call.texts('content'));
      return call.has('raw') ? new RawTest(keys) : new TextTest(keys);
    },
  }],
};
