import { limits } from '../../limits.ts';
import { messageDate, textField } from '../../mime/encode.ts';
import { eachField } from '../../mime/header.ts';
import { HeaderBlock } from '../header.ts';
import type { Fields, Message, NewFields, Wrapping } from '../message.ts';
import { fromOctets } from '../octets.ts';
import type { Content } from '../result.ts';
import type { Slices } from '../slices.ts';
import { contentOf, rawBody, textOf } from './body.ts';
import { enclosed } from './compose.ts';
import { EditedHeader } from './editedheader.ts';
import { type MimePart, partTree } from './part.ts';

/**
 * A message as scripts see and change it.
 *
 * Invariants
 * 1. Nothing is looked at before it is asked for: a script about From never finds the parts.
 * 2. `#source` is the message as of the last change of all its content; an edited header and replaced parts stand over it.
 *    What was not changed keeps its bytes.
 */
export class Mail implements Message {
  readonly #separators: string;
  #source: Uint8Array;
  #header: HeaderBlock | EditedHeader | null = null;
  #root: MimePart | null = null;
  #changed = false;
  /** Fields that keep what `replaceAll` took away. */
  readonly #preserved = new Set<string>();
  /** The content before it was enclosed, where it was. */
  #unenclosed: { readonly content: Content } | null = null;

  /** `separators` are the chars between user and detail of an address (RFC 5233 §3). */
  constructor(bytes: Uint8Array, separators = '+') {
    this.#source = bytes;
    this.#separators = separators;
  }

  get size(): number {
    return this.content()?.reduce((sum, { length }) => sum + length, 0) ?? this.#source.length;
  }

  fields(name: string): Fields {
    this.#header ??= new HeaderBlock(
      this.#source.subarray(0, limits.mime_header_block.value),
      this.#separators,
    );
    return this.#header.fields(name);
  }

  get root(): MimePart {
    return this.#root ??= partTree(this.#source, this.#separators);
  }

  rawBody(): readonly string[] {
    const body = this.#body();
    return body === null ? [] : [rawBody(body)];
  }

  *contentBody(types: readonly string[]): Slices<readonly string[]> {
    return hasBody(this.#source) ? yield* contentOf(this.root, types) : [];
  }

  *textBody(): Slices<readonly string[]> {
    return hasBody(this.#source) ? yield* textOf(this.root) : [];
  }

  editHeader(): EditedHeader {
    if (!(this.#header instanceof EditedHeader)) {
      this.#header = new EditedHeader(this.#source.subarray(0, bodyStart(this.#source)), this.#separators);
    }
    this.#changed = true;
    return this.#header;
  }

  replaceAll(entity: Uint8Array, { subject, from }: NewFields): void {
    const header = this.editHeader();
    const made: string[] = [];
    for (const [name, value] of [['Subject', subject], ['From', from]] as const) {
      if (value === null) continue;
      const [old] = header.fields(name.toLowerCase()).values.items;
      header.delete(name.toLowerCase(), () => true);
      made.push(textField(name, value));
      if (old === undefined) continue;
      made.push(textField(`Original-${name}`, fromOctets(old)));
      this.#preserved.add(`original-${name.toLowerCase()}`);
    }
    const kept = header.select((name) => !name.startsWith('content-') && name !== 'mime-version');
    const version = hasVersion(entity) ? '' : 'MIME-Version: 1.0\r\n';
    this.#set(Buffer.concat([...kept, Buffer.from(made.join('') + version), entity]));
  }

  isPreserved(name: string): boolean {
    return this.#preserved.has(name);
  }

  enclose({ subject, names, from, date, text }: Wrapping): void {
    const content = this.content();
    this.#unenclosed ??= { content };
    const header = this.editHeader();
    const fields = header.select((name) =>
      !MIME_FIELDS.test(name) &&
      (names.includes(name) && name !== 'subject' || name === 'subject' && subject === null)
    );
    const made = [
      ...names.includes('from') || from === '' ? [] : [`From: <${from}>\r\n`],
      ...names.includes('date') ? [] : [`Date: ${messageDate(date)}\r\n`],
      ...subject === null ? [] : [textField('Subject', subject)],
    ];
    const message = content === null ? this.#source : Buffer.concat(content);
    this.#preserved.clear();
    this.#set(enclosed(message, { fields: [...fields, Buffer.from(made.join(''))], text }));
  }

  content(): Content {
    if (!this.#changed && this.#root?.changed !== true) return null;
    const header = this.#header instanceof EditedHeader
      ? this.#header.bytes()
      : this.#source.subarray(0, bodyStart(this.#source));
    const body = this.#body();
    return body === null ? [header] : [header, body];
  }

  forwarded(): Content {
    return this.#unenclosed === null ? this.content() : this.#unenclosed.content;
  }

  bytes(): Uint8Array {
    const content = this.content();
    return content === null ? this.#source : Buffer.concat(content);
  }

  #body(): Uint8Array | null {
    if (this.#root?.changed) return this.#root.bodyBytes();
    return hasBody(this.#source) ? this.#source.subarray(bodyStart(this.#source)) : null;
  }

  become(bytes: Uint8Array): void {
    this.#unenclosed = null;
    this.#preserved.clear();
    this.#set(bytes);
  }

  #set(bytes: Uint8Array): void {
    this.#source = bytes;
    this.#header = this.#root = null;
    this.#changed = true;
  }
}

/** Fields that say what a body is; they belong to it and not to what it is enclosed in. */
const MIME_FIELDS = /^(?:mime-version$|content-)/;

const LF = 10;

/** Whether an entity says itself that it is MIME. */
function hasVersion(entity: Uint8Array): boolean {
  const header = Buffer.from(entity.subarray(0, headerEnd(entity))).toString('latin1');
  return /^mime-version[ \t]*:/im.test(header);
}

/** Offset of the empty line that ends the header, or the size if there is none. */
function headerEnd(message: Uint8Array): number {
  return eachField(message, () => true);
}

/** Offset behind the empty line, or the size. */
function bodyStart(message: Uint8Array): number {
  const blank = headerEnd(message);
  if (blank === message.length) return blank;
  return blank + (message[blank] === LF ? 1 : 2);
}

function hasBody(message: Uint8Array): boolean {
  return headerEnd(message) < message.length;
}
