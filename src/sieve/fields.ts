import { decodeHeader } from '../mime/encodedword.ts';
import { addressPart, type Mailbox, mailboxes } from './address.ts';
import { NO_VALUES, Values } from './match/values.ts';
import type { AddressPart, Fields } from './message.ts';
import { toOctets } from './octets.ts';

/** Fields of one name. Decoding, parsing and folding happen when they are first asked for, once per message. */
export class FieldList implements Fields {
  readonly raw: readonly string[];
  readonly #separators: string;
  #values: Values | null = null;
  #mailboxes: Mailbox[] | null = null;
  #parts: Partial<Record<AddressPart, Values>> = {};

  /** `raw` are unfolded values as octets; `separators` the chars between user and detail (RFC 5233 §3). */
  constructor(raw: readonly string[], separators: string) {
    this.raw = raw;
    this.#separators = separators;
  }

  get values(): Values {
    return (this.#values ??= new Values(this.raw.map(decodeValue)));
  }

  addresses(part: AddressPart): Values {
    const known = this.#parts[part];
    if (known !== undefined) return known;
    this.#mailboxes ??= this.raw.flatMap(mailboxes);
    const items: string[] = [];
    for (const mailbox of this.#mailboxes) {
      const text = addressPart(mailbox, part, this.#separators);
      if (text !== null) items.push(text);
    }
    return (this.#parts[part] = new Values(items));
  }

  only(index: number, last: boolean): Fields {
    const value = this.raw[last ? this.raw.length - index : index - 1];
    return value === undefined ? NO_FIELDS : new FieldList([value], this.#separators);
  }
}

/** No field at all. */
export const NO_FIELDS: Fields = {
  raw: [],
  values: NO_VALUES,
  addresses: () => NO_VALUES,
  only: () => NO_FIELDS,
};

/** RFC 5228 §2.7.2: encoded-words become UTF-8; blanks at both ends do not count (§2.4.2.2). */
function decodeValue(raw: string): string {
  return raw.includes('=?') ? toOctets(decodeHeader(raw)) : raw;
}
