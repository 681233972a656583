/** A quota root as the border shows it. */
import type { QuotaRoot } from '../border.ts';
import type { QuotaRow } from '../index/rows.ts';

/** The row of an owner's quota root with the name it has outside the index. */
export function quotaOf(owner: string, quota: QuotaRow): QuotaRoot {
  return {
    root: { owner, path: quota.path },
    storageUsed: quota.storage,
    storageLimit: quota.storageLimit,
    messagesUsed: quota.messages,
    messagesLimit: quota.messageLimit,
  };
}
