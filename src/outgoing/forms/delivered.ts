/** The report that a message was delivered, or left for where nobody reports (RFC 3461 §5.2.1, RFC 2852 §4.1.4, RFC 3464). */

import { foldedField, oneLine } from '../../mime/encode.ts';
import type { Envelope, OutgoingMessage } from '../envelope.ts';
import { Draft, multipart, type Stamp, textEntity } from './draft.ts';
import { type Original, returned } from './original.ts';
import { addressField, machinePart, messageStatus, referenceLines } from './status.ts';

/**
 * @param envid ENVID of the message
 * @param originalRecipient ORCPT: type and address
 */
export function deliveredDsn(
  original: Original,
  asked: { readonly envid: string | undefined; readonly originalRecipient: string | undefined },
  action: 'delivered' | 'relayed',
  postmaster: string,
  stamp: Stamp,
): { envelope: Envelope; message: OutgoingMessage } {
  const { recipient, sender } = original;
  const [, type = '', address = ''] = /^([^;]*);(.*)$/.exec(asked.originalRecipient ?? '') ?? [];
  const ascii = /^[\x20-\x7e]*$/.test(address);
  const fields = messageStatus(stamp, asked.envid) +
    (address === '' || !ascii ? '' : foldedField('Original-Recipient', `${type}; ${address}`)) +
    addressField('Final-Recipient', recipient) +
    foldedField('Action', action) +
    foldedField('Status', action === 'delivered' ? '2.1.5' : '2.1.9');
  const text = action === 'delivered'
    ? `Your message was delivered to ${oneLine(recipient)}.\r\n`
    : `Your message was passed on to ${
      oneLine(recipient)
    }, by a mail server that does not say when it will be delivered.\r\n`;
  // RFC 3461 §4.3: of a message that arrived the header is enough, whatever RET says.
  const parts = [
    textEntity(text),
    machinePart('delivery-status', fields, recipient),
    returned(original, true),
  ];
  const message = new Draft()
    .addresses('From', [{ name: 'Mail Delivery Subsystem', address: postmaster }])
    .addresses('To', [{ name: '', address: sender }])
    .text('Subject', `Delivery status: ${action}`)
    .stamp(stamp)
    .lines(referenceLines(original))
    .words('Auto-Submitted', 'auto-generated (delivery report)')
    .finish(multipart('report; report-type=delivery-status', parts, stamp));
  return { message, envelope: { sender: '', recipients: [{ address: sender, notify: ['NEVER'] }] } };
}
