import { showRights } from '../../store/rights.ts';
import type { MailboxCommand } from '../parse/command.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import { astring, mailboxName } from '../write/string.ts';

/** GETACL (RFC 4314 §3.3, §3.6). */
export function getAcl(session: Session, command: MailboxCommand): Completion {
  const name = session.mailboxName(command.mailbox);
  let line = `ACL ${mailboxName(session.user.names.toExternal(name), session.rev2)}`;
  for (const { identifier, rights } of session.store.acl(name)) {
    line += ` ${astring(identifier)} ${astring(showRights(rights))}`;
  }
  session.untagged(line);
  return COMPLETED;
}
