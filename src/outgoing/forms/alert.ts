/** The message of a notification that names nobody's script: Cyrus's notifyd, method mailto. */

import { oneLine } from '../../mime/encode.ts';
import type { Envelope, OutgoingMessage } from '../envelope.ts';
import { Draft, type Stamp, textEntity } from './draft.ts';

/** What is to be told, and to whom; Unicode. */
export interface Alert {
  readonly to: readonly string[];
  /** `MAIL`, `SIEVE`, or what a program calls it. */
  readonly class: string;
  readonly priority: string;
  readonly message: string;
}

/** @param postmaster whom it is from */
export function alert(
  { to, class: className, priority, message }: Alert,
  postmaster: string,
  stamp: Stamp,
): { envelope: Envelope; message: OutgoingMessage } {
  const draft = new Draft()
    .addresses('From', [{ name: 'Mail Sieve Subsystem', address: postmaster }])
    .addresses('To', to.map((address) => ({ name: '', address })))
    .text('Subject', `[${oneLine(className)}] New mail notification`)
    .stamp(stamp)
    .words('Auto-Submitted', 'auto-generated (notification)');
  if (priority.toLowerCase() === 'high') draft.words('Importance', 'high');
  if (priority.toLowerCase() === 'low') draft.words('Importance', 'low');
  return {
    message: draft.finish(textEntity(message)),
    // A bounce would be one more mail nobody asked for.
    envelope: { sender: '', recipients: to.map((address) => ({ address })) },
  };
}
