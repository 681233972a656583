/** Names of scripts as clients send them (RFC 5804 §1.6). */

import { syntaxError } from '../../errors.ts';
import { checkScriptName } from '../../store/scriptname.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A name in bytes, one char each, in the form all names are kept in (NFC, RFC 5198 §3), so that one that looks the same
 * is the same.
 * @throws MailError 'badsyntax' for what is not UTF-8, 'cannot' for what is no name
 */
export function scriptName(bytes: string): string {
  let name: string;
  try {
    name = utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    throw syntaxError('The name of a script must be UTF-8');
  }
  return checkScriptName(name.normalize('NFC'));
}
