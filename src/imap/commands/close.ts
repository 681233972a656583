import { COMPLETED, type Completion, type Session } from '../session.ts';
import { expungeMarked } from './expunge.ts';

/**
 * CLOSE (RFC 9051 §6.4.1): expunges what is marked \Deleted without a word and leaves the mailbox. Where the
 * mailbox is read-only or the rights do not suffice nothing is expunged, and that is no failure (RFC 4314 §4).
 */
export async function close(session: Session): Promise<Completion> {
  const selected = session.mailbox;
  if (!selected.readOnly && selected.mailbox.rights.includes('e')) {
    await expungeMarked(session, selected, null);
  }
  session.unselect();
  return COMPLETED;
}

/** UNSELECT (RFC 9051 §6.4.2): leaves the mailbox and expunges nothing. */
export function unselect(session: Session): Completion {
  session.unselect();
  return COMPLETED;
}
