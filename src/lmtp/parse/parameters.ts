/** The parameters behind the path of MAIL and RCPT (RFC 5321 §4.1.2 Mail-parameters). */

import { syntaxError } from '../../errors.ts';

const PARAMETER = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\x80-\xff]+))?$/;

/**
 * Keywords in upper case with their values; null is a keyword without `=`.
 *
 * @throws MailError 'badsyntax' for a malformed or a repeated parameter (RFC 1870 §6: only one SIZE)
 */
export function parseParameters(text: string): Map<string, string | null> {
  const parameters = new Map<string, string | null>();
  if (text !== '' && text[0] !== ' ') throw syntaxError('Expected a space behind the address');
  for (const word of text.split(' ')) {
    if (word === '') continue;
    const found = PARAMETER.exec(word);
    if (found === null) throw syntaxError('Malformed parameter');
    const keyword = (found[1] as string).toUpperCase();
    if (parameters.has(keyword)) throw syntaxError(`Parameter ${keyword} is given twice`);
    parameters.set(keyword, found[2] ?? null);
  }
  return parameters;
}

/**
 * A count of octets: 1*20DIGIT (RFC 1870 §3, RFC 3030 §2), or null if it is none. Values beyond 2^53 are all the
 * same to us, as none can ever be taken.
 */
export function parseOctets(text: string): number | null {
  if (!/^[0-9]{1,20}$/.test(text)) return null;
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}
