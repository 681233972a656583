import { userError } from '../../errors.ts';
import { DELETED, NO_FLAGS } from '../../store/flags.ts';
import { UidSet } from '../../store/uidset.ts';
import { findFlagged } from '../flagged.ts';
import type { ExpungeCommand } from '../parse/command.ts';
import type { Selected } from '../selected.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';

/** Messages of one change of the store; each is a few milliseconds of the writer. */
const SLICE = 5000;

/** EXPUNGE (RFC 9051 §6.4.3) and UID EXPUNGE (§6.4.9). The EXPUNGE lines follow at the end of the command. */
export async function expunge(session: Session, command: ExpungeCommand): Promise<Completion> {
  const selected = session.mailbox;
  refuseReadOnly(selected);
  const uids = command.set === null ? null : selected.resolve(command.set, true);
  const modseq = await expungeMarked(session, selected, uids);
  return session.condstore && modseq > 0 ? { code: `HIGHESTMODSEQ ${modseq}` } : COMPLETED;
}

/**
 * Expunges what is marked \Deleted among `uids`, or in the whole mailbox, which includes what this client was not told of
 * yet. Returns the modseq of the last change, 0 if nothing was expunged.
 */
export async function expungeMarked(
  session: Session,
  selected: Selected,
  uids: UidSet | null,
): Promise<number> {
  // A small mailbox is one change: the store finds the messages itself.
  if (selected.view.exists <= SLICE) return await expungeSlice(selected, uids);
  const candidates = uids ?? UidSet.range(1, Math.max(1, selected.lastUid));
  const marked = await findFlagged(session, selected, candidates, { lo: DELETED, hi: 0 }, NO_FLAGS);
  // Also where nothing is marked: it is for the writer to say whether the right is there.
  let modseq = 0;
  let from = 1;
  do {
    modseq = Math.max(modseq, await expungeSlice(selected, marked.slice(from, from + SLICE - 1)));
    from += SLICE;
    await session.breathe();
  } while (from <= marked.size && !session.closed);
  return modseq;
}

async function expungeSlice(selected: Selected, uids: UidSet | null): Promise<number> {
  const { expunged, modseq } = await selected.mailbox.expunge(uids);
  // The answer must be in this command, whenever the store's own news arrives.
  selected.note({ kind: 'expunge', uids: expunged, modseq, own: true });
  return modseq;
}

/** Changing commands are refused where the mailbox is open read-only (RFC 9051 §6.3.3). */
export function refuseReadOnly(selected: Selected): void {
  if (selected.readOnly) throw userError('readonly', 'The mailbox is open read-only');
}
