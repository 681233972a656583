/**
 * A stored message as SEARCH asks about it: columns from its row, what ENVELOPE has from the index, and the rest from the
 * file when a key wants it and not before.
 */

import { latin1, unfold } from '../../mime/header.ts';
import { decodeHeader, eachField, parseDate } from '../../mime/message.ts';
import {
  type Mailbox,
  NARROW_COLUMNS,
  type NarrowRow,
  type PartColumn,
  type WideRow,
} from '../../store/border.ts';
import { envelopeDate, envelopeText } from '../envelope.ts';
import { MessageContents } from './contents.ts';
import type { SearchMessage, SearchNeed } from './evaluate.ts';
import type { Needle } from './needle.ts';

const DAY = 86_400;

/** Columns that have to stand beside the narrow ones. */
export function searchColumns(need: SearchNeed): readonly PartColumn[] {
  switch (need) {
    case 'nothing':
    case 'row':
      return [];
    case 'envelope':
      return ENVELOPE_COLUMNS;
    case 'header':
    case 'body':
      return FILE_COLUMNS;
  }
}

const ENVELOPE_COLUMNS = ['envelope'] as const;
const FILE_COLUMNS = ['envelope', 'headersize', 'structure', 'place'] as const;

type FileRow = WideRow<typeof FILE_COLUMNS>;

/** One message under test, with the columns its test needs. Close it when that is done. */
export class StoredMessage implements SearchMessage {
  readonly uid: number;
  readonly flagsLo: number;
  readonly flagsHi: number;
  readonly modseq: number;
  readonly size: number;
  readonly internaldate: number;
  readonly savedate: number;
  readonly #mailbox: Mailbox;
  readonly #row: NarrowRow | WideRow;
  #contents: MessageContents | undefined;

  constructor(mailbox: Mailbox, row: NarrowRow | WideRow) {
    this.#mailbox = mailbox;
    this.#row = row;
    [this.uid, this.flagsLo, this.flagsHi, this.modseq, this.size, this.internaldate, this.savedate] = row;
  }

  /** RFC 9051 §6.4.4 SENTON: the date as the sender wrote it, its time and zone left aside. */
  sentDay(): number | null {
    const value = envelopeDate(this.#envelope);
    const date = value === null ? null : parseDate(value);
    return date === null ? null : Math.floor((date.seconds + 60 * date.zone) / DAY);
  }

  envelope(field: string): string | null {
    return envelopeText(this.#envelope, field);
  }

  header(name: string): readonly string[] {
    const { header } = this.#file();
    const values: string[] = [];
    eachField(header, (start, nameEnd, valueStart, end) => {
      if (nameEnd - start !== name.length || latin1(header, start, nameEnd).toLowerCase() !== name) return;
      values.push(decodeHeader(unfold(latin1(header, valueStart, end))));
    });
    return values;
  }

  headersHold(needle: Needle): boolean {
    return this.#file().headersHold(needle);
  }

  bodyHolds(needle: Needle): boolean {
    return this.#file().bodyHolds(needle);
  }

  close(): void {
    this.#contents?.close();
    this.#contents = undefined;
  }

  get #envelope(): string {
    return this.#row[NARROW_COLUMNS] as string;
  }

  #file(): MessageContents {
    if (this.#contents !== undefined) return this.#contents;
    const row = this.#row as FileRow;
    const headerSize = row[NARROW_COLUMNS + 1] as number;
    const structure = row[NARROW_COLUMNS + 2] as Uint8Array;
    const place = row[NARROW_COLUMNS + 3] as string;
    return this.#contents = new MessageContents(
      () => this.#mailbox.content(row, place),
      headerSize,
      structure,
    );
  }
}
