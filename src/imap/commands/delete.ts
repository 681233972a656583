import type { MailboxName } from '../../store/border.ts';
import type { MailboxCommand } from '../parse/command.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';

/** DELETE (RFC 9051 §6.3.5). Other sessions that have the mailbox selected are told by BYE. */
export async function deleteMailbox(session: Session, command: MailboxCommand): Promise<Completion> {
  const name = session.mailboxName(command.mailbox);
  const selected = isSelected(session, name);
  await session.store.delete(name);
  if (selected) {
    // Who deletes the mailbox it has selected knows what that means: it is left, and the session goes on.
    session.unselect();
    session.untagged('OK [CLOSED] Ok');
  }
  return COMPLETED;
}

/** By its id: the news of a RENAME may not have reached this session yet. */
function isSelected(session: Session, name: MailboxName): boolean {
  if (session.selected === null) return false;
  try {
    return session.store.info(name).mailboxid === session.selected.mailbox.mailboxid;
  } catch {
    // Not there, or not to be known of: the deletion will say so.
    return false;
  }
}
