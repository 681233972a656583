/** vacation (RFC 5230, RFC 6131): a reply to the sender, if there may be one and there was none for some time. */

import { limits } from '../../limits.ts';
import type { Original } from '../../outgoing/forms/original.ts';
import { vacationReply } from '../../outgoing/forms/vacation.ts';
import { whyNoReply } from '../../outgoing/responder.ts';
import type { VacationAction } from '../../sieve/result.ts';
import { storePlacement } from '../filing.ts';
import type { Occasion } from '../occasion.ts';
import type { Plan } from '../plan.ts';

/** Kind of the marks that say whom what was answered. */
const ANSWERED = 'vacation';

export function vacation(plan: Plan, action: VacationAction, occasion: Occasion): void {
  const { arrival, now, owner, settings, store } = occasion;
  const answered = answeredMessage(occasion);
  const silent = whyNoReply(answered, [...owner.addresses, ...action.addresses]);
  if (silent !== null) {
    plan.actions.push(`no vacation reply (${silent})`);
    return;
  }
  const { sieve_vacation_min_response: least, sieve_vacation_max_response: most } = settings;
  const wanted = Math.max(least, action.seconds ?? limits.delivery_vacation.value);
  // RFC 6131 §2: a longest time is a day at least.
  const seconds = Math.min(wanted, Math.max(most, 86_400));
  const key = new Bun.CryptoHasher('sha256').update(`${action.handle}\0${arrival.sender.toLowerCase()}`)
    .digest('hex');
  if (seconds > 0 && store.marked(owner.userid, ANSWERED, key)) {
    plan.actions.push('no vacation reply (answered before)');
    return;
  }
  const from = action.from === null ? null : { name: action.from.name ?? '', address: action.from.address };
  const { envelope, message } = vacationReply(
    { reason: action.reason, mime: action.mime, subject: action.subject, from },
    answered,
    { name: '', address: owner.address },
    settings.sieve_vacation_sender === 'owner' ? owner.address : '',
    occasion.stamp(),
  );
  const mark = seconds > 0
    ? { kind: ANSWERED, key, until: Math.floor(now / 1000) + seconds, fresh: true }
    : null;
  plan.actions.push('vacation reply');
  plan.courtesies.push({
    what: `vacation ${arrival.sender}`,
    envelope,
    message,
    mark,
    ...(action.fcc === null ? {} : { fcc: storePlacement(action.fcc, occasion) }),
  });
}

/** With the header as the script has changed it (RFC 5293 §7). */
function answeredMessage({ message, original }: Occasion): Original {
  const [header] = message.content() ?? [];
  return header === undefined ? original : { ...original, header };
}
