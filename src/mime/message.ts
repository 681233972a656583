/** What the store computes once, when a message comes in: everything FETCH, SORT and THREAD ask of it later. */
import type { Address } from './address.ts';
import { parseDate } from './date.ts';
import { messageIds } from './messageid.ts';
import { scanMessage } from './scanner.ts';
import { encodeStructure } from './structure.ts';
import { threadKeys } from './thread.ts';

export { type Address, parseAddressList } from './address.ts';
export { bodyFromStructure } from './body.ts';
export { type HeaderDate, parseDate } from './date.ts';
export { decodeHeader, decodeParameter } from './encodedword.ts';
export { eachField, type FieldVisitor, headerField, selectHeaderFields } from './header.ts';
export { messageIds } from './messageid.ts';
export {
  type ByteRange,
  decodeStructure,
  findPart,
  locateSection,
  type Part,
  type Section,
} from './structure.ts';
export { baseSubject, splitSubject, type SubjectBase } from './subject.ts';
export { decodeText, decodeTransfer } from './transfer.ts';

/** What is computed once when a message is stored. All strings are latin1: one char is one byte. */
export interface ParsedMessage {
  /** Bytes of the message. */
  readonly size: number;
  /** Bytes of the header, the empty line included. */
  readonly headerSize: number;
  /** Line ends in the body. */
  readonly lines: number;
  /** Rendered ENVELOPE (RFC 9051 §7.5.2), parentheses included. */
  readonly envelope: string;
  /** Rendered BODYSTRUCTURE with extension data, parentheses included. */
  readonly bodystructure: string;
  /** The part tree with byte offsets, for `locateSection`. */
  readonly structure: Uint8Array;
  /** `<...>` of the Message-ID field, or its whole value if it has none; null if absent or empty. */
  readonly messageId: string | null;
  /** Message ids of In-Reply-To and References in their order, at most `limits.mime_references` each. */
  readonly inReplyTo: string[];
  readonly references: string[];
  /** Unfolded Subject as sent, encoded-words and all; null if absent. See `decodeHeader`, `baseSubject`. */
  readonly subject: string | null;
  /** First address of the field, for SORT (RFC 5256 §3: its mailbox; RFC 5957: its name); null if there is none. */
  readonly from: Address | null;
  readonly to: Address | null;
  readonly cc: Address | null;
  /** Unix seconds of the Date field in UTC; null if it is absent or no date (use the internal date, RFC 5256 §2.2). */
  readonly sentDate: number | null;
  /** What THREAD compares, see `threadKeys`. */
  readonly thread: string;
}

/**
 * Parses a message of any bytes: never throws, one pass, time linear in the size. `bytes` may be a mapped file; it is
 * only read, and nothing of its bodies is copied.
 */
export function parseMessage(bytes: Uint8Array): ParsedMessage {
  const { root, bodystructure, lines, fields, envelope } = scanMessage(bytes);
  return {
    size: bytes.length,
    headerSize: root.bodyStart,
    lines,
    envelope: envelope.rendered,
    bodystructure,
    structure: encodeStructure(root),
    messageId: firstMessageId(fields.messageId),
    inReplyTo: messageIds(fields.inReplyTo),
    references: messageIds(fields.references),
    subject: fields.subject,
    from: firstAddress(envelope.from),
    to: firstAddress(envelope.to),
    cc: firstAddress(envelope.cc),
    sentDate: fields.date === null ? null : (parseDate(fields.date)?.seconds ?? null),
    thread: threadKeys(fields),
  };
}

function firstMessageId(value: string | null): string | null {
  if (value === null || value === '') return null;
  const open = value.indexOf('<');
  const close = open < 0 ? -1 : value.indexOf('>', open);
  return close < 0 ? value : value.slice(open, close + 1);
}

function firstAddress(list: readonly Address[]): Address | null {
  return list.find((address) => address.host !== null) ?? null;
}
