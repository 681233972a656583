import { changeRights } from '../../store/rights.ts';
import { canonicalIdentifier } from '../identifier.ts';
import type { AclIdentifierCommand, SetAclCommand } from '../parse/command.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';

const SIGN = { replace: '', add: '+', remove: '-' } as const;

/** SETACL (RFC 4314 §3.1). `+` and `-` change what the identifier has; nothing left removes the entry. */
export async function setAcl(session: Session, command: SetAclCommand): Promise<Completion> {
  const identifier = canonicalIdentifier(session, command.identifier);
  const change = SIGN[command.mode] + command.rights;
  // Letters that are no rights are BAD, whatever the mailbox.
  changeRights('', change);
  const name = session.mailboxName(command.mailbox);
  const entry = session.store.acl(name).find((known) => known.identifier === identifier);
  const rights = changeRights(entry?.rights ?? '', change);
  await session.store.setAcl(name, identifier, rights === '' ? null : rights);
  return COMPLETED;
}

/** DELETEACL (RFC 4314 §3.2). */
export async function deleteAcl(session: Session, command: AclIdentifierCommand): Promise<Completion> {
  const identifier = canonicalIdentifier(session, command.identifier);
  await session.store.setAcl(session.mailboxName(command.mailbox), identifier, null);
  return COMPLETED;
}
