/** Quota answers, shared by GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208). */

import type { QuotaRoot } from '../store/border.ts';
import type { Session } from './session.ts';
import { mailboxName } from './write/string.ts';

/** STORAGE counts in units of 1,024 octets (RFC 9208 §5.1). */
export const STORAGE_UNIT = 1024;

/** The name a quota root has for this user. */
export function rootName(session: Session, root: QuotaRoot): string {
  return mailboxName(session.user.names.toExternal(root.root), session.rev2);
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
