/** The directives of DIGEST-MD5's messages: `name=value`, `name="value"`, with commas between (RFC 2831 §7.1). */

import { syntaxError } from '../../errors.ts';

/** RFC 2831 §2.1.2: a response is smaller than this. */
const LONGEST = 4096;

/** One directive at the sticky position: a token or a quoted string, then a comma or the end. */
const DIRECTIVE =
  /[\t\n\r ,]*([!#$%&'*+\-.0-9A-Z^_`a-z|~]+)[\t\n\r ]*=[\t\n\r ]*(?:"((?:[^"\\]|\\[\s\S])*)"|([^\s",]*))[\t\n\r ]*(?:,|$)/y;

/**
 * The directives of a message, names in lower case, values unquoted, latin1.
 * @param repeatable may come several times; the first counts (§2.1.1: a challenge can name several realms)
 * @throws MailError 'badsyntax' for what is no list of directives, and for a directive that comes twice
 */
export function readDirectives(bytes: Uint8Array, repeatable = ''): ReadonlyMap<string, string> {
  if (bytes.length >= LONGEST) throw syntaxError('the message is too long');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const found = new Map<string, string>();
  DIRECTIVE.lastIndex = 0;
  while (DIRECTIVE.lastIndex < text.length) {
    const match = DIRECTIVE.exec(text);
    if (match === null) throw syntaxError('the response is not a list of directives');
    const name = (match[1] as string).toLowerCase();
    if (found.has(name) && name === repeatable) continue;
    if (found.has(name)) throw syntaxError(`the directive ${name} stands twice in the response`);
    found.set(name, match[2]?.replace(/\\([\s\S])/g, '$1') ?? match[3] ?? '');
  }
  return found;
}

/** A value as a quoted string. */
export function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}
