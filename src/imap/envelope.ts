/**
 * Reads a stored ENVELOPE (RFC 9051 §7.5.2) as src/mime rendered it, for SORT and THREAD: one walk, no file. Strings stay
 * latin1, one char per byte; NIL is null.
 */

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

/** Walks over the items. Behind the end everything is NIL. */
class Reader {
  readonly #text: string;
  /** At the start of an item, the space or parenthesis before it passed. */
  #at = 1;

  constructor(text: string) {
    this.#text = text;
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
