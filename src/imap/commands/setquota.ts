import { userError } from '../../errors.ts';
import type { SetQuotaCommand } from '../parse/command.ts';
import { STORAGE_UNIT, tellQuota } from '../quota.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';

/**
 * SETQUOTA (RFC 9208 §4.1.3): the list replaces all limits of the root; a resource that is not named has none. What the
 * server does not know it refuses rather than drops.
 */
export async function setQuota(session: Session, command: SetQuotaCommand): Promise<Completion> {
  const root = session.mailboxName(command.root);
  let storage: number | null = null;
  let messages: number | null = null;
  for (const { resource, limit } of command.limits) {
    if (resource === 'STORAGE') storage = limit * STORAGE_UNIT;
    else if (resource === 'MESSAGE') messages = limit;
    else throw userError('cannot', 'only the resources STORAGE and MESSAGE can be limited');
  }
  await session.store.setQuota(root, { storage, messages });
  tellQuota(session, session.store.quota(root));
  return COMPLETED;
}
