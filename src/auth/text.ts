/** Text inside SASL messages: UTF-8 and nothing else. */

import { syntaxError } from '../errors.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws MailError 'badsyntax' for what is not UTF-8 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw syntaxError('the response is not UTF-8');
  }
}
