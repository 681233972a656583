import type { RenameCommand } from '../parse/command.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';

/** RENAME (RFC 9051 §6.3.6): with everything below; INBOX gives its messages away and stays. */
export async function rename(session: Session, command: RenameCommand): Promise<Completion> {
  await session.store.rename(session.mailboxName(command.from), session.mailboxName(command.to));
  return COMPLETED;
}
