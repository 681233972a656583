import { userError } from '../../errors.ts';
import type { CreateCommand } from '../parse/command.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';

/** Uses a mailbox can be created for (RFC 6154 §2, draft-ietf-extra-sieve-snooze). \All and \Flagged would be virtual mailboxes, which are not there. */
const SPECIAL_USES: ReadonlyMap<string, string> = new Map(
  ['\\Archive', '\\Drafts', '\\Junk', '\\Sent', '\\Snoozed', '\\Trash'].map((
    use,
  ) => [use.toLowerCase(), use]),
);

/**
 * CREATE (RFC 9051 §6.3.4), with special use (RFC 6154 §3). A trailing separator only announces that names below
 * are going to follow; missing levels above come into being with it.
 */
export async function create(session: Session, command: CreateCommand): Promise<Completion> {
  const { separator } = session.user.names;
  const external = command.mailbox.endsWith(separator) ? command.mailbox.slice(0, -1) : command.mailbox;
  const uses = command.use.map((use) => {
    const known = SPECIAL_USES.get(use.toLowerCase());
    if (known === undefined) throw userError('useattr', 'this special use is not supported');
    return known;
  });
  await session.store.create(session.mailboxName(external), uses);
  return COMPLETED;
}
