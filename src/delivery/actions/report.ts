/** report (vnd.dovecot.report): somebody is told about the message in the form of RFC 5965. */

import { abuseReport } from '../../outgoing/forms/report.ts';
import { isAutomatic } from '../../outgoing/responder.ts';
import type { ReportAction } from '../../sieve/result.ts';
import type { Occasion } from '../occasion.ts';
import type { Plan } from '../plan.ts';

export function report(
  plan: Plan,
  { feedback, text, address, headersOnly }: ReportAction,
  occasion: Occasion,
): void {
  const { original, owner } = occasion;
  if (isAutomatic(original)) {
    plan.actions.push('no report (sent by a program)');
    return;
  }
  const words = { feedback, text, to: address, headersOnly, from: null };
  const { envelope, message } = abuseReport(
    words,
    original,
    { name: '', address: owner.address },
    occasion.stamp(),
  );
  plan.actions.push(`report ${address}`);
  plan.courtesies.push({ what: `report ${address}`, envelope, message, mark: null });
}
