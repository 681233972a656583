/** Tells a sender who asked for it that the message was delivered (RFC 3461 §5.2.1). */

import type { Settings } from '../../config/settings.ts';
import { deliveredDsn } from '../../outgoing/forms/delivered.ts';
import type { Arrival, ArrivingRecipient } from '../arrival.ts';
import type { Sending } from '../plan.ts';

export function deliveryReport(
  arrival: Arrival,
  recipient: ArrivingRecipient,
  settings: Settings,
  header: string,
): Sending {
  const { envelope, message } = deliveredDsn(
    {
      header: Buffer.from(header, 'latin1'),
      whole: null,
      sender: arrival.sender,
      recipient: recipient.address,
    },
    { envid: arrival.envid, originalRecipient: recipient.originalRecipient },
    postmasterOf(settings),
    { now: new Date(), messageId: `dsn-${arrival.queueId}`, servername: settings.servername },
  );
  return { what: `delivery report ${arrival.sender}`, envelope, message, mark: null };
}

/** The postmaster's address, with a domain. */
export function postmasterOf(
  { postmaster, servername }: Pick<Settings, 'postmaster' | 'servername'>,
): string {
  const local = postmaster === '' ? 'postmaster' : postmaster;
  return local.includes('@') ? local : `${local}@${servername}`;
}
