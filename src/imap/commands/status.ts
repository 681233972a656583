import { userError } from '../../errors.ts';
import type { StatusCommand } from '../parse/command.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import { tellStatus } from '../statusitems.ts';

/** STATUS (RFC 9051 §6.3.11), of the selected mailbox too. Needs the right to read (RFC 4314 §4). */
export async function status(session: Session, command: StatusCommand): Promise<Completion> {
  const name = session.mailboxName(command.mailbox);
  const info = session.store.info(name);
  if (!info.selectable) {
    throw userError('nonexistent', 'This name holds no messages, only mailboxes below it');
  }
  if (!info.rights.includes('r')) throw userError('noperm', 'Permission denied');
  await tellStatus(session, session.user.names.toExternal(name), info, command.items);
  return COMPLETED;
}
