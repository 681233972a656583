import { limits } from '../../limits.ts';
import { decodeCharset } from '../../mime/charset.ts';
import { headerBudget } from '../../mime/header.ts';
import { parameter, parseContentType } from '../../mime/parameters.ts';
import { scanMessage } from '../../mime/scanner.ts';
import type { Part } from '../../mime/structure.ts';
import { decodeTransfer } from '../../mime/transfer.ts';
import { HeaderBlock } from '../header.ts';
import { toOctets } from '../octets.ts';
import { SLICE, type Slices } from '../slices.ts';
import { htmlText } from './html.ts';
import type { Fields, MessagePart, PartType } from '../message.ts';

/** A Content-Type that says no type, or one that nobody can mean: it is of no type at all. */
const NO_TYPE: PartType = { type: '', subtype: '', charset: null };

/** Offsets, the end exclusive. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** One part of the MIME tree of a message: its header, its content decoded, its children (RFC 5703 §3). */
export class MimePart implements MessagePart {
  readonly parent: MimePart | null;
  /** Where it begins and ends in the bytes that its parent lies in. */
  readonly origin: Range;
  /** Where it stands in the bytes it was read from. */
  place: Part;
  children: MimePart[] = [];
  /** Something else stands in its place (RFC 5703 §5). */
  replaced = false;
  /** It or a part in it was replaced. */
  changed = false;
  #message: Uint8Array;
  readonly #separators: string;
  #header: HeaderBlock | null = null;
  #type: PartType | null = null;

  constructor(message: Uint8Array, place: Part, separators: string, parent: MimePart | null) {
    this.#message = message;
    this.#separators = separators;
    this.parent = parent;
    this.place = place;
    this.origin = { start: place.headerStart, end: place.end };
  }

  fields(name: string): Fields {
    return this.#block.fields(name);
  }

  get type(): PartType {
    return this.#type ??= this.#readType();
  }

