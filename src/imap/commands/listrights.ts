import { listRights as rightsOf } from '../../store/rights.ts';
import { canonicalIdentifier } from '../identifier.ts';
import type { AclIdentifierCommand } from '../parse/command.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import { astring, mailboxName } from '../write/string.ts';

/** LISTRIGHTS (RFC 4314 §3.4, §3.7). Asking needs the right to administer, as GETACL does. */
export function listRights(session: Session, command: AclIdentifierCommand): Completion {
  const identifier = canonicalIdentifier(session, command.identifier);
  const name = session.mailboxName(command.mailbox);
  // Throws where the caller may not administer, or may not even know of the mailbox.
  session.store.acl(name);
  const { required, optional } = rightsOf(identifier, name.owner);
  const mailbox = mailboxName(session.user.names.toExternal(name), session.rev2);
  // The identifier as the client wrote it, so that it finds its question.
  const words = [mailbox, astring(command.identifier), astring(required), ...optional];
  session.untagged(`LISTRIGHTS ${words.join(' ')}`);
  return COMPLETED;
}
