/** A rejection by mail: an MDN for `reject` (RFC 5429 §2.2.1, RFC 8098), a DSN for `ereject` (§2.1.2, RFC 3464). */

import { foldedField, oneLine } from '../../mime/encode.ts';
import { headerField } from '../../mime/header.ts';
import type { Envelope, OutgoingMessage } from '../envelope.ts';
import { Draft, type Entity, multipart, type Stamp, textEntity } from './draft.ts';
import { type Original, returned } from './original.ts';
import { addressField, machinePart, messageStatus, referenceLines } from './status.ts';

interface Rejection {
  readonly original: Original;
  readonly reason: string;
  readonly postmaster: string;
  readonly stamp: Stamp;
}

/** The message of `reject`. */
export function rejectionMdn({ original, reason, postmaster, stamp }: Rejection) {
  const report = foldedField('Reporting-UA', `${stamp.servername}; mailstore`) +
    addressField('Final-Recipient', original.recipient) +
    originalMessageId(original) +
    foldedField('Disposition', 'automatic-action/MDN-sent-automatically; deleted');
  return finish(original, reason, postmaster, stamp, {
    type: 'disposition-notification',
    subject: 'Automatically rejected mail',
    submitted: 'auto-replied (rejected)',
    part: machinePart('disposition-notification', report, original.recipient),
  });
}

/** The message of `ereject`, where it could not be refused on the spot. */
export function rejectionDsn({ original, reason, postmaster, stamp }: Rejection) {
  const report = messageStatus(stamp) +
    addressField('Final-Recipient', original.recipient) +
    foldedField('Action', 'failed') +
    foldedField('Status', '5.7.1') +
    foldedField('Diagnostic-Code', 'smtp; 550 5.7.1 refused by the recipient');
  return finish(original, reason, postmaster, stamp, {
    type: 'delivery-status',
    subject: 'Undelivered mail returned to sender',
    submitted: 'auto-replied (rejected)',
    part: machinePart('delivery-status', report, original.recipient),
  });
}

interface Form {
  readonly type: string;
  readonly subject: string;
  readonly submitted: string;
  readonly part: Entity;
}

function finish(
  original: Original,
  reason: string,
  postmaster: string,
  stamp: Stamp,
  { type, subject, submitted, part }: Form,
): { envelope: Envelope; message: OutgoingMessage } {
  const text =
    `Your message was refused by the mail filter of its recipient ${oneLine(original.recipient)}.\r\n` +
    `The reason given is:\r\n\r\n${reason}`;
  const message = new Draft()
    .addresses('From', [{ name: 'Mail Sieve Subsystem', address: postmaster }])
    .addresses('To', [{ name: '', address: original.sender }])
    .text('Subject', subject)
    .stamp(stamp)
    .lines(referenceLines(original))
    .words('Auto-Submitted', submitted)
    .finish(multipart(`report; report-type=${type}`, [textEntity(text), part, returned(original)], stamp));
  return { message, envelope: { sender: '', recipients: [{ address: original.sender, notify: ['NEVER'] }] } };
}

function originalMessageId({ header }: Original): string {
  const id = headerField(header, 'Message-ID');
  return id === null || !/^<[!-~]{1,900}>$/.test(id) ? '' : `Original-Message-ID: ${id}\r\n`;
}
