import { limits } from '../../limits.ts';
import { textField } from '../../mime/encode.ts';
import { eachField, latin1, unfold } from '../../mime/header.ts';
import { FieldList, NO_FIELDS } from '../fields.ts';
import type { Fields, HeaderView } from '../message.ts';
import { fromOctets, octetBytes } from '../octets.ts';

/** A field as it stands in the header, with its line ends, and what tests see of it. */
interface Entry {
  /** In lower case; '' for a line that is no field. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Unfolded; null until it is asked for. */
  raw: string | null;
  readonly valueStart: number;
}

/** A header that scripts change (RFC 5293). What is not changed keeps its bytes. */
export class EditedHeader implements HeaderView {
  readonly #separators: string;
  #entries: Entry[] = [];
  /** The empty line and what stands behind it in the header's bytes. */
  readonly #rest: Uint8Array;
  readonly #fields = new Map<string, Fields>();

  /** `header` reaches to the body, the empty line included. */
  constructor(header: Uint8Array, separators: string) {
    this.#separators = separators;
    let count = 0;
    let seen = 0;
    const blank = eachField(header, (start, nameEnd, valueStart, end) => {
      this.#entries.push({
        name: latin1(header, start, nameEnd).toLowerCase(),
        bytes: header.subarray(start, end),
        raw: null,
        valueStart: valueStart - start,
      });
      seen = end;
      return ++count < limits.mime_header_fields.value;
    });
    // Fields beyond the bound are kept as they are.
    this.#rest = header.subarray(count < limits.mime_header_fields.value ? blank : seen);
  }

  fields(name: string): Fields {
    const known = this.#fields.get(name);
    if (known !== undefined) return known;
    const raw = this.#entries.filter((entry) => entry.name === name).map(rawOf);
    const fields = raw.length === 0 ? NO_FIELDS : new FieldList(raw, this.#separators);
    this.#fields.set(name, fields);
    return fields;
  }

  /** Adds a field at the top or, with `last`, at the end. `value` is octets; line breaks in it become a space. */
  add(name: string, value: string, last: boolean): void {
    const entry: Entry = {
      name: name.toLowerCase(),
      bytes: octetBytes(textField(name, fromOctets(value))),
      raw: null,
      valueStart: name.length + 1,
    };
    const before = this.#entries.at(-1)?.bytes;
    if (last && before !== undefined && before.at(-1) !== LF) {
      // The header ended without a line end, and with it the message.
      this.#entries.push({ name: '', bytes: CRLF, raw: '', valueStart: 0 });
    }
    if (last) this.#entries.push(entry);
    else this.#entries.unshift(entry);
    this.#fields.delete(entry.name);
  }

  /** Deletes the fields of a name that `goes` chooses by their number from 0 among those of the name. */
  delete(name: string, goes: (index: number) => boolean): void {
    let index = 0;
    this.#entries = this.#entries.filter((entry) => entry.name !== name || !goes(index++));
    this.#fields.delete(name);
  }

  /** The bytes of the fields with one of these names, in their order. */
  select(chosen: (name: string) => boolean): Uint8Array[] {
    return this.#entries.filter((entry) => chosen(entry.name)).map((entry) => entry.bytes);
  }

  /** The header's bytes as they are now, the empty line included if there was one. */
  bytes(): Uint8Array {
    return Buffer.concat([...this.#entries.map((entry) => entry.bytes), this.#rest]);
  }
}

const LF = 10;
const CRLF = Uint8Array.of(13, 10);

function rawOf(entry: Entry): string {
  return entry.raw ??= unfold(latin1(entry.bytes, entry.valueStart, entry.bytes.length));
}