  /** The header's bytes without the empty line behind it. */
  get header(): Uint8Array {
    const { headerStart, bodyStart } = this.place;
    let end = bodyStart;
    if (end > headerStart && isBlankLineBefore(this.#message, headerStart, end)) {
      end -= this.#message[end - 2] === CR ? 2 : 1;
    }
    return this.#message.subarray(headerStart, end);
  }

  /** The body as it stands there. */
  get body(): Uint8Array {
    return this.#message.subarray(this.place.bodyStart, this.place.end);
  }

  /** The body without its transfer encoding; at most the first `bytes` of it are looked at. Null for an unknown encoding (RFC 2045 §6.4). */
  content(bytes: number): Uint8Array | null {
    const { encoding, bodyStart, end } = this.place;
    if (encoding === null) return null;
    return decodeTransfer(this.#message.subarray(bodyStart, Math.min(end, bodyStart + bytes)), encoding);
  }

  *text(): Slices<string | null> {
    const text = yield* readableText(this, limits.sieve_body.value);
    return text === null ? null : toOctets(text);
  }

  /** What stands before the first part of a multipart and behind the last, without the line ends that belong to delimiters. */
  surroundings(): readonly [Uint8Array, Uint8Array] {
    const { bodyStart, end } = this.place;
    const first = this.children[0]?.place;
    const last = this.children.at(-1)?.place;
    if (first === undefined || last === undefined) return [this.body, this.#message.subarray(end, end)];
    // The delimiter line ends where the part's header begins.
    const delimiter = this.#message.lastIndexOf(LF, first.headerStart - 2) + 1;
    const prologueEnd = Math.max(bodyStart, delimiter - (this.#message[delimiter - 2] === CR ? 2 : 1));
    return [this.#message.subarray(bodyStart, prologueEnd), this.#epilogue(last.end, end)];
  }

  /** Behind the line of the closing delimiter, which follows the line end behind the last part. */
  #epilogue(from: number, end: number): Uint8Array {
    let at = this.#message.indexOf(LF, from);
    at = at < 0 || at >= end ? end : at + 1;
    if (at < end) at = lineEnd(this.#message, at, end);
    return this.#message.subarray(at, end);
  }

  /** Another MIME entity, header and content, takes its place. */
  replace(entity: Uint8Array): void {
    this.#message = entity;
    this.#header = this.#type = null;
    this.replaced = true;
    this.changed = true;
    for (let part = this.parent; part !== null; part = part.parent) part.changed = true;
    this.place = scanMessage(entity).root;
    this.children = [];
    growTree(this, entity, this.#separators);
  }

  /** Its bytes, header and body, with what was replaced in it. */
  bytes(): Uint8Array {
    return this.#compose(this.place.headerStart);
  }

  /** The same without its header. */
  bodyBytes(): Uint8Array {
    return this.#compose(this.place.bodyStart);
  }

  /** Calls itself once per level of the tree, which `limits.mime_depth` bounds. */
  #compose(start: number): Uint8Array {
    const { end } = this.place;
    if (!this.children.some((child) => child.changed)) return this.#message.subarray(start, end);
    const pieces: Uint8Array[] = [];
    let at = start;
    for (const child of this.children) {
      pieces.push(this.#message.subarray(at, child.origin.start), child.bytes());
      at = child.origin.end;
    }
    pieces.push(this.#message.subarray(at, end));
    return Buffer.concat(pieces);
  }

  get #block(): HeaderBlock {
    if (this.#header === null) {
      const { headerStart, bodyStart } = this.place;
      const size = headerBudget(bodyStart - headerStart, Infinity);
      this.#header = new HeaderBlock(
        this.#message.subarray(headerStart, headerStart + size),
        this.#separators,
      );
    }
    return this.#header;
  }

  #readType(): PartType {
    const value = this.#block.fields('content-type').raw[0];
    if (value === undefined || value === '') {
      // RFC 2045 §5.2, RFC 2046 §5.1.5.
      return this.parent?.place.kind === 'multipart' && this.parent.type.subtype === 'digest'
        ? { type: 'message', subtype: 'rfc822', charset: null }
        : { type: 'text', subtype: 'plain', charset: null };
    }
    const parsed = WELL_FORMED.test(value) ? parseContentType(value) : null;
    if (parsed === null) return NO_TYPE;
    const type = parsed.type.toLowerCase();
    // A multipart that has no usable boundary is the text that its reader sees (mime/scanner.ts).
    if (type === 'multipart' && this.place.kind === 'leaf') {
      return { type: 'text', subtype: 'plain', charset: null };
    }
    return {
      type,
      subtype: parsed.subtype.toLowerCase(),
      charset: parameter(parsed.parameters, 'CHARSET'),
    };
  }
}

/** RFC 2045 §5.1 type "/" subtype, with nothing but parameters or a comment behind them. */
const WELL_FORMED = /^[^\s;/()]+\s*\/\s*[^\s;/()]+\s*(?:[;(]|$)/;

const LF = 10;
const CR = 13;

function lineEnd(bytes: Uint8Array, from: number, end: number): number {
  const lf = bytes.indexOf(LF, from);
  return lf < 0 || lf >= end ? end : lf + 1;
}

/** True if the line that ends at `end` is empty. */
function isBlankLineBefore(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[end - 1] !== LF) return false;
  const before = bytes[end - 2] === CR ? end - 2 : end - 1;
  return before === start || bytes[before - 1] === LF;
}

/** The tree of a message, from its root. */
export function partTree(message: Uint8Array, separators: string): MimePart {
  const root = new MimePart(message, scanMessage(message).root, separators, null);
  growTree(root, message, separators);
  return root;
}

/** Makes all parts below one. Not by recursion: a message has as many levels as `limits.mime_depth` says. */
function growTree(root: MimePart, message: Uint8Array, separators: string): void {
  const waiting = [root];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    for (const place of part.place.children) {
      const child = new MimePart(message, place, separators, part);
      part.children.push(child);
      waiting.push(child);
    }
  }
}

/** The content of a part in Unicode, of which the first `bytes` are looked at. Null where its encoding is unknown. */
export function* decodedText(part: MimePart, bytes: number): Slices<string | null> {
  const content = part.content(bytes);
  if (content === null) return null;
  if (content.length > SLICE) yield;
  return decodeCharset(content, part.type.charset ?? 'us-ascii');
}

/** The same as a reader sees it; null if the part is no text. */
export function* readableText(part: MimePart, bytes: number): Slices<string | null> {
  const { type, subtype } = part.type;
  const html = (type === 'text' && subtype === 'html') || (type === 'application' && subtype === 'xhtml+xml');
  if (part.place.kind !== 'leaf' || (type !== 'text' && !html)) return null;
  const text = yield* decodedText(part, bytes);
  if (text === null || !html) return text;
  if (text.length > SLICE) yield;
  return yield* htmlText(text);
}

/** A part and all below it, each before those inside it. */
export function* allParts(root: MimePart): Generator<MimePart> {
  const waiting = [root];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    yield part;
    for (let i = part.children.length - 1; i >= 0; i--) waiting.push(part.children[i] as MimePart);
  }
}
