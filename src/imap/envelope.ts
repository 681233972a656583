/**
 * Reads a stored ENVELOPE (RFC 9051 §7.5.2) as src/mime rendered it, for SEARCH, SORT and THREAD: one walk, no file. Strings
 * stay latin1, one char per byte, until they are decoded; NIL is null.
 */

import { decodeHeader } from '../mime/message.ts';

/** What SORT and THREAD want of an ENVELOPE. */
export interface StoredEnvelope {
  readonly date: string | null;
  readonly subject: string | null;
  /** addr-mailbox of the first address structure of the field, a group's name where it begins with one (RFC 5256 §3). */
  readonly from: string | null;
  readonly to: string | null;
  readonly cc: string | null;
  readonly inReplyTo: string | null;
  readonly messageId: string | null;
}

const QUOTE = 0x22;
const OPEN = 0x28;
const CLOSE = 0x29;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;

/** Reads `(date subject from sender reply-to to cc bcc in-reply-to message-id)`. */
export function readEnvelope(rendered: string): StoredEnvelope {
  const reader = new Reader(rendered);
  const date = reader.nstring();
  const subject = reader.nstring();
  const from = reader.firstMailbox();
  reader.firstMailbox();
  reader.firstMailbox();
  const to = reader.firstMailbox();
  const cc = reader.firstMailbox();
  reader.firstMailbox();
  return { date, subject, from, to, cc, inReplyTo: reader.nstring(), messageId: reader.nstring() };
}

/** Fields of a header that stand in an ENVELOPE, by name in lower case, with their place there. */
const PLACES: ReadonlyMap<string, number> = new Map([
  ['date', 0],
  ['subject', 1],
  ['from', 2],
  ['sender', 3],
  ['reply-to', 4],
  ['to', 5],
  ['cc', 6],
  ['bcc', 7],
  ['in-reply-to', 8],
  ['message-id', 9],
]);

const FIRST_LIST = 2;
const LAST_LIST = 7;

/**
 * The text of a field as ENVELOPE has it, decoded: addresses as `name <user@host>`, one a line, a group by its name. Null
 * where it is NIL.
 */
export function envelopeText(rendered: string, field: string): string | null {
  const place = PLACES.get(field) ?? Infinity;
  const reader = new Reader(rendered);
  for (let at = 0; at <= LAST_LIST + 2; at++) {
    const list = at >= FIRST_LIST && at <= LAST_LIST;
    if (at < place) {
      if (list) reader.firstMailbox();
      else reader.skip();
    } else if (list) return reader.addresses();
    else {
      const value = reader.nstring();
      return value === null ? null : decodeHeader(value);
    }
  }
  return null;
}

/** The Date field as it was sent. */
export function envelopeDate(rendered: string): string | null {
  return new Reader(rendered).nstring();
}

/** Walks over the items. Behind the end everything is NIL. */
class Reader {
  readonly #text: string;
  /** At the start of an item, the space or parenthesis before it passed. */
  #at = 1;

  constructor(text: string) {
    this.#text = text;
  }

  /** Passes a string. */
  skip(): void {
    this.nstring();
  }

  /** An address list, decoded. */
  addresses(): string | null {
    const text = this.#text;
    if (text.charCodeAt(this.#at) !== OPEN) return null;
    const lines: string[] = [];
    this.#at++;
    while (text.charCodeAt(this.#at) === OPEN) {
      this.#at++;
      const name = this.nstring();
      this.nstring();
      const mailbox = this.nstring();
      const host = this.nstring();
      // RFC 9051 §7.5.2: without a host it is the name of a group, or the end of one.
      if (host === null) {
        if (mailbox !== null) lines.push(decodeHeader(mailbox));
      } else lines.push(`${decodeHeader(name ?? '')} <${decodeHeader(mailbox ?? '')}@${host}>`);
    }
    return lines.join('\n');
  }

  nstring(): string | null {
    const text = this.#text;
    const start = this.#at + 1;
    switch (text.charCodeAt(this.#at)) {
      case QUOTE: {
        let end = start;
        let escapes = false;
        for (; end < text.length && text.charCodeAt(end) !== QUOTE; end++) {
          if (text.charCodeAt(end) !== BACKSLASH) continue;
          escapes = true;
          end++;
        }
        this.#at = end + 2;
        const raw = text.slice(start, end);
        return escapes ? raw.replace(/\\(.)/g, '$1') : raw;
      }
      case OPEN_BRACE: {
        const brace = text.indexOf('}', start);
        const from = brace + 3;
        const end = from + Number(text.slice(start, brace));
        this.#at = end + 1;
        return text.slice(from, end);
      }
      default:
        this.#at += 4;
        return null;
    }
  }

  /** Walks over an address list; the mailbox of its first address structure. */
  firstMailbox(): string | null {
    const text = this.#text;
    if (text.charCodeAt(this.#at) !== OPEN) {
      this.#at += 4;
      return null;
    }
    let found: string | null = null;
    this.#at++;
    while (text.charCodeAt(this.#at) === OPEN) {
      this.#at++;
      this.nstring();
      this.nstring();
      const mailbox = this.nstring();
      // Each string passes the space behind it, the last the parenthesis.
      this.nstring();
      found ??= mailbox;
    }
    if (text.charCodeAt(this.#at) === CLOSE) this.#at++;
    this.#at++;
    return found;
  }
}
