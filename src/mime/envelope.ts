/** ENVELOPE (RFC 9051 §7.5.2): rendered once when a message is stored, sent as it stands ever after. */
import { limits } from '../limits.ts';
import { type Address, parseAddressList } from './address.ts';
import type { MessageFields } from './fields.ts';
import { nstring } from './nstring.ts';

/** A rendered ENVELOPE, and the address lists that were read for it. */
export interface Envelope {
  readonly rendered: string;
  readonly from: Address[];
  readonly to: Address[];
  readonly cc: Address[];
}

/** ENVELOPE with every field NIL: of an encapsulated message that is not looked at. */
export const EMPTY_ENVELOPE = '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)';

/** Renders `(date subject from sender reply-to to cc bcc in-reply-to message-id)`, latin1. */
export function renderEnvelope(fields: MessageFields): Envelope {
  const from = addressesOf(fields.from);
  const to = addressesOf(fields.to);
  const cc = addressesOf(fields.cc);
  const renderedFrom = renderAddresses(from);
  const sender = renderAddresses(addressesOf(fields.sender));
  const replyTo = renderAddresses(addressesOf(fields.replyTo));
  const rendered = '(' + nstring(fields.date) + ' ' + nstring(fields.subject) + ' ' + renderedFrom + ' ' +
    // Absent or empty, these two are the same as from.
    (sender === 'NIL' ? renderedFrom : sender) + ' ' + (replyTo === 'NIL' ? renderedFrom : replyTo) + ' ' +
    renderAddresses(to) + ' ' + renderAddresses(cc) + ' ' + renderAddresses(addressesOf(fields.bcc)) + ' ' +
    nstring(fields.inReplyTo) + ' ' + nstring(fields.messageId) + ')';
  return { rendered, from, to, cc };
}

/** The addresses of all fields of one name, bounded by `limits.mime_addresses` together. */
function addressesOf(values: string[] | null): Address[] {
  if (values === null) return NOBODY;
  let left = limits.mime_addresses.value;
  if (values.length === 1) return parseAddressList(values[0] as string, left);
  const all: Address[] = [];
  for (const value of values) {
    if (left <= 0) break;
    for (const address of parseAddressList(value, left)) all.push(address);
    left = limits.mime_addresses.value - all.length;
  }
  return all;
}

const NOBODY: Address[] = [];

function renderAddresses(list: readonly Address[]): string {
  if (list.length === 0) return 'NIL';
  let out = '(';
  for (const { name, adl, mailbox, host } of list) {
    out += '(' + nstring(name) + ' ' + nstring(adl) + ' ' + nstring(mailbox) + ' ' + nstring(host) + ')';
  }
  return out + ')';
}
