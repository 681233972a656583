import { UidSet } from '../../store/uidset.ts';
import type { FetchField, StoreCommand } from '../parse/command.ts';
import { changedFields } from '../selected.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import { modified } from '../write/code.ts';
import { refuseReadOnly } from './expunge.ts';

/** Messages of one change of the store: most commands are one sync, and none holds the writer up for more than some 10 ms. */
const SLICE = 20_000;

/**
 * STORE and UID STORE (RFC 9051 §6.4.6), conditional with UNCHANGEDSINCE (RFC 7162 §3.1.3). Without .SILENT the new
 * flags of all messages are told; with it only what a CONDSTORE client must know, the new modseq. Messages another session
 * has expunged are left out, and [EXPUNGEISSUED] says so: the NO of RFC 2180 §4.2.2 makes clients alarm their users.
 */
export async function store(session: Session, command: StoreCommand): Promise<Completion> {
  const selected = session.mailbox;
  const { mailbox } = selected;
  refuseReadOnly(selected);
  const { uid, mode, flags, silent, unchangedSince } = command;
  const uids = selected.resolve(command.set, uid);
  if (unchangedSince !== null) session.enableCondstore();
  const fields = toldFields(session, command);
  let failed = UidSet.empty;
  for (let from = 1; from <= uids.size && !session.closed; from += SLICE) {
    const slice = uids.slice(from, from + SLICE - 1);
    const result = await mailbox.store(slice, mode, flags, unchangedSince ?? undefined);
    failed = failed.union(result.modified);
    session.happened('FLAG', mailbox.name, result.changed, flags);
    if (result.modseq > 0) {
      selected.note({ kind: 'flags', uids: result.changed, modseq: result.modseq, own: true });
    }
    // What another process expunged before this is known to be gone.
    mailbox.refresh();
    const told = silent
      ? (session.condstore ? result.changed : UidSet.empty)
      : slice.subtract(result.modified);
    if (!silent) selected.view.flagsSent(told);
    if (!told.isEmpty) await selected.tellFlags(session, told, fields);
    // RFC 7162 §3.1.3, example 6: the client is spared asking what became of the others.
    if (!result.modified.isEmpty) await selected.tellFlags(session, result.modified, changedFields(session));
    await session.breathe();
  }
  return failed.isEmpty
    ? COMPLETED
    : { code: modified(selected.numbers(failed, uid)), text: 'Conditional STORE failed' };
}

/** What a FETCH line of this STORE holds; a UID command always tells the UID (RFC 9051 §6.4.9). */
function toldFields(session: Session, { uid, silent }: StoreCommand): FetchField[] {
  const fields = changedFields(session).filter(({ field }) => !(silent && field === 'FLAGS'));
  if (uid && !fields.some(({ field }) => field === 'UID')) fields.push({ kind: 'field', field: 'UID' });
  return fields;
}
