/** Quota answers, shared by GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208). */

import type { Mailbox, QuotaRoot } from '../store/border.ts';
import type { Session } from './session.ts';
import { mailboxName } from './write/string.ts';

/** STORAGE counts in units of 1,024 octets (RFC 9208 §5.1). */
export const STORAGE_UNIT = 1024;

/** The name a quota root has for this user. */
export function rootName(session: Session, root: QuotaRoot): string {
  return mailboxName(session.user.names.toExternal(root.root), session.rev2);
}

/**
 * What `quotawarn` has to say about a selected mailbox: null while it is filled below that percentage. An alert, because
 * clients must show it (RFC 9051 §7.1).
 */
export function quotaWarning(session: Session, mailbox: Mailbox): string | null {
  const { quotawarn } = session.settings;
  // Percentages are about the mailbox's owner; whoever may not see the quota is not told.
  if (quotawarn === 0 || mailbox.name.owner !== session.user.identity.userid) return null;
  const filled = mailbox.quotaRoots().map((root) =>
    Math.max(
      root.storageLimit === null ? 0 : percent(root.storageUsed, root.storageLimit),
      root.messagesLimit === null ? 0 : percent(root.messagesUsed, root.messagesLimit),
    )
  );
  const highest = Math.max(0, ...filled);
  if (highest < quotawarn) return null;
  return highest < 100 ? `Mailbox is at ${highest}% of quota` : 'Mailbox is over quota';
}

function percent(used: number, limit: number): number {
  return limit === 0 ? 100 : Math.floor(used * 100 / limit);
}

/** `* QUOTA root (...)` with the resources that have a limit; one without any is `()` (RFC 9208 §4.2.1). */
export function tellQuota(session: Session, root: QuotaRoot): void {
  const resources: string[] = [];
  if (root.storageLimit !== null) {
    const used = Math.ceil(root.storageUsed / STORAGE_UNIT);
    resources.push(`STORAGE ${used} ${Math.floor(root.storageLimit / STORAGE_UNIT)}`);
  }
  if (root.messagesLimit !== null) resources.push(`MESSAGE ${root.messagesUsed} ${root.messagesLimit}`);
  session.untagged(`QUOTA ${rootName(session, root)} (${resources.join(' ')})`);
}
