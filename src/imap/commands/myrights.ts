import { showRights } from '../../store/rights.ts';
import type { MailboxCommand } from '../parse/command.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import { astring, mailboxName } from '../write/string.ts';

/** MYRIGHTS (RFC 4314 §3.5). */
export function myRights(session: Session, command: MailboxCommand): Completion {
  const name = session.mailboxName(command.mailbox);
  const { rights } = session.store.info(name);
  const mailbox = mailboxName(session.user.names.toExternal(name), session.rev2);
  session.untagged(`MYRIGHTS ${mailbox} ${astring(showRights(rights))}`);
  return COMPLETED;
}
