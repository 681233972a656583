/**
 * What stands in a message, as SEARCH asks about it. Text that is plain ASCII is compared where it lies; transfer encoding and
 * charset are undone only where there is one to undo.
 *
 * Invariants
 * 1. The answers are those of decoding everything and folding it (mime/fold.ts), part by part.
 * 2. The file is opened when something is asked for the first time, and read once where it is small.
 * 3. A small message lies in memory that the next one uses again: nothing here outlives `close`.
 */

import { isAscii } from 'node:buffer';
import { limits } from '../../limits.ts';
import { latin1, unfold } from '../../mime/header.ts';
import {
  decodeHeader,
  decodeStructure,
  decodeTransfer,
  eachField,
  headerField,
  type Part,
} from '../../mime/message.ts';
import { charsetKeepsAscii, decodeCharset } from '../../mime/charset.ts';
import { parameter, parseContentType, TEXT_PLAIN } from '../../mime/parameters.ts';
import type { MessageContent } from '../../store/border.ts';
import type { Needle } from './needle.ts';

/** Messages up to this size are read whole: one system call instead of one per part. */
const WHOLE = 256 * 1024;

/** Where small messages are read to, one after the other. */
let memory: Buffer | undefined;

const EQUALS = 0x3d;

export class MessageContents {
  readonly #open: () => MessageContent;
  readonly #headerSize: number;
  readonly #structure: Uint8Array;
  #content: MessageContent | undefined;
  #whole: Uint8Array | undefined;
  #ownHeader: Uint8Array | undefined;
  #parts: Part[] | undefined;

  /** `structure` is the part tree of mime/structure.ts. */
  constructor(open: () => MessageContent, headerSize: number, structure: Uint8Array) {
    this.#open = open;
    this.#headerSize = headerSize;
    this.#structure = structure;
  }

  /** The message's own header, as far as anything looks at it. */
  get header(): Uint8Array {
    return this.#ownHeader ??= this.#bytes(0, Math.min(this.#headerSize, limits.mime_header_block.value));
  }

  /** All header fields, those of MIME parts too, hold it. */
  headersHold(needle: Needle): boolean {
    if (headerHolds(this.header, needle)) return true;
    return this.#tree().some((part) =>
      part.headerStart > 0 && part.bodyStart > part.headerStart &&
      headerHolds(this.#bytes(part.headerStart, part.bodyStart), needle)
    );
  }

