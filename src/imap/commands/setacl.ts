import { canonicalIdentifier } from '../identifier.ts';
import type { AclIdentifierCommand, SetAclCommand } from '../parse/command.ts';
import { readRights } from '../rights.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';

/** SETACL (RFC 4314 §3.1). `+` and `-` change what the identifier has; nothing left removes the entry. */
export async function setAcl(session: Session, command: SetAclCommand): Promise<Completion> {
  const identifier = canonicalIdentifier(session, command.identifier);
  const rights = readRights(command.rights);
  const name = session.mailboxName(command.mailbox);
  let wanted = rights;
  if (command.mode !== 'replace') {
    const entry = session.store.acl(name).find((known) => known.identifier === identifier);
    const had = entry?.rights ?? '';
    wanted = command.mode === 'add'
      ? readRights(had + rights)
      : [...had].filter((right) => !rights.includes(right)).join('');
  }
  await session.store.setAcl(name, identifier, wanted === '' ? null : wanted);
  return COMPLETED;
}

/** DELETEACL (RFC 4314 §3.2). */
export async function deleteAcl(session: Session, command: AclIdentifierCommand): Promise<Completion> {
  const identifier = canonicalIdentifier(session, command.identifier);
  await session.store.setAcl(session.mailboxName(command.mailbox), identifier, null);
  return COMPLETED;
}
