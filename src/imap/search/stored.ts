/**
 * A stored message as SEARCH asks about it: columns from its row, header and body read from the file when a key wants
 * them and not before.
 */

import { parameter, parseContentType, TEXT_PLAIN } from '../../mime/parameters.ts';
import { latin1, unfold } from '../../mime/header.ts';
import {
  decodeHeader,
  decodeStructure,
  decodeText,
  eachField,
  headerField,
  parseAddressList,
  parseDate,
  type Part,
} from '../../mime/message.ts';
import { limits } from '../../limits.ts';
import {
  type Mailbox,
  type MessageContent,
  NARROW_COLUMNS,
  type NarrowRow,
  type WideRow,
} from '../../store/border.ts';
import type { SearchMessage } from './evaluate.ts';

const DAY = 86_400;

/** Fields whose keys search the addresses as ENVELOPE has them (RFC 9051 §6.4.4 BCC, CC, FROM, TO). */
const ADDRESS_FIELDS: ReadonlySet<string> = new Set(['bcc', 'cc', 'from', 'to']);

/** An address may stand here in another way than as user@host: with comments, quotes or blanks inside. */
const WRITTEN_APART = /[(\\]|["\s]@|@\s|\s\.|"\.|\."/;

/** What has to stand beside the narrow columns where header or body may be asked for. */
export const SEARCH_COLUMNS = ['headersize', 'structure', 'place'] as const;

/** A row with or without those. */
export type SearchRow = NarrowRow | WideRow<typeof SEARCH_COLUMNS>;

/** One message under test. Close it when its test is done. */
export class StoredMessage implements SearchMessage {
  readonly uid: number;
  readonly flagsLo: number;
  readonly flagsHi: number;
  readonly modseq: number;
  readonly size: number;
  readonly internaldate: number;
  readonly savedate: number;
  readonly #mailbox: Mailbox;
  readonly #row: SearchRow;
  #content: MessageContent | undefined;
  #header: Uint8Array | undefined;

  constructor(mailbox: Mailbox, row: SearchRow) {
    this.#mailbox = mailbox;
    this.#row = row;
    [this.uid, this.flagsLo, this.flagsHi, this.modseq, this.size, this.internaldate, this.savedate] = row;
  }

  /** RFC 9051 §6.4.4 SENTON: the date as the sender wrote it, its time and zone left aside. */
  sentDay(): number | null {
    const value = headerField(this.#ownHeader(), 'date');
    const date = value === null ? null : parseDate(value);
    return date === null ? null : Math.floor((date.seconds + 60 * date.zone) / DAY);
  }

  header(name: string): readonly string[] {
    const header = this.#ownHeader();
    const values: string[] = [];
    eachField(header, (start, nameEnd, valueStart, end) => {
      if (nameEnd - start !== name.length || latin1(header, start, nameEnd).toLowerCase() !== name) return;
      const value = unfold(latin1(header, valueStart, end));
      values.push(decodeHeader(value));
      if (ADDRESS_FIELDS.has(name) && WRITTEN_APART.test(value)) values.push(plainAddresses(value));
    });
    return values;
  }

  headerText(): string {
    const texts = [headerLines(this.#ownHeader())];
    for (const part of this.#parts()) {
      if (part.headerStart > 0 && part.bodyStart > part.headerStart) texts.push(this.#partHeader(part));
    }
    return texts.join('\n');
  }

  /** Text parts decoded, and the headers of encapsulated messages, which belong to the body that carries them. */
  bodyText(): string {
    const texts: string[] = [];
    let left = limits.imap_search_text.value;
    for (const part of this.#parts()) {
      if (part.kind === 'message') {
        const inner = part.children[0];
        if (inner !== undefined) texts.push(this.#partHeader(inner));
      }
      if (part.kind !== 'leaf' || left <= 0) continue;
      const { type, charset } = this.#typeOf(part);
      if (type !== 'TEXT' && type !== 'MESSAGE') continue;
      const end = Math.min(part.end, part.bodyStart + left);
      left -= end - part.bodyStart;
      texts.push(decodeText(this.#file().read(part.bodyStart, end), part.encoding, charset));
    }
    return texts.join('\n');
  }

  close(): void {
    this.#content?.close();
    this.#content = undefined;
  }

  #file(): MessageContent {
    return this.#content ??= this.#mailbox.content(this.#row, this.#row[NARROW_COLUMNS + 2] as string);
  }

  #ownHeader(): Uint8Array {
    // A copy, since the next read may use the same memory.
    const size = Math.min(
      (this.#row[NARROW_COLUMNS] as number | undefined) ?? 0,
      limits.mime_header_block.value,
    );
    return this.#header ??= Buffer.from(this.#file().read(0, size));
  }

  #partHeader(part: Part): string {
    return headerLines(this.#file().read(part.headerStart, part.bodyStart));
  }

  *#parts(): Generator<Part> {
    const waiting = [decodeStructure(this.#row[NARROW_COLUMNS + 1] as Uint8Array)];
    for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
      yield part;
      for (let i = part.children.length - 1; i >= 0; i--) waiting.push(part.children[i] as Part);
    }
  }

  #typeOf(part: Part): { type: string; charset: string | null } {
    const value = headerField(this.#file().read(part.headerStart, part.bodyStart), 'content-type');
    const { type, parameters } = (value === null ? null : parseContentType(value)) ?? TEXT_PLAIN;
    return { type, charset: parameter(parameters, 'CHARSET') };
  }
}

/** `name <user@host>` of every address of a field, one a line. */
function plainAddresses(value: string): string {
  const lines: string[] = [];
  for (const { name, mailbox, host } of parseAddressList(value)) {
    if (mailbox === null || host === null) continue;
    lines.push(`${decodeHeader(name ?? '')} <${decodeHeader(mailbox)}@${host}>`);
  }
  return lines.join('\n');
}

/** All fields, unfolded and decoded, one a line. */
function headerLines(header: Uint8Array): string {
  const lines: string[] = [];
  eachField(header, (start, _nameEnd, _valueStart, end) => {
    lines.push(decodeHeader(unfold(latin1(header, start, end))));
  });
  return lines.join('\n');
}
