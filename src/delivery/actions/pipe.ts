/** pipe (vnd.dovecot.pipe): a program of the administrator's gets the message. */

import type { PipeAction } from '../../sieve/result.ts';
import type { Occasion } from '../occasion.ts';
import type { Plan } from '../plan.ts';

export function pipe(plan: Plan, { program, args, attempt, content }: PipeAction, occasion: Occasion): void {
  const { arrival, bytes, recipient } = occasion;
  plan.actions.push(`pipe ${program}`);
  plan.pipes.push({
    attempt,
    call: {
      kind: 'pipe',
      name: program,
      args,
      input: content === null ? bytes : Buffer.concat(content),
      sender: arrival.sender,
      recipient: recipient.address,
      originalRecipient: recipient.originalRecipient?.replace(/^[^;]*;/, '') ?? recipient.address,
    },
  });
}
