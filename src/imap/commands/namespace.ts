import type { NamespacePrefix } from '../../store/names.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import { quotedMailboxName } from '../write/string.ts';

/** NAMESPACE (RFC 9051 §6.3.10, RFC 2342 §5): personal, other users', shared. */
export function namespace(session: Session): Completion {
  const { personal, otherUsers, shared } = session.user.names;
  const render = (entry: NamespacePrefix) =>
    `((${quotedMailboxName(entry.prefix, session.rev2)} "${entry.separator}"))`;
  session.untagged(`NAMESPACE ${render(personal)} ${render(otherUsers)} ${render(shared)}`);
  return COMPLETED;
}
