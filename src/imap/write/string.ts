/**
 * Strings and mailbox names as a server writes them (RFC 9051 §4.3, §5.1). Results are latin1, one char per byte, ready for
 * ResponseBuffer. Strings that are latin1 bytes already are written by `imapString` and `nstring` of mime/.
 */

import { imapString } from '../../mime/nstring.ts';
import { encodeMutf7 } from '../../store/mutf7.ts';

const ASCII = /^[\x00-\x7f]*$/;
const ATOM = /^[A-Za-z0-9!#$&'+,\-./:;<=>?@^_`|~]+$/;
const QUOTABLE = /^[^\0\r\n]*$/;

/** The UTF-8 bytes of Unicode text, one char per byte. */
export function utf8Bytes(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** `quoted`, always: for what must not be a literal, such as a separator or a TAG. Latin1 without CR, LF and NUL. */
export function quoted(text: string): string {
  return `"${text.includes('"') || text.includes('\\') ? text.replace(/["\\]/g, '\\$&') : text}"`;
}

/** `astring` of Unicode text: an atom where it can be one, else quoted or a literal. NIL is quoted, being a word of its own. */
export function astring(text: string): string {
  return ATOM.test(text) && text.toUpperCase() !== 'NIL' ? text : imapString(utf8Bytes(text));
}

/**
 * `mailbox`: the name as `utf8` says, in UTF-8 after ENABLE (then quoted, 8-bit and all), in modified UTF-7 before. Quoted
 * whenever it is more than an atom, as clients expect of names with spaces.
 */
export function mailboxName(name: string, utf8: boolean): string {
  const bytes = utf8 ? utf8Bytes(name) : encodeMutf7(name);
  if (ATOM.test(bytes) && bytes.toUpperCase() !== 'NIL') return bytes;
  return QUOTABLE.test(bytes) ? quoted(bytes) : imapString(bytes);
}

/** The same, never as an atom: `LIST` of Cyrus quotes every name, and scripts were written against it. */
export function quotedMailboxName(name: string, utf8: boolean): string {
  const written = mailboxName(name, utf8);
  return ATOM.test(written) ? `"${written}"` : written;
}
