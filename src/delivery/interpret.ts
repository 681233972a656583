/** The actions of a script (RFC 5228 §4, and its extensions) in the terms of store and MTA. */

import type { Action } from '../sieve/result.ts';
import { notify } from './actions/notify.ts';
import { pipe } from './actions/pipe.ts';
import { redirect } from './actions/redirect.ts';
import { reject } from './actions/reject.ts';
import { report } from './actions/report.ts';
import { vacation } from './actions/vacation.ts';
import { file, snooze } from './filing.ts';
import type { Occasion } from './occasion.ts';
import { emptyPlan, type Plan } from './plan.ts';

/** The plan of one run. */
export function interpret(actions: readonly Action[], occasion: Occasion): Plan {
  const plan = emptyPlan();
  for (const action of actions) {
    switch (action.kind) {
      case 'keep':
        file(plan, action.placement, occasion);
        plan.actions.push('keep');
        break;
      case 'fileinto':
        file(plan, action.placement, occasion);
        plan.actions.push(`fileinto ${action.placement.mailbox}`);
        break;
      case 'snooze':
        snooze(plan, action, occasion);
        break;
      case 'redirect':
        redirect(plan, action, occasion);
        break;
      case 'reject':
        reject(plan, action, occasion);
        break;
      case 'vacation':
        vacation(plan, action, occasion);
        break;
      case 'notify':
        notify(plan, action, occasion);
        break;
      case 'pipe':
        pipe(plan, action, occasion);
        break;
      case 'report':
        report(plan, action, occasion);
        break;
      case 'discard':
        plan.actions.push('discard');
        break;
    }
  }
  return plan;
}
