/**
 * Address lists (RFC 5322 §3.4 with the obsolete forms of §4.4) as ENVELOPE wants them. The parser is total: every
 * input yields a list. One pass, no recursion; comments are counted, not nested. Input and output are latin1.
 */
import { limits } from '../limits.ts';
import { trimBlanks } from './header.ts';

/**
 * One entry of an address list. A group starts with `{mailbox: its name, host: null}` and ends with all four null
 * (RFC 9051 §7.5.2).
 */
export interface Address {
  /** Display name, quoting removed, encoded-words as they are. */
  readonly name: string | null;
  /** Obsolete source route `@a,@b`. */
  readonly adl: string | null;
  readonly mailbox: string | null;
  readonly host: string | null;
}

/**
 * What stands where an address has no domain or no local part. NIL would mean a group there, so Dovecot's words are
 * used: clients know them.
 */
export const MISSING_DOMAIN = 'MISSING_DOMAIN';
export const MISSING_MAILBOX = 'MISSING_MAILBOX';

const GROUP_END: Address = { name: null, adl: null, mailbox: null, host: null };

const TAB = 9;
const SPACE = 32;
const QUOTE = 34;
const OPEN = 40;
const CLOSE = 41;
const COMMA = 44;
const DOT = 46;
const COLON = 58;
const SEMICOLON = 59;
const LESS = 60;
const GREATER = 62;
const AT = 64;
const LBRACKET = 91;
const BACKSLASH = 92;
const RBRACKET = 93;

/**
 * All addresses of an unfolded field value, at most `max` (more are left out; a group that was begun is ended).
 * Entries without any text, as between two commas, are skipped.
 */
export function parseAddressList(value: string, max: number = limits.mime_addresses.value): Address[] {
  return new AddressReader(value).readList(max);
}

