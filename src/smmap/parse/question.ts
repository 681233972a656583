/** One question of a socketmap client: the name of a map, a space, and the address it wants to know about. */

import { syntaxError, userError } from '../../errors.ts';

/** An address as an MTA asks about it. */
export interface Question {
  /** As asked, one char per byte. */
  readonly key: string;
  /** Unicode, without quoting. */
  readonly local: string;
  /** '' where the address has none. */
  readonly domain: string;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const QUOTED = /^"(?:[^"\\]|\\.)*"$/s;

/** The key behind the name of the map, whatever that is. @throws MailError 'badsyntax' */
export function readKey(octets: Buffer): string {
  const space = octets.indexOf(0x20);
  if (space < 0) throw syntaxError('missing key');
  return octets.toString('latin1', space + 1);
}

/**
 * The address. MTAs ask with the local part as it is or in quotes, and also for parts of it: what has a domain and
 * nothing in front ("@example.org") is nobody's.
 * @throws MailError 'nouser'
 */
export function readQuestion(key: string): Question {
  let text: string;
  try {
    text = utf8.decode(Buffer.from(key, 'latin1'));
  } catch {
    throw userError('nouser', 'the address is not valid UTF-8');
  }
  const at = text.lastIndexOf('@');
  const part = at < 0 ? text : text.slice(0, at);
  const local = QUOTED.test(part) ? part.slice(1, -1).replace(/\\(.)/gs, '$1') : part;
  if (local === '' || /\p{Cc}/u.test(text)) throw userError('nouser', 'no mailbox can have this address');
  return { key, local, domain: at < 0 ? '' : text.slice(at + 1) };
}
