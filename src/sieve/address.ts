/** Addresses as Sieve compares and sends them: parts (RFC 5228 §2.7.4), subaddresses (RFC 5233), outbound syntax (§2.4.2.3). */
import { type Address, MISSING_DOMAIN, MISSING_MAILBOX, parseAddressList } from '../mime/address.ts';
import type { AddressPart } from './message.ts';

/** A mailbox `localpart@domain`. */
export interface Mailbox {
  readonly localpart: string;
  readonly domain: string;
}

/** The mailboxes in a field value; ends and names of groups, and what is no address, are left out. */
export function mailboxes(value: string): Mailbox[] {
  const found: Mailbox[] = [];
  for (const { mailbox, host } of parseAddressList(value)) {
    if (mailbox === null || host === null || mailbox === MISSING_MAILBOX) continue;
    found.push({ localpart: mailbox, domain: host === MISSING_DOMAIN ? '' : host });
  }
  return found;
}

/** A part of an address, or null where it has none (RFC 5233 §4: no separator, no detail). `separators` are chars. */
export function addressPart(
  { localpart, domain }: Mailbox,
  part: AddressPart,
  separators: string,
): string | null {
  switch (part) {
    case 'all':
      return domain === '' ? localpart : `${quotedLocalpart(localpart)}@${domain}`;
    case 'localpart':
      return localpart;
    case 'domain':
      return domain === '' ? null : domain;
    case 'user': {
      const at = separatorAt(localpart, separators);
      return at < 0 ? localpart : localpart.slice(0, at);
    }
    case 'detail': {
      const at = separatorAt(localpart, separators);
      return at < 0 ? null : localpart.slice(at + 1);
    }
  }
}

function separatorAt(localpart: string, separators: string): number {
  for (let i = 0; i < localpart.length; i++) if (separators.includes(localpart[i] as string)) return i;
  return -1;
}

/** A local part that needs no quotes. Dots may stand anywhere: RFC 5322 would have quotes then, but nobody writes them. */
const ATEXT = /^[^\x00-\x20()<>[\]:;@\\,"\x7f]+$/;
const DOMAIN =
  /^(?:[A-Za-z0-9\x80-\xff](?:[A-Za-z0-9_\x80-\xff-]*[A-Za-z0-9\x80-\xff])?(?:\.|$))+$|^\[[^[\]\\\x00-\x20]+\]$/;

/**
 * A sieve-address (§2.4.2.3): `addr-spec` or `phrase <addr-spec>`, no route, no group, exactly one. Null for anything else.
 * The local part comes back quoted where it must be.
 */
export function outboundAddress(
  text: string,
): { readonly address: string; readonly phrase: string | null } | null {
  if (/[\r\n\0]/.test(text)) return null;
  const list = parseAddressList(text);
  const [only] = list;
  if (list.length !== 1 || only === undefined || only.adl !== null) return null;
  const address = addrSpec(only);
  if (address === null) return null;
  // Whatever the lenient parser passed over must not be there: compare with what it understood.
  const stripped = text.trim();
  const plain = stripped.endsWith('>') ? stripped.slice(stripped.lastIndexOf('<') + 1, -1).trim() : stripped;
  const bare = plain.replace(/[ \t]*@[ \t]*/, '@');
  const quoted = `"${(only.mailbox ?? '').replace(/["\\]/g, '\\$&')}"@${only.host}`;
  if (bare !== address && bare !== quoted && bare !== `${only.mailbox}@${only.host}`) return null;
  return { address, phrase: only.name };
}

/**
 * Whether a text is a mailbox-list (RFC 5322 §3.4): addresses like `outboundAddress` takes them, between commas, and nothing else.
 */
export function isMailboxList(text: string): boolean {
  let from = 0;
  let [quoted, angle, comments] = [false, false, 0];
  const parts: string[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '\\' && (quoted || comments > 0)) at++;
    else if (char === '"' && comments === 0) quoted = !quoted;
    else if (quoted) continue;
    else if (char === '(') comments++;
    else if (char === ')') comments--;
    else if (char === '<' || char === '>') angle = char === '<';
    else if (char === ',' && comments === 0 && !angle) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts.every((part) => outboundAddress(part) !== null);
}

function addrSpec({ mailbox, host }: Address): string | null {
  if (mailbox === null || host === null || mailbox === MISSING_MAILBOX || host === MISSING_DOMAIN) {
    return null;
  }
  if (mailbox === '' || !DOMAIN.test(host) || host.endsWith('.')) return null;
  return `${quotedLocalpart(mailbox)}@${host}`;
}

/** RFC 5322 §3.4.1: quoted where it must be. */
function quotedLocalpart(localpart: string): string {
  return ATEXT.test(localpart) ? localpart : `"${localpart.replace(/["\\]/g, '\\$&')}"`;
}
