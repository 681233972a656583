import type { CopyCommand } from '../parse/command.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import { copyUid } from '../write/code.ts';
import { tryCreate } from './trycreate.ts';

/** COPY and UID COPY (RFC 9051 §6.4.7, RFC 4315 §3): all of them or none, one change of the store. */
export async function copy(session: Session, command: CopyCommand): Promise<Completion> {
  const selected = session.mailbox;
  const uids = selected.resolve(command.set, command.uid);
  const destination = session.mailboxName(command.mailbox);
  try {
    const { uidvalidity, source, destination: copies } = await selected.mailbox.copy(uids, destination);
    session.happened('COPY', destination, copies);
    // RFC 4315 §3: no COPYUID where nothing was copied.
    return source.isEmpty ? COMPLETED : { code: copyUid(uidvalidity, source, copies) };
  } catch (thrown) {
    throw tryCreate(thrown);
  }
}
