import { userError } from '../../errors.ts';
import type { ExpungeCommand } from '../parse/command.ts';
import type { Selected } from '../selected.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';

/** EXPUNGE (RFC 9051 §6.4.3) and UID EXPUNGE (§6.4.9). The EXPUNGE lines follow at the end of the command. */
export async function expunge(session: Session, command: ExpungeCommand): Promise<Completion> {
  const selected = session.mailbox;
  refuseReadOnly(selected);
  const uids = command.set === null ? null : selected.resolve(command.set, true);
  const { expunged, modseq } = await selected.mailbox.expunge(uids);
  // The answer must be in this command, whenever the store's own news arrives.
  selected.note({ kind: 'expunge', uids: expunged, modseq, own: true });
  return session.condstore && modseq > 0 ? { code: `HIGHESTMODSEQ ${modseq}` } : COMPLETED;
}

/** Changing commands are refused where the mailbox is open read-only (RFC 9051 §6.3.3). */
export function refuseReadOnly(selected: Selected): void {
  if (selected.readOnly) throw userError('readonly', 'The mailbox is open read-only');
}
