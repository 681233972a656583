import type { GetQuotaCommand, MailboxCommand } from '../parse/command.ts';
import { rootName, tellQuota } from '../quota.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import { mailboxName } from '../write/string.ts';

/** GETQUOTA (RFC 9208 §4.1.1). */
export function getQuota(session: Session, command: GetQuotaCommand): Completion {
  tellQuota(session, session.store.quota(session.mailboxName(command.root)));
  return COMPLETED;
}

/** GETQUOTAROOT (RFC 9208 §4.1.2): the roots of a mailbox, then each of them. */
export function getQuotaRoot(session: Session, command: MailboxCommand): Completion {
  const name = session.mailboxName(command.mailbox);
  const roots = session.store.quotaRoots(name);
  const names = [
    mailboxName(session.user.names.toExternal(name), session.rev2),
    ...roots.map((root) => rootName(session, root)),
  ];
  session.untagged(`QUOTAROOT ${names.join(' ')}`);
  for (const root of roots) tellQuota(session, root);
  return COMPLETED;
}
