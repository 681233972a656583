import type { CopyResult } from '../../store/border.ts';
import type { CopyCommand } from '../parse/command.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import { copyUid } from '../write/code.ts';
import { refuseReadOnly } from './expunge.ts';
import { tryCreate } from './trycreate.ts';

/**
 * MOVE and UID MOVE (RFC 9051 §6.4.8, RFC 6851): one change of the store, so no message is ever in both mailboxes or
 * in neither. COPYUID comes in an untagged OK before the EXPUNGE lines that the end of the command sends.
 */
export async function move(session: Session, command: CopyCommand): Promise<Completion> {
  const selected = session.mailbox;
  refuseReadOnly(selected);
  const uids = selected.resolve(command.set, command.uid);
  const destination = session.mailboxName(command.mailbox);
  let moved: CopyResult;
  try {
    moved = await selected.mailbox.move(uids, destination);
  } catch (thrown) {
    throw tryCreate(thrown);
  }
  if (moved.source.isEmpty) return COMPLETED;
  session.happened('COPY', destination, moved.destination);
  session.untagged(`OK [${copyUid(moved.uidvalidity, moved.source, moved.destination)}] Completed`);
  selected.view.expunged(moved.source);
  return COMPLETED;
}
