import { COMPLETED, type Completion, type Session } from '../session.ts';

/**
 * NOOP (RFC 9051 §6.1.2) and CHECK (RFC 3501 §6.4.1): nothing to do, since every change is durable before it is
 * answered; what is new in the mailbox is told at the end of every command. Who polls is told of all that anybody was
 * answered before, whichever process it was.
 */
export function noop(session: Session): Completion {
  session.selected?.mailbox.refresh();
  return COMPLETED;
}
