import { limits } from '../limits.ts';
import { eachField, latin1, unfold } from '../mime/header.ts';
import { FieldList, NO_FIELDS } from './fields.ts';
import type { Fields, HeaderView } from './message.ts';

/** A header block: names are indexed at once, values unfolded when a name is first asked for. */
export class HeaderBlock implements HeaderView {
  readonly #bytes: Uint8Array;
  readonly #separators: string;
  /** Offsets of values, start and end in turn, by name in lower case. */
  readonly #places = new Map<string, number[]>();
  readonly #fields = new Map<string, Fields>();

  /** `bytes` may go on behind the empty line; `separators` are the chars between user and detail (RFC 5233 §3). */
  constructor(bytes: Uint8Array, separators: string) {
    this.#bytes = bytes;
    this.#separators = separators;
    let count = 0;
    eachField(bytes, (start, nameEnd, valueStart, end) => {
      if (nameEnd > start) {
        const name = latin1(bytes, start, nameEnd).toLowerCase();
        const places = this.#places.get(name);
        if (places === undefined) this.#places.set(name, [valueStart, end]);
        else places.push(valueStart, end);
      }
      return ++count < limits.mime_header_fields.value;
    });
  }

  fields(name: string): Fields {
    const places = this.#places.get(name);
    if (places === undefined) return NO_FIELDS;
    const known = this.#fields.get(name);
    if (known !== undefined) return known;
    const raw: string[] = [];
    for (let i = 0; i < places.length; i += 2) {
      raw.push(unfold(latin1(this.#bytes, places[i] as number, places[i + 1] as number)));
    }
    const fields = new FieldList(raw, this.#separators);
    this.#fields.set(name, fields);
    return fields;
  }
}
