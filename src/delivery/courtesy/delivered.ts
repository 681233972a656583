/** Tells a sender that the message was delivered, where that was asked for, or passed on without its time limit. */

import type { Settings } from '../../config/settings.ts';
import { deliveredDsn } from '../../outgoing/forms/delivered.ts';
import type { Arrival, ArrivingRecipient } from '../arrival.ts';
import type { Sending } from '../plan.ts';

/** RFC 3461 §5.2.1 */
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
    'delivered',
    postmasterOf(settings),
    { now: new Date(), messageId: `dsn-${arrival.queueId}`, servername: settings.servername },
  );
  return { what: `delivery report ${arrival.sender}`, envelope, message, mark: null };
}

/**
 * RFC 2852 §4.1.4.2, for who is told of what becomes of a forward; null where nobody is to be told.
 * @param header of the message
 */
export function relayReport(
  { envelope: { sender, recipients: [recipient], envid } }: Sending,
  header: string,
  settings: Settings,
  queueId: string,
): Sending | null {
  if (recipient === undefined || sender === '' || recipient.notify?.includes('NEVER')) return null;
  const { envelope, message } = deliveredDsn(
    { header: Buffer.from(header, 'latin1'), whole: null, sender, recipient: recipient.address },
    { envid, originalRecipient: recipient.originalRecipient },
    'relayed',
    postmasterOf(settings),
    { now: new Date(), messageId: `relay-${queueId}`, servername: settings.servername },
  );
  return { what: `relay report ${sender}`, envelope, message, mark: null };
}

/** The postmaster's address, with a domain. */
export function postmasterOf(
  { postmaster, servername }: Pick<Settings, 'postmaster' | 'servername'>,
): string {
  const local = postmaster === '' ? 'postmaster' : postmaster;
  return local.includes('@') ? local : `${local}@${servername}`;
}
