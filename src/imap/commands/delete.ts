import type { MailboxCommand } from '../parse/command.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';

/** DELETE (RFC 9051 §6.3.5). Who has the mailbox selected, this session included, is told by BYE. */
export async function deleteMailbox(session: Session, command: MailboxCommand): Promise<Completion> {
  await session.store.delete(session.mailboxName(command.mailbox));
  return COMPLETED;
}
