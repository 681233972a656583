/** Hands a message of a plan to the MTA, and says in the log what became of it. */

import type { Mailer, Outcome } from '../../outgoing/envelope.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Sending } from '../plan.ts';

/** @param seconds how long it may take at most */
export async function send(
  mailer: Mailer,
  { what, envelope, message }: Sending,
  log: Log,
  seconds?: number,
): Promise<Outcome[]> {
  const outcomes = await mailer.send(envelope, message, seconds);
  for (const { address, kind, text } of outcomes) {
    const fine = kind === 'sent';
    log[fine ? 'info' : 'warn'](fine ? 'sent' : 'not sent', { what, to: address, reply: text });
  }
  return outcomes;
}
