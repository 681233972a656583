/** redirect (RFC 5228 §4.2): the message goes on to another address, unless it has gone there or come from there before. */

import { isAscii } from 'node:buffer';
import { limits } from '../../limits.ts';
import { redirected, wasRedirectedBy } from '../../outgoing/forms/redirect.ts';
import type { DeliverBy, OutgoingMessage } from '../../outgoing/envelope.ts';
import { isOneOf } from '../../outgoing/responder.ts';
import type { Dispatch, RedirectAction } from '../../sieve/result.ts';
import { keptByDefault, place } from '../filing.ts';
import type { Occasion } from '../occasion.ts';
import type { Plan } from '../plan.ts';

/** Kind of the marks that say where a message has gone already. */
const REDIRECTED = 'redirect';

export function redirect(
  plan: Plan,
  { address, content, dispatch }: RedirectAction,
  occasion: Occasion,
): void {
  const { arrival, log, owner, recipient, settings, store } = occasion;
  const what = `redirect ${address}`;
  // A user who forwards mail to herself wants to have it; one whose mail comes back has a loop.
  const looped = isOneOf(address, owner.addresses) ||
    wasRedirectedBy(occasion.original.header, owner.address);
  if (looped) {
    log.warn('kept instead of redirected', { user: owner.userid, to: address, reason: 'mail loop' });
    place(plan, null, keptByDefault(occasion));
    plan.actions.push(`${what} (mail loop, kept)`);
    return;
  }
  // A hash: a Message-ID may be longer than what a mark is known by.
  const key = new Bun.CryptoHasher('sha256').update(`${address.toLowerCase()}\0${identityOf(occasion)}`)
    .digest('hex');
  if (store.marked(owner.userid, REDIRECTED, key) || occasion.forwarded.has(`${owner.userid} ${key}`)) {
    plan.actions.push(`${what} (sent before)`);
    return;
  }
  occasion.forwarded.add(`${owner.userid} ${key}`);
  const until = Math.floor(occasion.now / 1000) +
    Math.max(settings.duplicate_retention, limits.delivery_redirect_memory.value);
  plan.actions.push(what);
  plan.forwards.push({
    what,
    envelope: {
      sender: senderOf(dispatch, arrival.sender, owner.address),
      recipients: [{
        address,
        ...optional('notify', dispatch.notify ?? recipient.notify),
        ...(recipient.originalRecipient === undefined
          ? {}
          : { originalRecipient: recipient.originalRecipient }),
      }],
      ...optional('ret', dispatch.ret ?? arrival.ret),
      ...optional('deliverBy', deliverBy(dispatch, occasion)),
      ...(arrival.envid === undefined ? {} : { envid: arrival.envid }),
    },
    message: forwarded(content ?? [occasion.bytes], owner.address, arrival.smtputf8),
    mark: { kind: REDIRECTED, key, until },
  });
}

/** RFC 6009 §6.1, §7.1: who asks for reports gets them; a message that nobody may answer stays one. */
function senderOf({ notify, ret, deliverBy }: Dispatch, sender: string, owner: string): string {
  return sender !== '' && (notify !== null || ret !== null || deliverBy !== null) ? owner : sender;
}

/** Until when it is to be there: as the script says, else what is left of the time that the sender gave (RFC 2852 §4.1.4). */
function deliverBy({ deliverBy: asked }: Dispatch, { arrival, now }: Occasion): DeliverBy | undefined {
  if (asked !== null) {
    return { seconds: Math.round((asked.deadline - now) / 1000), mode: asked.mode, trace: asked.trace };
  }
  const given = arrival.deliverBy;
  if (given === undefined) return undefined;
  return { ...given, seconds: given.seconds - Math.round((now - arrival.begun) / 1000) };
}

function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): Partial<Record<Name, Value>> {
  return value === undefined ? {} : { [name]: value } as Record<Name, Value>;
}

/**
 * What makes it the same message when it comes again: Message-ID and date, as in duplicate suppression, so that programs which
 * give all their messages one Message-ID lose none. One that came without has a new one each time, which does not count.
 */
function identityOf({ arrival: { queueId }, bytes, staged }: Occasion): string {
  const { messageId, sentDate, header } = staged;
  if (messageId !== null && !messageId.startsWith(`<lmtp-${queueId}@`)) {
    return `${messageId} ${sentDate ?? ''}`;
  }
  const line = messageId === null ? -1 : header.indexOf(messageId);
  const own = line < 0 ? 0 : header.indexOf('\n', line) + 1;
  return new Bun.CryptoHasher('sha256').update(bytes.subarray(own)).digest('hex');
}

function forwarded(content: readonly Uint8Array[], owner: string, smtputf8: boolean): OutgoingMessage {
  const pieces = redirected(content, owner);
  return {
    size: pieces.reduce((sum, { length }) => sum + length, 0),
    eightBit: !pieces.every((piece) => isAscii(piece)),
    smtputf8,
    chunks: () => pieces,
  };
}
