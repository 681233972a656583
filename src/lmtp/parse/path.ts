/** Reverse and forward paths: `<>`, `<local@domain>`, `<"quoted local"@[literal]>`, `<@relay,@relay:local@domain>`. */

import { syntaxError } from '../../errors.ts';

/** The text between the angle brackets, taken apart. Strings hold one character per byte, as they came. */
export interface Path {
  /** Without source route and brackets, quoting as given; '' for the null path. */
  readonly address: string;
  /** The local part without its quoting. */
  readonly local: string;
  /** Domain or address literal, or '' where there is none (`<django>`, as local programs write it). */
  readonly domain: string;
  /** Holds bytes above 127 (RFC 6531). */
  readonly eightBit: boolean;
  /** Offset behind the path in the text given. */
  readonly end: number;
}

/** RFC 5321 §4.5.3.1.3 says 256; addresses that carry another one (SRS, VERP) are longer. */
const MAX_PATH = 1024;

// Quantifiers stand over single character classes only, so none of these can backtrack far.
const SOURCE_ROUTE = /@[A-Za-z0-9.\-[\]:_\x80-\xff]+(?:,@[A-Za-z0-9.\-[\]:_\x80-\xff]+)*:/y;
/** Dots may stand anywhere: there are mailboxes that begin, end and repeat with dots (RFC 5321 wants atoms between). */
const DOT_STRING = /[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.\x80-\xff]+/y;
const QUOTED_STRING = /"(?:[\x20!#-[\]-~\x80-\xff]|\\[\x20-\x7e])*"/y;
const DOMAIN = /[A-Za-z0-9\-._\x80-\xff]+/y;
const ADDRESS_LITERAL = /\[[A-Za-z0-9:.\-]{1,255}\]/y;

function match(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

/**
 * Reads the path at the start of `text` (spaces in front are tolerated, as many programs write `FROM: <x>`).
 * Source routes are dropped (RFC 5321 §4.1.1.3, appendix C).
 *
 * @throws MailError 'badsyntax' with a text that names what was expected
 */
export function parsePath(text: string): Path {
  let at = 0;
  while (text[at] === ' ') at++;
  if (text[at] !== '<') throw syntaxError('Expected an address in angle brackets');
  at++;
  if (text[at] === '>') return { address: '', local: '', domain: '', eightBit: false, end: at + 1 };

  if (text[at] === '@') {
    const route = match(SOURCE_ROUTE, text, at);
    if (route === null) throw syntaxError('Malformed source route in the address');
    at += route.length;
  }
  const start = at;
  const quoted = text[at] === '"';
  const part = match(quoted ? QUOTED_STRING : DOT_STRING, text, at);
  if (part === null) throw syntaxError('Malformed local part in the address');
  at += part.length;
  const local = quoted ? part.slice(1, -1).replace(/\\(.)/g, '$1') : part;
  // RFC 5321 lets "" stand, no mailbox can be meant by it (CVE-2020-10967).
  if (local === '') throw syntaxError('Empty local part in the address');

  let domain = '';
  if (text[at] === '@') {
    at++;
    const found = match(text[at] === '[' ? ADDRESS_LITERAL : DOMAIN, text, at);
    if (found === null) throw syntaxError('Malformed domain in the address');
    domain = found;
    at += found.length;
  }
  if (text[at] !== '>') throw syntaxError('Expected > behind the address');
  const address = text.slice(start, at);
  if (address.length > MAX_PATH) throw syntaxError('Address is too long');
  return { address, local, domain, eightBit: /[\x80-\xff]/.test(address), end: at + 1 };
}

/** An address as people read it, for the log: UTF-8 where the bytes are. */
export function addressText(address: string): string {
  return /^[\x00-\x7f]*$/.test(address) ? address : decodeUtf8(address) ?? address;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The bytes of a latin1 string read as UTF-8, or null where they are none (overlong, truncated, surrogates:
 * CVE-2020-7046).
 */
export function decodeUtf8(bytes: string): string | null {
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return null;
  }
}
