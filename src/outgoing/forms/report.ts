/** A report of abuse (RFC 5965), as vnd.dovecot.report sends it. */

import { foldedField, messageDate, oneLine } from '../../mime/encode.ts';
import type { Envelope, OutgoingMessage } from '../envelope.ts';
import { Draft, type Entity, type Mailbox, multipart, type Stamp, textEntity } from './draft.ts';
import { type Original, returned } from './original.ts';

export interface ReportWords {
  /** `abuse`, `fraud`, `virus`, `other`, `not-spam` …: a token */
  readonly feedback: string;
  /** For a person to read. */
  readonly text: string;
  readonly to: string;
  readonly headersOnly: boolean;
  /** Null for the owner of the script. */
  readonly from: Mailbox | null;
}

export function abuseReport(
  words: ReportWords,
  original: Original,
  owner: Mailbox,
  stamp: Stamp,
): { envelope: Envelope; message: OutgoingMessage } {
  const feedback = words.feedback.replace(/[^!-~]|[()<>@,;:\\"/[\]?=]/g, '') || 'other';
  const fields = foldedField('Feedback-Type', feedback) +
    foldedField('User-Agent', 'mailstore') +
    foldedField('Version', '1') +
    `Arrival-Date: ${messageDate(stamp.now)}\r\n` +
    foldedField('Original-Mail-From', `<${ascii(original.sender)}>`) +
    foldedField('Original-Rcpt-To', `<${ascii(original.recipient)}>`);
  const part: Entity = { fields: 'Content-Type: message/feedback-report\r\n', body: fields };
  const parts = [textEntity(words.text), part, returned(original, words.headersOnly)];
  const message = new Draft()
    .addresses('From', [words.from ?? owner])
    .addresses('To', [{ name: '', address: words.to }])
    .text('Subject', `Report: ${feedback}`)
    .stamp(stamp)
    .words('Auto-Submitted', 'auto-generated (report)')
    .finish(multipart('report; report-type=feedback-report', parts, stamp));
  return { message, envelope: { sender: '', recipients: [{ address: words.to, notify: ['NEVER'] }] } };
}

function ascii(address: string): string {
  return oneLine(address).replace(/[^\x21-\x7e]|[<>]/g, '?');
}
