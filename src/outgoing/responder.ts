/**
 * When a machine may answer a message (RFC 3834 §2, RFC 5230 §4.5 and §4.6, RFC 5436 §2.7): what comes from programs is never
 * answered by one, so that no two of them ever talk to each other.
 */

import { parseAddressList } from '../mime/address.ts';
import { fieldsOf, type Original } from './forms/original.ts';

/** Senders nobody reads the mail of: programs, and addresses of lists (RFC 5230 §4.6). */
const PROGRAMS =
  /^(?:mailer-daemon|mailer|listserv|majordomo|listproc|mailman|daemon|root-daemon|no-?reply|do-?not-?reply|bounces?)$|^owner-|-(?:request|owner|bounces?|return|relay)$|[-+](?:bounces?|return)[-+=]/i;

const LIST_FIELDS: ReadonlySet<string> = new Set([
  'list-id',
  'list-help',
  'list-subscribe',
  'list-unsubscribe',
  'list-post',
  'list-owner',
  'list-archive',
]);

const RECIPIENT_FIELDS: ReadonlySet<string> = new Set([
  'to',
  'cc',
  'bcc',
  'resent-to',
  'resent-cc',
  'resent-bcc',
]);

/** Why a reply to the sender (vacation) must not be made; null where it may. `own` are all addresses of the one who answers. */
export function whyNoReply(original: Original, own: readonly string[]): string | null {
  const automatic = whyNoReport(original);
  if (automatic !== null) return automatic;
  if (isOneOf(original.sender, own)) return 'the sender is the recipient';
  const fields = fieldsOf(original.header);
  for (const [name, value] of fields) {
    if (LIST_FIELDS.has(name)) return `mail of a list (${name})`;
    // RFC 3834 §2 leaves Precedence to the responder: nobody writes these words into a personal letter.
    if (name === 'precedence' && /^(?:bulk|junk|list)\b/i.test(value)) {
      return `Precedence: ${value.slice(0, 20)}`;
    }
    if (name === 'x-auto-response-suppress' && /\b(?:all|oof|autoreply)\b/i.test(value)) {
      return 'the sender suppresses automatic responses';
    }
    if (name === 'x-loop' && own.some((address) => mentions(value, address))) {
      return 'it was answered before (X-Loop)';
    }
  }
  const named = fields.some(([name, value]) => RECIPIENT_FIELDS.has(name) && namesOneOf(value, own));
  return named ? null : 'no address of the recipient stands in its header';
}

/** Why a report to the sender (a rejection by mail) must not be made; null where it may. */
export function whyNoReport(original: Original): string | null {
  const { sender } = original;
  // RFC 3834 §2, RFC 5429 §2.2.1: a bounce is never answered.
  if (sender === '') return 'the sender is the null path';
  if (PROGRAMS.test(localPart(sender))) return `${sender} is the address of a program or a list`;
  return isAutomatic(original) ? 'it was sent by a program (Auto-Submitted)' : null;
}

/** True for what a program sent: Auto-Submitted other than `no` (RFC 3834 §5). */
export function isAutomatic({ header }: Original): boolean {
  return fieldsOf(header).some(([name, value]) =>
    name === 'auto-submitted' && (/^[^\s;(]*/.exec(value)?.[0] ?? '').toLowerCase() !== 'no'
  );
}

/** Same address: domains without regard to case, local parts too, as everybody delivers them. */
export function isOneOf(address: string, own: readonly string[]): boolean {
  const folded = address.toLowerCase();
  return own.some((each) => each.toLowerCase() === folded);
}

/** @param value bytes as characters, unfolded */
function namesOneOf(value: string, own: readonly string[]): boolean {
  return parseAddressList(value).some(({ mailbox, host }) =>
    mailbox !== null && host !== null &&
    isOneOf(Buffer.from(`${mailbox}@${host}`, 'latin1').toString('utf8'), own)
  );
}

function mentions(value: string, address: string): boolean {
  return value.toLowerCase().split(/[\s<>,;]+/).includes(address.toLowerCase());
}

function localPart(address: string): string {
  const at = address.lastIndexOf('@');
  return at < 0 ? address : address.slice(0, at);
}
