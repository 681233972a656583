/**
 * The part tree of a message with byte offsets, encoded compactly for the index, and the section specifications of
 * RFC 9051 §6.4.5 answered from it without opening the message.
 *
 * Encoding: a version byte, then one record per node in document order: a byte of kind (bits 0-1) and transfer encoding
 * (bits 2-4), then as base-128 numbers the gap before the header, the header's size, the body's size and, for a
 * multipart, the number of its children. The gap counts from the end of the leaf before, or from the body's start if
 * the node before is a multipart or message. A message has exactly one child: the encapsulated message's own node.
 */
import { MailError } from '../errors.ts';
import { ENCODINGS, type TransferEncoding } from './bodystructure.ts';

/** A node has no children, or is a multipart, or encapsulates a message. */
export type PartKind = 'leaf' | 'multipart' | 'message';

/** One node. Offsets are bytes from the message's beginning; the header reaches to `bodyStart`, empty line included. */
export interface Part {
  kind: PartKind;
  /** Null where the encoding is unknown: RFC 2045 §6.4 then makes the content opaque. */
  encoding: TransferEncoding | null;
  headerStart: number;
  bodyStart: number;
  end: number;
  children: Part[];
}

/** A byte range of the message, end exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** `[part.]what`; `part` is empty for the message itself. HEADER.FIELDS are selected from 'header'. */
export interface Section {
  readonly part: readonly number[];
  readonly what: 'whole' | 'header' | 'text' | 'mime';
}

const VERSION = 1;
const KINDS: readonly PartKind[] = ['leaf', 'multipart', 'message'];
const UNKNOWN_ENCODING = 7;

/** Encodes a tree; see the head of this file. */
export function encodeStructure(root: Part): Uint8Array {
  const writer = new NumberWriter();
  writer.byte(VERSION);
  let cursor = 0;
  const waiting: Part[] = [root];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    const encoding = part.encoding === null ? UNKNOWN_ENCODING : ENCODINGS.indexOf(part.encoding);
    writer.byte(KINDS.indexOf(part.kind) | (encoding << 2));
    writer.number(part.headerStart - cursor);
    writer.number(part.bodyStart - part.headerStart);
    writer.number(part.end - part.bodyStart);
    if (part.kind === 'multipart') writer.number(part.children.length);
    cursor = part.kind === 'leaf' ? part.end : part.bodyStart;
    for (let i = part.children.length - 1; i >= 0; i--) waiting.push(part.children[i] as Part);
  }
  return writer.take();
}

/** The tree again. Throws MailError 'corruption' for bytes that `encodeStructure` did not write. */
export function decodeStructure(structure: Uint8Array): Part {
  let at = 1;
  const number = (): number => {
    let value = 0;
    for (let scale = 1; at < structure.length; scale *= 128) {
      const byte = structure[at++] as number;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw damaged();
  };
  if (structure[0] !== VERSION) throw damaged();
  let cursor = 0;
  let root: Part | null = null;
  const open: { part: Part; missing: number }[] = [];
  do {
    if (at >= structure.length) throw damaged();
    const head = structure[at++] as number;
    const kind = KINDS[head & 3];
    if (kind === undefined) throw damaged();
    const headerStart = cursor + number();
    const bodyStart = headerStart + number();
    const end = bodyStart + number();
    const part: Part = {
      kind,
      encoding: ENCODINGS[head >> 2] ?? null,
      headerStart,
      bodyStart,
      end,
      children: [],
    };
    const missing = kind === 'multipart' ? number() : kind === 'message' ? 1 : 0;
    cursor = kind === 'leaf' ? end : bodyStart;
    const parent = open.at(-1);
    if (parent === undefined) root = part;
    else {
      parent.part.children.push(part);
      parent.missing--;
    }
    if (missing > 0) open.push({ part, missing });
    while (open.at(-1)?.missing === 0) open.pop();
  } while (open.length > 0);
  if (root === null || at !== structure.length) throw damaged();
  return root;
}

/**
 * The bytes a section specification means (RFC 9051 §6.4.5), or null if the message has no such section. HEADER and
 * TEXT behind a part number need an encapsulated message there; part 1 of a message that is no multipart is its body.
 */
export function locateSection(structure: Uint8Array, section: Section): ByteRange | null {
  const root = decodeStructure(structure);
  const { part: path, what } = section;
  if (path.length === 0) return what === 'mime' ? null : ownSection(root, what);
  const part = findPart(root, path);
  if (part === null) return null;
  if (what === 'whole') return { start: part.bodyStart, end: part.end };
  if (what === 'mime') return { start: part.headerStart, end: part.bodyStart };
  const inner = part.kind === 'message' ? part.children[0] : undefined;
  return inner === undefined ? null : ownSection(inner, what);
}

/** The node a part number means, or null. An empty path is the message itself. */
export function findPart(root: Part, path: readonly number[]): Part | null {
  let context: Part = root;
  let part: Part | null = null;
  for (const number of path) {
    if (part !== null) {
      if (part.kind === 'leaf') return null;
      context = part.kind === 'message' ? (part.children[0] as Part) : part;
    }
    const next = context.kind === 'multipart'
      ? context.children[number - 1]
      : number === 1
      ? context
      : undefined;
    if (next === undefined) return null;
    part = next;
  }
  return part ?? root;
}

function ownSection(message: Part, what: 'whole' | 'header' | 'text'): ByteRange {
  if (what === 'header') return { start: message.headerStart, end: message.bodyStart };
  return { start: what === 'text' ? message.bodyStart : message.headerStart, end: message.end };
}

function damaged(): MailError {
  return new MailError(
    'server',
    'corruption',
    'the stored structure of a message is damaged; run reconstruct',
  );
}

/** Bytes and base-128 numbers into a growing array. */
class NumberWriter {
  #bytes = new Uint8Array(32);
  #length = 0;

  byte(value: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = value;
  }

  /** Seven bits a byte, the low ones first; not by bit operators, as a message may be larger than 2 GB. */
  number(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.byte((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  take(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}
