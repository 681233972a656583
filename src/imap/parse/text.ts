/** From the bytes of an argument (latin1, one char per byte) to Unicode: strings, mailbox names, search strings. */

import { type MailError, syntaxError, userError } from '../../errors.ts';
import { decodeMutf7 } from '../../store/mutf7.ts';

const SEVEN_BIT = /^[\x00-\x7f]*$/;
const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as UTF-8, or null where they are none: over-long forms and surrogates included (RFC 3629 §3). */
export function decodeUtf8(bytes: string): string | null {
  if (SEVEN_BIT.test(bytes)) return bytes;
  try {
    return UTF8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return null;
  }
}

/**
 * A mailbox name: UTF-8 or modified UTF-7 by `utf8`; any case of INBOX is INBOX (RFC 9051 §5.1). Null where the bytes are
 * no name in that form, or hold control characters (RFC 5198 §2).
 */
export function decodeMailbox(bytes: string, utf8: boolean): string | null {
  if (bytes.length === 5 && bytes.toUpperCase() === 'INBOX') return 'INBOX';
  const name = utf8 ? decodeUtf8(bytes) : decodeMutf7(bytes);
  return name === null || CONTROL.test(name) ? null : name;
}

/** Why a name was not decoded. */
export function mailboxNameError(utf8: boolean): MailError {
  return userError('cannot', `the mailbox name is not valid ${utf8 ? 'UTF-8' : 'modified UTF-7'}`);
}

/** Turns the strings of a SEARCH into Unicode. */
export type CharsetDecoder = (bytes: string) => string;

/**
 * The decoder for a CHARSET of SEARCH; UTF-8 without one (RFC 9051 §6.4.4). Those the runtime knows are understood,
 * beyond the two an IMAP server must. Throws 'badcharset' otherwise.
 */
export function charsetDecoder(charset: string): CharsetDecoder {
  const label = charset.toLowerCase();
  const strict = label === 'us-ascii' || label === 'ascii';
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(strict ? 'utf-8' : label as Bun.Encoding, { fatal: true, ignoreBOM: true });
  } catch {
    throw badCharset();
  }
  // Strings are CHAR8: a charset of two-byte units would need NUL.
  if (decoder.encoding.startsWith('utf-16')) throw badCharset();
  return (bytes) => {
    // ISO-2022-JP and the like are seven bits wide and still no ASCII.
    const plain = SEVEN_BIT.test(bytes) &&
      !(decoder.encoding.startsWith('iso-2022') && bytes.includes('\x1b'));
    if (plain) return bytes;
    if (strict) throw syntaxError('a search string in US-ASCII must not hold 8-bit characters');
    try {
      return decoder.decode(Buffer.from(bytes, 'latin1'));
    } catch {
      throw syntaxError('a search string is not valid in its character set');
    }
  };
}

function badCharset(): MailError {
  return syntaxError('that character set is not supported; use UTF-8', 'badcharset');
}
