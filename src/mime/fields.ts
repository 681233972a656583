/**
 * The fields of a header block that ENVELOPE and BODYSTRUCTURE are made of, found in one walk over the block as one
 * latin1 string. This is the hot path of a delivery: no object per field, names are compared by char codes.
 */
import { limits } from '../limits.ts';
import { unfold } from './header.ts';

/** Unfolded values, latin1; null where the field is absent. The first of several fields of one name counts. */
export interface MimeFields {
  contentType: string | null;
  encoding: string | null;
  id: string | null;
  description: string | null;
  disposition: string | null;
  language: string | null;
  location: string | null;
  md5: string | null;
}

/**
 * The fields of a message's own header. Address fields are lists, as all fields of one name count together: reading
 * only one of two From fields would let a sender show one to a check and the other to the reader.
 */
export interface MessageFields extends MimeFields {
  date: string | null;
  subject: string | null;
  from: string[] | null;
  sender: string[] | null;
  replyTo: string[] | null;
  to: string[] | null;
  cc: string[] | null;
  bcc: string[] | null;
  inReplyTo: string | null;
  messageId: string | null;
  references: string | null;
}

/** What a header without any field of interest yields. */
export function noFields(): MessageFields {
  return {
    contentType: null,
    encoding: null,
    id: null,
    description: null,
    disposition: null,
    language: null,
    location: null,
    md5: null,
    date: null,
    subject: null,
    from: null,
    sender: null,
    replyTo: null,
    to: null,
    cc: null,
    bcc: null,
    inReplyTo: null,
    messageId: null,
    references: null,
  };
}

/**
 * Reads a header block up to its empty line. `message` false looks at the Content fields only, as in the header of a
 * body part.
 */
export function readFields(block: string, message: boolean): MessageFields {
  const out = noFields();
  const size = block.length;
  let left = limits.mime_header_fields.value;
  let pos = 0;
  while (pos < size && left-- > 0) {
    let end = block.indexOf('\n', pos);
    if (end < 0) end = size;
    const first = block.charCodeAt(pos) | 32;
    while (end + 1 < size && isBlank(block.charCodeAt(end + 1))) {
      end = block.indexOf('\n', end + 1);
      if (end < 0) end = size;
    }
    if (first === 99 || (message && INITIALS[first] === 1)) take(out, block, pos, end, first, message);
    pos = end + 1;
  }
  return out;
}

/** First letters of the message fields, lower case: b d f i m r s t (c is looked at in every header). */
const INITIALS = Uint8Array.from(
  { length: 256 },
  (_, c) => ('bdfimrst'.includes(String.fromCharCode(c)) ? 1 : 0),
);

function take(
  out: MessageFields,
  block: string,
  pos: number,
  end: number,
  first: number,
  message: boolean,
): void {
  let at: number;
  switch (first) {
    case 98: // b
      if ((at = valueOf(block, pos, 'bcc')) > 0) out.bcc = also(out.bcc, block, at, end);
      break;
    case 99: // c
      if (valueOf(block, pos, 'content-', false) > 0) takeContent(out, block, pos, end);
      else if (message && (at = valueOf(block, pos, 'cc')) > 0) out.cc = also(out.cc, block, at, end);
      break;
    case 100: // d
      if ((at = valueOf(block, pos, 'date')) > 0) out.date ??= unfold(block.slice(at, end));
      break;
    case 102: // f
      if ((at = valueOf(block, pos, 'from')) > 0) out.from = also(out.from, block, at, end);
      break;
    case 105: // i
      if ((at = valueOf(block, pos, 'in-reply-to')) > 0) out.inReplyTo ??= unfold(block.slice(at, end));
      break;
    case 109: // m
      if ((at = valueOf(block, pos, 'message-id')) > 0) out.messageId ??= unfold(block.slice(at, end));
      break;
    case 114: // r
      if ((at = valueOf(block, pos, 'reply-to')) > 0) out.replyTo = also(out.replyTo, block, at, end);
      else if ((at = valueOf(block, pos, 'references')) > 0) out.references ??= unfold(block.slice(at, end));
      break;
    case 115: // s
      if ((at = valueOf(block, pos, 'subject')) > 0) out.subject ??= unfold(block.slice(at, end));
      else if ((at = valueOf(block, pos, 'sender')) > 0) out.sender = also(out.sender, block, at, end);
      break;
    case 116: // t
      if ((at = valueOf(block, pos, 'to')) > 0) out.to = also(out.to, block, at, end);
      break;
  }
}

function takeContent(out: MessageFields, block: string, pos: number, end: number): void {
  let at: number;
  if ((at = valueOf(block, pos, 'content-type')) > 0) {
    out.contentType ??= unfold(block.slice(at, end));
  } else if ((at = valueOf(block, pos, 'content-transfer-encoding')) > 0) {
    out.encoding ??= unfold(block.slice(at, end));
  } else if ((at = valueOf(block, pos, 'content-id')) > 0) out.id ??= unfold(block.slice(at, end));
  else if ((at = valueOf(block, pos, 'content-description')) > 0) {
    out.description ??= unfold(block.slice(at, end));
  } else if ((at = valueOf(block, pos, 'content-disposition')) > 0) {
    out.disposition ??= unfold(block.slice(at, end));
  } else if ((at = valueOf(block, pos, 'content-language')) > 0) {
    out.language ??= unfold(block.slice(at, end));
  } else if ((at = valueOf(block, pos, 'content-location')) > 0) {
    out.location ??= unfold(block.slice(at, end));
  } else if ((at = valueOf(block, pos, 'content-md5')) > 0) out.md5 ??= unfold(block.slice(at, end));
}

function also(list: string[] | null, block: string, at: number, end: number): string[] {
  const value = unfold(block.slice(at, end));
  if (list === null) return [value];
  list.push(value);
  return list;
}

/**
 * Offset behind the colon if the field at `pos` has this name (given in lower case), else -1. RFC 5322 §4.5.8: blanks
 * may stand before the colon. With `colon` false only the name's beginning is compared.
 */
function valueOf(block: string, pos: number, name: string, colon = true): number {
  const length = name.length;
  for (let i = 1; i < length; i++) {
    const c = block.charCodeAt(pos + i);
    // Lower case by bit 32 holds for letters; '-' has the bit already and its twin 13 is no name char.
    if ((c | 32) !== name.charCodeAt(i) || c < 32) return -1;
  }
  let at = pos + length;
  if (!colon) return at;
  while (isBlank(block.charCodeAt(at))) at++;
  return block.charCodeAt(at) === 58 ? at + 1 : -1;
}

function isBlank(c: number): boolean {
  return c === 32 || c === 9;
}
