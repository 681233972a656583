/** reject and ereject (RFC 5429): refused in the answer to LMTP, or by mail where only that can say why. */

import { rejectionMdn } from '../../outgoing/forms/reject.ts';
import { whyNoReport } from '../../outgoing/responder.ts';
import type { RejectAction } from '../../sieve/result.ts';
import { postmasterOf } from '../courtesy/delivered.ts';
import type { Occasion } from '../occasion.ts';
import type { Plan } from '../plan.ts';

/** Stands for a reason that a reply cannot carry (RFC 5429 §2.1.1). */
const REFUSED = "Your message was refused by the recipient's mail filter";
/** Longest line of a reply, with room for code and status (RFC 5321 §4.5.3.1.5). */
const LINE = 400;
/** Lines of a reply; a reason that is longer ends there. */
const MOST_LINES = 50;

export function reject(plan: Plan, { early, reason }: RejectAction, occasion: Occasion): void {
  const { arrival, original, settings, log } = occasion;
  const ascii = /^[\x01-\x7f]*$/.test(reason);
  const silent = whyNoReport(original);
  if (early || silent !== null || ascii && settings.sieve_use_lmtp_reject) {
    plan.refusal = ascii ? replyLines(reason) : [REFUSED];
    plan.actions.push(early ? 'ereject' : 'reject');
    if (!early && !ascii) log.info('reason not told', { reason: silent ?? '' });
    return;
  }
  const { envelope, message } = rejectionMdn({
    original,
    reason,
    postmaster: postmasterOf(settings),
    stamp: occasion.stamp(),
  });
  plan.actions.push('reject by mail');
  plan.forwards.push({ what: `rejection ${arrival.sender}`, envelope, message, mark: null });
}

/** The reason as lines of a reply. */
export function replyLines(reason: string): string[] {
  const lines = reason.split(/\r\n|\r|\n/).flatMap((line) => {
    const text = line.replace(/[\x00-\x1f\x7f]/g, ' ').trimEnd();
    return text.length <= LINE ? [text] : text.match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  });
  while (lines.length > 1 && lines.at(-1) === '') lines.pop();
  const kept = lines.slice(0, MOST_LINES);
  return kept.every((line) => line === '') ? [REFUSED] : kept;
}
