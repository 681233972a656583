/** Paths of an envelope (RFC 5321 §4.1.2), as lenient about names of hosts as mail is. */
import type { Mailbox } from './address.ts';

const ROUTE = /^(?:@[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*,)*@[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*:/;
/** A dot-string in which dots may stand anywhere, as some senders have them, or a quoted string. */
const LOCALPART = /^(?:[^\x00-\x20()<>[\]:;@\\,"\x7f]+|"(?:[^"\\\r\n\0]|\\[^\r\n\0])*")/;
const DOMAIN = /^(?:[A-Za-z0-9_\x80-\xff-]+(?:\.[A-Za-z0-9_\x80-\xff-]+)*|\[[^[\]\\\x00-\x20]+\])$/;

/**
 * The mailbox of a path, with or without its brackets; the route before it is passed over (RFC 5321 appendix C). The domain is ''
 * where there is none (`postmaster`). Null for what is no path; the null path has no mailbox, and is for the caller to know.
 */
export function parsePath(text: string): Mailbox | null {
  const bracketed = text.startsWith('<');
  if (bracketed !== text.endsWith('>')) return null;
  const path = (bracketed ? text.slice(1, -1) : text).replace(ROUTE, '');
  const localpart = LOCALPART.exec(path)?.[0];
  if (localpart === undefined) return null;
  const rest = path.slice(localpart.length);
  if (rest !== '' && !(rest.startsWith('@') && DOMAIN.test(rest.slice(1)))) return null;
  const plain = localpart.startsWith('"') ? localpart.slice(1, -1).replace(/\\(.)/g, '$1') : localpart;
  return { localpart: plain, domain: rest.slice(1) };
}