class AddressReader {
  #at = 0;
  /** Text of the last comment seen in the current entry. */
  #comment: string | null = null;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  readList(max: number): Address[] {
    const out: Address[] = [];
    let inGroup = false;
    while (this.#at < this.#text.length && out.length < max) {
      const entry = this.#readEntry(inGroup);
      if (entry !== null) out.push(entry);
      if (entry !== null && entry.host === null) {
        inGroup = true;
        continue;
      }
      const delimiter = this.#text.charCodeAt(this.#at++);
      if (delimiter === SEMICOLON && inGroup) {
        inGroup = false;
        out.push(GROUP_END);
      }
    }
    if (inGroup) out.push(GROUP_END);
    return out;
  }

  /** Reads up to the comma or semicolon that ends the entry, or behind the colon of a group's name. */
  #readEntry(inGroup: boolean): Address | null {
    const text = this.#text;
    // `phrase` is all words so far; its last dotted run, `local`, is the local part should an `@` follow.
    let phrase = '';
    let local = '';
    let before = 0;
    let words = 0;
    let gap = false;
    let dotAtEnd = false;
    this.#comment = null;
    while (this.#at < text.length) {
      const c = text.charCodeAt(this.#at);
      let word: string;
      let dotAtStart = false;
      let endsInDot = false;
      switch (c) {
        case SPACE:
        case TAB:
          this.#at++;
          gap = true;
          continue;
        case OPEN:
          this.#comment = this.#readComment();
          gap = true;
          continue;
        case COMMA:
        case SEMICOLON:
          return this.#withoutDomain(phrase, local, before, words);
        case LESS:
          return this.#readAngle(words > 0 ? phrase : null);
        case AT: {
          this.#at++;
          const name = before > 0 ? phrase.slice(0, before) : null;
          const mailbox = words > 0 ? local : MISSING_MAILBOX;
          const host = this.#readDomain();
          this.#skipToDelimiter();
          return {
            name: name ?? this.#comment,
            adl: null,
            mailbox,
            host: host === '' ? MISSING_DOMAIN : host,
          };
        }
        case COLON:
          this.#at++;
          // A group inside a group is not allowed; the colon is dropped.
          if (inGroup) continue;
          return { name: null, adl: null, mailbox: phrase, host: null };
        case QUOTE:
          word = this.#readQuoted();
          break;
        default:
          word = this.#readAtom();
          dotAtStart = c === DOT;
          endsInDot = text.charCodeAt(this.#at - 1) === DOT;
      }
      if (gap && words > 0) {
        // RFC 5322 §4.4: blanks may stand around the dots of an obsolete local part.
        if (dotAtStart || dotAtEnd) {
          local += word;
        } else {
          before = phrase.length;
          local = word;
        }
        phrase += ' ' + word;
      } else {
        local += word;
        phrase += word;
      }
      words++;
      gap = false;
      dotAtEnd = endsInDot;
    }
    return this.#withoutDomain(phrase, local, before, words);
  }

  #withoutDomain(phrase: string, local: string, before: number, words: number): Address | null {
    // A comment alone is no address (RFC 5322 §4.4 obs-addr-list).
    if (words === 0) return null;
    if (before > 0) return { name: phrase, adl: null, mailbox: MISSING_MAILBOX, host: MISSING_DOMAIN };
    return { name: this.#comment, adl: null, mailbox: local, host: MISSING_DOMAIN };
  }

  /** `<[route:]local@domain>`; a comma before the `>` ends it too, so that one lost `>` costs one address only. */
  #readAngle(name: string | null): Address {
    const text = this.#text;
    this.#at++;
    let adl: string | null = null;
    let local = '';
    let host = '';
    let sawLocal = false;
    while (this.#at < text.length) {
      const c = text.charCodeAt(this.#at);
      if (c === GREATER || c === COMMA || c === SEMICOLON) break;
      if (c === SPACE || c === TAB || c === COLON || c === LESS) this.#at++;
      else if (c === OPEN) this.#comment = this.#readComment();
      else if (c === AT) {
        if (!sawLocal && adl === null) {
          adl = this.#readRoute();
          if (adl !== null) continue;
        }
        this.#at++;
        host = this.#readDomain();
        break;
      } else {
        local += c === QUOTE ? this.#readQuoted() : this.#readAtom();
        sawLocal = true;
      }
    }
    this.#skipToDelimiter();
    return {
      name: name ?? this.#comment,
      adl,
      mailbox: sawLocal ? local : MISSING_MAILBOX,
      host: host === '' ? MISSING_DOMAIN : host,
    };
  }

  /** `@a,@b:` behind `<`. Null, and nothing is read, if no colon ends it. */
  #readRoute(): string | null {
    const text = this.#text;
    let route = '';
    for (let i = this.#at; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === COLON) {
        this.#at = i + 1;
        return route;
      }
      if (c === GREATER || c === LESS || c === QUOTE || c === SEMICOLON || c === OPEN) return null;
      if (c !== SPACE && c !== TAB) route += text[i];
    }
    return null;
  }

  /** Atoms and dots, or a domain literal with its brackets; comments and blanks between them are dropped. */
  #readDomain(): string {
    const text = this.#text;
    let host = '';
    let gap = false;
    while (this.#at < text.length) {
      const c = text.charCodeAt(this.#at);
      if (c === SPACE || c === TAB) {
        this.#at++;
        gap = true;
      } else if (c === OPEN) {
        this.#comment = this.#readComment();
        gap = true;
      } else if (c === LBRACKET) {
        host += this.#readDomainLiteral();
        gap = false;
      } else if (isSpecial(c)) {
        break;
      } else {
        if (gap && host !== '' && c !== DOT && !host.endsWith('.')) break;
        host += this.#readAtom();
        gap = false;
      }
    }
    return host;
  }

  #readDomainLiteral(): string {
    const text = this.#text;
    const start = this.#at;
    while (this.#at < text.length) {
      const c = text.charCodeAt(this.#at++);
      if (c === BACKSLASH) this.#at++;
      else if (c === RBRACKET) break;
    }
    return text.slice(start, this.#at);
  }

  /** A run of anything that has no meaning of its own; at least one char. */
  #readAtom(): string {
    const text = this.#text;
    let start = this.#at;
    let done = '';
    for (;;) {
      const c = text.charCodeAt(this.#at);
      if (c === BACKSLASH) {
        // A quoted pair outside quotes is obsolete; the char behind it counts.
        done += text.slice(start, this.#at);
        start = this.#at + 1;
        this.#at += 2;
      } else {
        this.#at++;
      }
      if (this.#at >= text.length) {
        this.#at = text.length;
        break;
      }
      if (isSpecial(text.charCodeAt(this.#at))) break;
    }
    return done + text.slice(start, this.#at);
  }

  /** The content of a quoted string, unescaped. Unclosed ones reach to the end. */
  #readQuoted(): string {
    return this.#readEnclosed(QUOTE);
  }

  /** The content of a comment with inner comments as text, or null if there is nothing in it. */
  #readComment(): string | null {
    const content = trimBlanks(this.#readEnclosed(CLOSE));
    return content === '' ? null : content;
  }

  #readEnclosed(close: number): string {
    const text = this.#text;
    let start = ++this.#at;
    let done = '';
    let depth = 0;
    while (this.#at < text.length) {
      const c = text.charCodeAt(this.#at);
      if (c === BACKSLASH && this.#at + 1 < text.length) {
        done += text.slice(start, this.#at);
        start = this.#at + 1;
        this.#at += 2;
        continue;
      }
      if (c === close && depth-- === 0) {
        done += text.slice(start, this.#at++);
        return done;
      }
      if (close === CLOSE && c === OPEN) depth++;
      this.#at++;
    }
    return done + text.slice(start);
  }

  /** Skips what may not follow an address, up to the comma or semicolon; comments are noted. */
  #skipToDelimiter(): void {
    const text = this.#text;
    while (this.#at < text.length) {
      const c = text.charCodeAt(this.#at);
      if (c === COMMA || c === SEMICOLON) return;
      if (c === OPEN) this.#comment = this.#readComment() ?? this.#comment;
      else if (c === QUOTE) this.#readQuoted();
      else this.#at++;
    }
  }
}

/** Chars that end an atom here. `.` and `[` are ordinary in phrases, as people write them unquoted. */
function isSpecial(c: number): boolean {
  switch (c) {
    case SPACE:
    case TAB:
    case QUOTE:
    case OPEN:
    case COMMA:
    case COLON:
    case SEMICOLON:
    case LESS:
    case AT:
    case GREATER:
      return true;
    default:
      return false;
  }
}
