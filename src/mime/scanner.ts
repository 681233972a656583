/**
 * One pass over the lines of a message finds the part tree with byte offsets and renders BODYSTRUCTURE on the way.
 *
 * Invariants:
 * 1. Bytes are looked at once, by line; the only strings made are header blocks, delimiter lines and what is rendered.
 * 2. No recursion: `#open` is the path from the message to the part being read, at most `limits.mime_depth` long.
 * 3. headerStart <= bodyStart <= end for every node, children lie inside their parent in order, without overlap.
 * 4. A node is rendered when it is closed and then keeps offsets only.
 * 5. `#boundaries` maps a live boundary to the outermost open multipart that has it: an enclosing multipart's
 *    delimiter ends everything inside it (RFC 2046 §5.1.2).
 */
import { limits } from '../limits.ts';
import {
  EMPTY_PART,
  renderBasic,
  renderMultipartEnd,
  renderSingleExtension,
  transferEncoding,
} from './bodystructure.ts';
import { type Envelope, renderEnvelope } from './envelope.ts';
import { type MessageFields, noFields, readFields } from './fields.ts';
import { headerBudget, latin1 } from './header.ts';
import { type ContentType, MESSAGE_RFC822, parameter, parseContentType, TEXT_PLAIN } from './parameters.ts';
import type { Part } from './structure.ts';

/** What one pass finds. Strings are latin1. */
export interface ScannedMessage {
  readonly root: Part;
  readonly bodystructure: string;
  /** Line ends in the body of the message. */
  readonly lines: number;
  readonly fields: MessageFields;
  readonly envelope: Envelope;
}

/** A node on the way from the message to the part being read. */
interface OpenPart extends Part {
  /** The header being read is that of a message (the outermost or an encapsulated one). */
  readonly message: boolean;
  /** Not to be looked into, whatever its type says: a limit was met. */
  readonly opaque: boolean;
  /** Parts in it default to message/rfc822 (RFC 2046 §5.1.5). */
  digest: boolean;
  /** Set while delimiter lines of this multipart are looked for. */
  boundary: string | null;
  /** Lines are part of the BODYSTRUCTURE of text and messages only. */
  countsLines: boolean;
  linesBefore: number;
  /** Rendered before and behind size, lines and children. */
  head: string;
  tail: string;
  envelope: string;
  rendered: string;
}

const LF = 10;
const CR = 13;
const DASH = 45;

const OCTET_STREAM: ContentType = { type: 'APPLICATION', subtype: 'OCTET-STREAM', parameters: [] };

/** Finds and renders the structure of a message of any bytes, the empty one included. */
export function scanMessage(bytes: Uint8Array): ScannedMessage {
  return new Scanner(bytes).run();
}

class Scanner {
  readonly #bytes: Uint8Array;
  readonly #open: OpenPart[] = [];
  readonly #boundaries = new Map<string, OpenPart>();
  #parts = 0;
  #headerBytesLeft = limits.mime_header_total.value;
  /** The header of the innermost open part has not ended yet. */
  #inHeader = false;
  #rootFields: MessageFields = noFields();
  #rootEnvelope: Envelope | null = null;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  run(): ScannedMessage {
    const bytes = this.#bytes;
    const size = bytes.length;
    const boundaries = this.#boundaries;
    const root = this.#begin(0, true);
    let lines = 0;
    let pos = 0;
    while (pos < size) {
      const first = bytes[pos];
      const lf = first === LF ? pos : bytes.indexOf(LF, pos);
      const next = lf < 0 ? size : lf + 1;
      if (
        first === DASH && boundaries.size > 0 && bytes[pos + 1] === DASH && this.#delimiter(pos, next, lines)
      ) {
        // The line is read: what follows it is a new part's header or an epilogue.
      } else if (this.#inHeader && (first === LF || (first === CR && lf === pos + 1))) {
        this.#endHeader(next, lines + 1);
      }
      if (lf >= 0) lines++;
      pos = next;
    }
    while (this.#inHeader) this.#endHeader(size, lines);
    while (this.#open.length > 0) this.#close(size, lines);
    const envelope = this.#rootEnvelope ?? renderEnvelope(this.#rootFields);
    return {
      root,
      bodystructure: root.rendered,
      lines: lines - root.linesBefore,
      fields: this.#rootFields,
      envelope,
    };
  }

  /** Begins a node whose header starts at `pos`. */
  #begin(pos: number, message: boolean): OpenPart {
    this.#parts++;
    const part: OpenPart = {
      kind: 'leaf',
      encoding: '7BIT',
      headerStart: pos,
      bodyStart: pos,
      end: pos,
      children: [],
      message,
      opaque: this.#parts >= limits.mime_parts.value,
      digest: false,
      boundary: null,
      countsLines: false,
      linesBefore: 0,
      head: '',
      tail: '',
      envelope: '',
      rendered: '',
    };
    // The last part allowed reaches to the end of the message.
    if (part.opaque) this.#boundaries.clear();
    this.#open.at(-1)?.children.push(part);
    this.#open.push(part);
    this.#inHeader = true;
    return part;
  }

