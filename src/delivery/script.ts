/** Runs a recipient's script over a message: what it decided becomes a plan, what went wrong with it a problem. */

import { limits } from '../limits.ts';
import type { Original } from '../outgoing/forms/original.ts';
import { run } from '../sieve/machine.ts';
import { Mail } from '../sieve/mail/mail.ts';
import { toOctets } from '../sieve/octets.ts';
import type { Remembered } from '../sieve/result.ts';
import { type Program, RUN_LIMITS } from '../sieve/run.ts';
import type { Settings as SieveSettings } from '../sieve/settings.ts';
import { Namespace } from '../store/names.ts';
import type { Mark } from '../store/border.ts';
import { defaultMailbox, keptByDefault, place } from './filing.ts';
import { DUPLICATE, makeHost } from './host.ts';
import { interpret } from './interpret.ts';
import type { Occasion } from './occasion.ts';
import { scriptOwner } from './owner.ts';
import { emptyPlan, type Plan } from './plan.ts';

/** What a script came to. */
export interface Decision {
  readonly plan: Plan;
  readonly occasion: Occasion;
  /** Why it could not be run to its end, on one line; null when it was. Then the plan is to keep the message. */
  problem: string | null;
}

type Given = Pick<
  Occasion,
  | 'settings'
  | 'store'
  | 'log'
  | 'programs'
  | 'lists'
  | 'notifications'
  | 'arrival'
  | 'forwarded'
  | 'recipient'
  | 'staged'
>;

/** Makes what one run needs to know; nothing of it is looked at before it is asked for. */
export function makeOccasion(given: Given): Occasion {
  const { arrival, recipient, settings, staged } = given;
  const { userid } = recipient.target;
  const bytes = staged.bytes();
  const original: Original = {
    header: Buffer.from(staged.header, 'latin1'),
    whole: bytes.length > limits.delivery_returned.value ? null : bytes,
    sender: arrival.sender,
    recipient: recipient.address,
  };
  const now = Date.now();
  let stamps = 0;
  return {
    ...given,
    owner: scriptOwner(userid, recipient.address, settings),
    namespace: new Namespace(settings, { userid, admin: false, groups: [] }),
    bytes,
    message: new Mail(bytes, settings.recipient_delimiter),
    now,
    original,
    stamp: () => ({
      now: new Date(),
      messageId: `sieve-${arrival.queueId}-${userid.replace(/[^A-Za-z0-9]/g, '')}-${++stamps}`,
      servername: settings.servername,
    }),
  };
}

/** Runs a program. Throws only for a fault of ours. */
export async function decide(
  program: Program,
  settings: SieveSettings,
  occasion: Occasion,
): Promise<Decision> {
  const { arrival, recipient } = occasion;
  const outcome = await run(program, {
    message: occasion.message,
    envelope: {
      from: toOctets(arrival.sender),
      to: toOctets(recipient.address),
      originalTo: recipient.originalRecipient === undefined
        ? null
        : toOctets(recipient.originalRecipient.replace(/^[^;]*;/, '')),
      auth: arrival.auth === null ? null : toOctets(arrival.auth.userid),
      dsn: {
        notify: recipient.notify ?? [],
        orcpt: recipient.originalRecipient === undefined ? null : toOctets(recipient.originalRecipient),
        ret: arrival.ret ?? null,
        envid: arrival.envid === undefined ? null : toOctets(arrival.envid),
      },
      ...(arrival.deliverBy === undefined ? {} : {
        deliverBy: { ...arrival.deliverBy, deadline: arrival.begun + arrival.deliverBy.seconds * 1000 },
      }),
    },
    host: makeHost(occasion),
    settings,
    separators: occasion.settings.recipient_delimiter,
    defaultMailbox: defaultMailbox(occasion),
    limits: { ...RUN_LIMITS, redirects: occasion.settings.sieve_max_redirects },
  });
  const { error, result } = outcome;
  if (error === null) {
    const plan = interpret(result.decided(), occasion);
    plan.marks.push(...result.remembered.map((seen) => duplicateMark(seen, occasion)));
    return { plan, occasion, problem: null };
  }
  const script = error.script === '' ? '' : `script "${error.script}", `;
  return keep(occasion, `${script}line ${error.line}, column ${error.column}: ${error.text}`);
}

/** RFC 7352 §3.3: for as long as the script says, if the site allows that. */
function duplicateMark({ key, seconds }: Remembered, { now, settings }: Occasion): Mark {
  const most = settings.sieve_duplicate_max_expiration;
  const period = Math.min(most, seconds ?? limits.delivery_duplicate.value);
  return { kind: DUPLICATE, key, until: Math.floor(now / 1000) + period };
}

/** The message is kept: the script could not be run to its end (RFC 5228 §2.10.6). */
export function keep(occasion: Occasion, problem: string): Decision {
  const plan = emptyPlan();
  place(plan, null, keptByDefault(occasion));
  plan.actions.push('keep (script failed)');
  return { plan, occasion, problem };
}
