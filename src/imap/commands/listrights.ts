import { canonicalIdentifier } from '../identifier.ts';
import type { AclIdentifierCommand } from '../parse/command.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import { astring, mailboxName } from '../write/string.ts';

/** What an owner cannot lose, and what anyone can be given one by one (RFC 4314 §3.7, §2.1.1 for c and d). */
const OWNER_ALWAYS = 'lkxca';
const GRANTABLE = ['l', 'r', 's', 'w', 'i', 'p', 'k', 'x', 't', 'e', 'a', 'c', 'd'];

/** LISTRIGHTS (RFC 4314 §3.4). Asking needs the right to administer, as GETACL does. */
export function listRights(session: Session, command: AclIdentifierCommand): Completion {
  const identifier = canonicalIdentifier(session, command.identifier);
  const name = session.mailboxName(command.mailbox);
  // Throws where the caller may not administer, or may not even know of the mailbox.
  session.store.acl(name);
  const always = name.owner !== '' && identifier === name.owner ? OWNER_ALWAYS : '';
  const optional = GRANTABLE.filter((right) => !always.includes(right)).join(' ');
  const mailbox = mailboxName(session.user.names.toExternal(name), session.rev2);
  const who = astring(command.identifier);
  session.untagged(`LISTRIGHTS ${mailbox} ${who} ${astring(always)} ${optional}`);
  return COMPLETED;
}