  /** The header of the innermost part has ended and its body starts at `bodyStart`, after `lines` line ends. */
  #endHeader(bodyStart: number, lines: number): void {
    const part = this.#open.at(-1) as OpenPart;
    const parent = this.#open.at(-2);
    const fields = this.#fieldsOf(part, bodyStart);
    part.bodyStart = bodyStart;
    part.linesBefore = lines;
    part.encoding = transferEncoding(fields.encoding);
    this.#inHeader = false;
    if (part.message) {
      const envelope = renderEnvelope(fields);
      if (parent === undefined) {
        this.#rootFields = fields;
        this.#rootEnvelope = envelope;
      } else {
        parent.envelope = envelope.rendered;
      }
    }
    const fallback = parent?.digest ? MESSAGE_RFC822 : TEXT_PLAIN;
    let type = (fields.contentType === null ? null : parseContentType(fields.contentType)) ?? fallback;
    const compound = type.type === 'MULTIPART' || isMessage(type);
    if (part.opaque || (compound && this.#open.length >= limits.mime_depth.value)) type = OCTET_STREAM;
    else if (type.type === 'MULTIPART') {
      const boundary = usableBoundary(type);
      if (boundary !== null) {
        part.kind = 'multipart';
        part.digest = type.subtype === 'DIGEST';
        if (!this.#boundaries.has(boundary)) {
          part.boundary = boundary;
          this.#boundaries.set(boundary, part);
        }
        part.tail = renderMultipartEnd(type, fields);
        return;
      }
      // RFC 2046 §5.1.1 demands a boundary; without one the type is as good as none, and the reader sees the text.
      type = TEXT_PLAIN;
    }
    part.head = renderBasic(type, fields);
    part.tail = renderSingleExtension(fields);
    part.countsLines = type.type === 'TEXT';
    if (isMessage(type)) {
      part.kind = 'message';
      part.countsLines = true;
      this.#begin(bodyStart, true);
    }
  }

  #fieldsOf(part: OpenPart, bodyStart: number): MessageFields {
    const size = headerBudget(bodyStart - part.headerStart, this.#headerBytesLeft);
    if (size === 0) return noFields();
    this.#headerBytesLeft -= size;
    return readFields(latin1(this.#bytes, part.headerStart, part.headerStart + size), part.message);
  }

  /** Handles the line at [pos, next) if it is a delimiter of an open multipart (RFC 2046 §5.1.1). */
  #delimiter(pos: number, next: number, lines: number): boolean {
    const bytes = this.#bytes;
    let end = next;
    while (end > pos && isBlankOrLineEnd(bytes[end - 1] as number)) end--;
    const length = end - pos - 2;
    // The longest delimiter is a boundary between two pairs of dashes.
    if (length < 1 || length > limits.mime_boundary.value + 2) return false;
    const text = latin1(bytes, pos + 2, end);
    let multipart = this.#boundaries.get(text);
    let last = false;
    if (multipart === undefined) {
      if (!text.endsWith('--')) return false;
      multipart = this.#boundaries.get(text.slice(0, -2));
      if (multipart === undefined) return false;
      last = true;
    }
    while (this.#inHeader) this.#endHeader(pos, lines);
    // The line end before a delimiter belongs to the delimiter, unless it is the empty line of the header.
    const innermost = this.#open.at(-1) as OpenPart;
    let contentEnd = pos;
    let contentLines = lines;
    if (pos > innermost.bodyStart) {
      contentEnd -= pos - 2 >= innermost.bodyStart && bytes[pos - 2] === CR ? 2 : 1;
      contentLines--;
    }
    while (this.#open.at(-1) !== multipart) this.#close(contentEnd, contentLines);
    if (last) {
      this.#boundaries.delete(multipart.boundary as string);
      multipart.boundary = null;
    } else {
      this.#begin(next, false);
    }
    return true;
  }

  /** Closes the innermost part: its body ends at `end`, before which `lines` lines have ended. */
  #close(end: number, lines: number): void {
    const part = this.#open.pop() as OpenPart;
    part.end = end;
    if (part.boundary !== null) this.#boundaries.delete(part.boundary);
    const count = part.countsLines ? ' ' + (lines - part.linesBefore) : '';
    let rendered: string;
    if (part.kind === 'multipart') {
      rendered = '(' + (part.rendered || EMPTY_PART) + part.tail + ')';
    } else {
      const inner = part.kind === 'message' ? ' ' + part.envelope + ' ' + part.rendered : '';
      rendered = '(' + part.head + (end - part.bodyStart) + inner + count + part.tail + ')';
    }
    part.head =
      part.tail =
      part.envelope =
      part.rendered =
        '';
    const parent = this.#open.at(-1);
    if (parent === undefined) part.rendered = rendered;
    else parent.rendered += rendered;
  }
}

/** RFC 2046 §5.2.1 and RFC 6532 §3.7: the types whose content is a message. */
function isMessage(type: ContentType): boolean {
  return type.type === 'MESSAGE' && (type.subtype === 'RFC822' || type.subtype === 'GLOBAL');
}

/** The boundary parameter without the blanks at its end, which it cannot have (RFC 2046 §5.1.1); null if unusable. */
function usableBoundary(type: ContentType): string | null {
  const boundary = parameter(type.parameters, 'BOUNDARY');
  if (boundary === null) return null;
  let end = boundary.length;
  while (end > 0 && isBlankOrLineEnd(boundary.charCodeAt(end - 1))) end--;
  return end === 0 || end > limits.mime_boundary.value ? null : boundary.slice(0, end);
}

function isBlankOrLineEnd(c: number): boolean {
  return c === LF || c === CR || c === 32 || c === 9;
}