  /** Text parts decoded, and the headers of encapsulated messages, which belong to the body that carries them. */
  bodyHolds(needle: Needle): boolean {
    let left = limits.imap_search_text.value;
    for (const part of this.#tree()) {
      if (part.kind === 'message') {
        const inner = part.children[0];
        if (inner !== undefined && headerHolds(this.#bytes(inner.headerStart, inner.bodyStart), needle)) {
          return true;
        }
      }
      if (part.kind !== 'leaf' || left <= 0) continue;
      const type = this.#typeOf(part);
      if (!type.text) continue;
      const end = Math.min(part.end, part.bodyStart + left);
      left -= end - part.bodyStart;
      if (textHolds(this.#bytes(part.bodyStart, end), part.encoding, type.charset, needle)) return true;
    }
    return false;
  }

  close(): void {
    this.#content?.close();
    this.#content = undefined;
  }

  /** Bytes [start, end) of the message: a view where it was read whole, else memory of their own. */
  #bytes(start: number, end: number): Uint8Array {
    const content = this.#content ??= this.#open();
    if (content.size > WHOLE) return Buffer.from(content.read(start, end));
    if (this.#whole === undefined) {
      memory ??= Buffer.allocUnsafeSlow(WHOLE);
      const target = memory.subarray(0, content.size);
      const count = content.readInto(target, 0);
      this.#whole = count === target.length ? target : target.subarray(0, count);
    }
    return this.#whole.subarray(start, end);
  }

  /** All parts in their order, each before those inside it. */
  #tree(): readonly Part[] {
    if (this.#parts !== undefined) return this.#parts;
    const parts: Part[] = [];
    const waiting = [decodeStructure(this.#structure)];
    for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
      parts.push(part);
      for (let i = part.children.length - 1; i >= 0; i--) waiting.push(part.children[i] as Part);
    }
    return this.#parts = parts;
  }

  #typeOf(part: Part): TextType {
    return textType(headerField(this.#bytes(part.headerStart, part.bodyStart), 'content-type'));
  }
}

interface TextType {
  /** Its content is text to be searched. */
  readonly text: boolean;
  readonly charset: string | null;
}

const types = new Map<string, TextType>();

/** Most messages say one of a few things; a sender who invents more must not fill this map. */
const MOST_TYPES = 512;

/** What a Content-Type says about searching. Null is a part without one (RFC 2045 §5.2). */
function textType(value: string | null): TextType {
  if (value === null) return PLAIN;
  const known = types.get(value);
  if (known !== undefined) return known;
  const { type, parameters } = parseContentType(value) ?? TEXT_PLAIN;
  const found = { text: type === 'TEXT' || type === 'MESSAGE', charset: parameter(parameters, 'CHARSET') };
  if (value.length <= 200) {
    if (types.size >= MOST_TYPES) types.clear();
    types.set(value, found);
  }
  return found;
}

const PLAIN: TextType = { text: true, charset: parameter(TEXT_PLAIN.parameters, 'CHARSET') };

/** Whether the text of a part, in its transfer encoding and charset, holds the needle. */
export function textHolds(
  bytes: Uint8Array,
  encoding: string | null,
  charset: string | null,
  needle: Needle,
): boolean {
  if (needle.isEmpty) return true;
  let text = bytes;
  if (encoding === 'BASE64') text = decodeTransfer(bytes, encoding);
  else if (encoding === 'QUOTED-PRINTABLE' && (needle.blanks || bytes.includes(EQUALS))) {
    // Without `=` only blanks before line ends would go.
    text = decodeTransfer(bytes, encoding);
  }
  if (isAscii(text) && charsetKeepsAscii(charset)) {
    return needle.ascii?.test(latin1(text, 0, text.length)) ?? false;
  }
  return needle.inText(decodeCharset(text, charset ?? 'us-ascii'));
}

/** Whether the fields of a header block, unfolded and decoded, hold the needle. */
export function headerHolds(header: Uint8Array, needle: Needle): boolean {
  if (needle.isEmpty) return true;
  // The header of a part without any.
  if (header.length === 0) return false;
  if (!isAscii(header) || needle.lines) return needle.inText(headerLines(header));
  const { word } = needle;
  const text = latin1(header, 0, header.length);
  const encoded = text.includes('=?');
  if (needle.ascii === null) return encoded && encodedFieldsHold(text, needle);
  if (needle.blanks || encoded) {
    // Its parts stand in the text as they are, or come out of an encoded-word.
    if (word === null || word.test(text)) return needle.inText(headerLines(header));
    return encoded && encodedFieldsHold(text, needle);
  }
  return needle.ascii.test(text);
}

/** The same of the fields with encoded-words alone. */
function encodedFieldsHold(header: string, needle: Needle): boolean {
  let end = 0;
  for (let at = header.indexOf('=?'); at >= 0; at = header.indexOf('=?', end)) {
    // A line that begins with a blank belongs to the field before it (RFC 5322 §2.2.3).
    let start = at;
    do start = start === 0 ? 0 : header.lastIndexOf('\n', start - 1) + 1; while (
      start > 0 && isBlank(header.charCodeAt(start)) && (start -= 1) > 0
    );
    end = at;
    do end = lineEnd(header, end); while (isBlank(header.charCodeAt(end)));
    if (needle.inText(decodeHeader(unfold(header.slice(start, end))))) return true;
  }
  return false;
}

/** Behind the line end at or behind `at`, or the end of the text. */
function lineEnd(text: string, at: number): number {
  const lf = text.indexOf('\n', at);
  return lf < 0 ? text.length : lf + 1;
}

function isBlank(c: number): boolean {
  return c === 32 || c === 9;
}

/** All fields, unfolded and decoded, one a line. */
function headerLines(header: Uint8Array): string {
  const lines: string[] = [];
  eachField(header, (start, _nameEnd, _valueStart, end) => {
    lines.push(decodeHeader(unfold(latin1(header, start, end))));
  });
  return lines.join('\n');
}
