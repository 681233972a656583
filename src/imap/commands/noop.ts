import { COMPLETED, type Completion } from '../session.ts';

/**
 * NOOP (RFC 9051 §6.1.2) and CHECK (RFC 3501 §6.4.1): nothing to do, since every change is durable before it is
 * answered; what is new in the mailbox is told at the end of every command.
 */
export function noop(): Completion {
  return COMPLETED;
}
