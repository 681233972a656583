/** Telling notifyd of mail that has come, as Cyrus's lmtpd does (`mailnotifier`). */

import { notifySocket } from '../../config/notifysocket.ts';
import type { Settings } from '../../config/settings.ts';
import { asMailError } from '../../errors.ts';
import { oneLine } from '../../mime/encode.ts';
import { decodeHeader } from '../../mime/encodedword.ts';
import { headerField } from '../../mime/header.ts';
import { sendNotification } from '../../outgoing/notify/datagram.ts';
import type { DeliveryResult } from '../../store/border.ts';
import type { Log } from '../../telemetry/log.ts';

/** What is told of a message, in this order. */
const FIELDS = ['From', 'Subject', 'To'] as const;

/** One notification for a message that a user has now. A notifyd that is not there loses it, and nothing else. */
export function tellOfNewMail(
  settings: Pick<Settings, 'mailnotifier' | 'notifysocket' | 'configdirectory'>,
  { target, uid, placed = [] }: DeliveryResult,
  header: string,
  log: Log,
): void {
  // A message that was there already is not new.
  if (uid === undefined && placed.every((one) => one.uid === null)) return;
  if (target.userid === '') return;
  const bytes = Buffer.from(header, 'latin1');
  const lines = FIELDS.flatMap((name) => {
    const value = headerField(bytes, name);
    return value === null ? [] : [`${name}: ${oneLine(decodeHeader(value))}\n`];
  });
  try {
    sendNotification(notifySocket(settings), {
      method: settings.mailnotifier,
      class: 'MAIL',
      priority: '',
      user: target.userid,
      // As in Cyrus, whatever the folder: it is the user's mail.
      mailbox: 'INBOX',
      options: [],
      message: lines.join(''),
      file: '',
    });
  } catch (thrown) {
    log.warn('not notified', { user: target.userid, reason: asMailError(thrown).message });
  }
}
