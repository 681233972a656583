/** notify: by mail (RFC 5436), or as Cyrus did it before there were URIs, through notifyd. */

import { notifySocket } from '../../config/notifysocket.ts';
import { asMailError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { Mailbox } from '../../outgoing/forms/draft.ts';
import { notification } from '../../outgoing/forms/notification.ts';
import { sendNotification } from '../../outgoing/notify/datagram.ts';
import { isAutomatic } from '../../outgoing/responder.ts';
import type { MailtoUri, NamedAddress, NotifyAction } from '../../sieve/result.ts';
import { storePlacement } from '../filing.ts';
import type { Occasion } from '../occasion.ts';
import type { Plan } from '../plan.ts';

const PRIORITIES = ['', 'high', 'normal', 'low'] as const;

export function notify(plan: Plan, action: NotifyAction, occasion: Occasion): void {
  const { log, original, owner } = occasion;
  // RFC 5436 §2.7: what a program sent notifies nobody, so that notifications cannot go in circles.
  if (isAutomatic(original)) {
    plan.actions.push('no notification (sent by a program)');
    return;
  }
  if (!occasion.notifications.take(owner.userid, occasion.now)) {
    log.warn('not notified', {
      reason: `more than ${limits.delivery_notifications.value} notifications in an hour`,
    });
    plan.actions.push('no notification (too many)');
    return;
  }
  const { method } = action;
  if ('mailto' in method) return byMail(plan, action, method.mailto, method.from, occasion);
  if (!('name' in method)) {
    plan.actions.push(`no notification (${method.scheme} is not there)`);
    return;
  }
  if (method.name.toLowerCase() === 'mailto') {
    const to = action.options.filter((option) => /^[^\s@<>]+@[^\s@<>]+$/.test(option))
      .map((address) => ({ address, name: null }));
    if (to.length > 0) {
      const mailto: MailtoUri = { to, cc: [], bcc: [], subject: null, body: action.message, fields: [] };
      return byMail(plan, { ...action, message: null }, mailto, null, occasion);
    }
  }
  byNotifyd(plan, action, method.name, occasion);
}

function byMail(
  plan: Plan,
  action: NotifyAction,
  { to, cc, bcc, subject, body, fields }: MailtoUri,
  from: NamedAddress | null,
  occasion: Occasion,
): void {
  const { owner, original } = occasion;
  const sender: Mailbox | null = from === null ? null : { name: from.name ?? '', address: from.address };
  const words = {
    to,
    cc,
    bcc,
    subject: action.message ?? subject,
    body,
    fields,
    importance: action.importance,
    from: sender,
  };
  const { envelope, message } = notification(
    words,
    original,
    { name: '', address: owner.address },
    occasion.stamp(),
  );
  // RFC 5436 §2.7: none twice to the same address from one run.
  const known = new Set(
    plan.courtesies.filter(({ what }) => what.startsWith(NOTIFY))
      .flatMap(({ envelope: { recipients } }) => recipients.map(({ address }) => address.toLowerCase())),
  );
  const recipients = envelope.recipients.filter(({ address }) => !known.has(address.toLowerCase()));
  if (recipients.length === 0) return;
  plan.actions.push('notify by mail');
  plan.courtesies.push({
    what: `${NOTIFY} ${recipients.map(({ address }) => address).join(' ')}`,
    envelope: { ...envelope, recipients },
    message,
    mark: null,
    ...(action.fcc === null ? {} : { fcc: storePlacement(action.fcc, occasion) }),
  });
}

const NOTIFY = 'notify';

function byNotifyd(plan: Plan, action: NotifyAction, name: string, occasion: Occasion): void {
  const { log, owner, settings } = occasion;
  try {
    sendNotification(notifySocket(settings), {
      // Cyrus's word for none.
      method: name === '' || name === 'default' ? settings.sievenotifier : name,
      class: 'SIEVE',
      priority: PRIORITIES[action.importance],
      user: owner.userid,
      mailbox: 'INBOX',
      options: action.options,
      message: action.message ?? '',
      file: '',
    });
    plan.actions.push('notify');
  } catch (thrown) {
    log.warn('not notified', { reason: asMailError(thrown).message });
    plan.actions.push('no notification');
  }
}
