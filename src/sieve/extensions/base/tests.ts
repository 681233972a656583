/** Tests over the message (RFC 5228 §5). */
import type { Call, FieldSource, TestSpec } from '../../extension.ts';
import { type Keys, matchValues } from '../../keys.ts';
import { lowerAscii } from '../../octets.ts';
import { type FieldNumber, fieldNumber } from '../../fieldnumber.ts';
import { NO_FIELDS } from '../../fields.ts';
import type { AddressPart, Fields } from '../../message.ts';
import type { Values } from '../../match/values.ts';
import type { Run, Test } from '../../run.ts';
import { mapped, type Texts } from '../../text.ts';

/** A test of which the values of several fields are compared with keys. */
abstract class FieldTest implements Test {
  readonly #names: Texts;
  readonly #keys: Keys;
  readonly #source: FieldSource;
  readonly #number: FieldNumber | null;

  constructor(names: Texts, keys: Keys, call: Call) {
    this.#names = mapped(names, lowerAscii);
    this.#keys = keys;
    this.#source = call.source();
    this.#number = fieldNumber(call);
  }

  protected abstract values(fields: Fields): Values;

  evaluate(run: Run): boolean {
    const matcher = this.#keys.matcher(run);
    const names = this.#names.values(run);
    run.spend(names.length);
    if (this.#number !== null) {
      const values = this.values(this.#numbered(run, names, this.#number));
      return matcher.matchCount?.(values.items.length) ?? matchValues(run, matcher, values);
    }
    if (matcher.matchCount !== undefined) {
      let count = 0;
      for (let i = 0; i < names.length; i++) {
        count += this.values(this.#source.fields(run, names[i] as string)).items.length;
      }
      return matcher.matchCount(count);
    }
    for (let i = 0; i < names.length; i++) {
      if (matchValues(run, matcher, this.values(this.#source.fields(run, names[i] as string)))) return true;
    }
    return false;
  }

  /** RFC 5260 §6: fields of all names are counted, in the order of the names. */
  #numbered(run: Run, names: readonly string[], { index, last }: FieldNumber): Fields {
    let left = index;
    for (const name of last ? names.toReversed() : names) {
      const fields = this.#source.fields(run, name);
      if (left <= fields.raw.length) return fields.only(left, last);
      left -= fields.raw.length;
    }
    return NO_FIELDS;
  }
}

class HeaderTest extends FieldTest {
  protected override values(fields: Fields): Values {
    return fields.values;
  }
}

class AddressTest extends FieldTest {
  readonly #part: AddressPart;

  constructor(names: Texts, keys: Keys, call: Call) {
    super(names, keys, call);
    this.#part = call.addressPart();
  }

  protected override values(fields: Fields): Values {
    return fields.addresses(this.#part);
  }
}

/** §5.7 */
export const header: TestSpec = {
  name: 'header',
  match: true,
  parameters: [{ name: 'header names', type: 'strings' }, { name: 'key list', type: 'strings' }],
  compile(call) {
    const keys = call.keys('key list');
    return keys === null ? null : new HeaderTest(call.texts('header names'), keys, call);
  },
};

/** Fields that hold addresses: RFC 5322 §3.6, RFC 2369 has none, and what is in common use. §5.1 allows to refuse others. */
const ADDRESS_FIELDS: ReadonlySet<string> = new Set([
  'from',
  'to',
  'cc',
  'bcc',
  'sender',
  'reply-to',
  'resent-from',
  'resent-to',
  'resent-cc',
  'resent-bcc',
  'resent-sender',
  'resent-reply-to',
  'return-path',
  'envelope-to',
  'envelope-from',
  'delivered-to',
  'x-original-to',
  'x-delivered-to',
  'x-envelope-to',
  'x-envelope-from',
  'x-resolved-to',
  'x-real-to',
  'original-recipient',
  'final-recipient',
  'errors-to',
  'return-receipt-to',
  'disposition-notification-to',
  'mail-followup-to',
  'mail-reply-to',
  'apparently-to',
  'abuse-reports-to',
  'x-complaints-to',
  'approved',
  'x-beenthere',
  'x-original-from',
  'x-report-abuse-to',
  'x-admin',
  'x-confirm-reading-to',
  'read-receipt-to',
  'return-receipt-requested',
  'registered-mail-reply-requested-by',
  'for-approval',
  'for-comment',
  'for-handling',
  'list-owner',
]);

/** §5.1 */
export const address: TestSpec = {
  name: 'address',
  match: true,
  addressPart: true,
  parameters: [
    {
      name: 'header list',
      type: 'strings',
      // RFC 5703 §4.2: with :mime any field is read as if it held addresses.
      check: (name, _settings, has) =>
        has('mime') || ADDRESS_FIELDS.has(lowerAscii(name))
          ? null
          : `the header '${name}' is not allowed for the address test: it holds no addresses`,
    },
    { name: 'key list', type: 'strings' },
  ],
  compile(call) {
    const keys = call.keys('key list');
    if (keys === null) return null;
    return new AddressTest(call.texts('header list'), keys, call);
  },
};

class ExistsTest implements Test {
  readonly #names: Texts;
  readonly #source: FieldSource;

  constructor(names: Texts, source: FieldSource) {
    this.#names = mapped(names, lowerAscii);
    this.#source = source;
  }

  evaluate(run: Run): boolean {
    const names = this.#names.values(run);
    run.spend(names.length);
    for (let i = 0; i < names.length; i++) {
      if (this.#source.fields(run, names[i] as string).raw.length === 0) return false;
    }
    return true;
  }
}

/** §5.5: all of the fields. */
export const exists: TestSpec = {
  name: 'exists',
  parameters: [{ name: 'header names', type: 'strings' }],
  compile: (call) => new ExistsTest(call.texts('header names'), call.source()),
};

class SizeTest implements Test {
  readonly #over: boolean;
  readonly #limit: number;

  constructor(over: boolean, limit: number) {
    this.#over = over;
    this.#limit = limit;
  }

  evaluate(run: Run): boolean {
    const { size } = run.message;
    return this.#over ? size > this.#limit : size < this.#limit;
  }
}

/** §5.9 */
export const size: TestSpec = {
  name: 'size',
  tags: [{ name: 'over', group: 'relation' }, { name: 'under', group: 'relation' }],
  parameters: [{ name: 'limit', type: 'number' }],
  compile(call, compiler) {
    if (!call.has('over') && !call.has('under')) {
      compiler.error(
        call.node.position,
        "the size test expects ':over' or ':under', but neither is specified",
      );
      return null;
    }
    return new SizeTest(call.has('over'), call.number('limit'));
  },
};
