import type { MailboxCommand } from '../parse/command.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';

/**
 * SUBSCRIBE and UNSUBSCRIBE (RFC 9051 §6.3.7, §6.3.8). A subscription is a name in a list of the user's own; whether
 * a mailbox of that name is there is not asked, so the answer tells nothing about others' mailboxes.
 */
export async function subscribe(session: Session, command: MailboxCommand): Promise<Completion> {
  await session.store.subscribe(session.mailboxName(command.mailbox), command.name === 'SUBSCRIBE');
  return COMPLETED;
}
