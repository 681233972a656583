/** \Seen of users who do not own the mailbox: a set of UIDs each, beside the flags of the owner. */
import type { OwnerIndex } from '../../index/owner.ts';
import { UidSet } from '../../uidset.ts';

/** The seen set of a user who is not the owner. */
export function seenOf(index: OwnerIndex, mailbox: number, userid: string): UidSet {
  const uids = index.seen(mailbox, userid)?.uids ?? '';
  return uids === '' ? UidSet.empty : UidSet.parse(uids);
}
