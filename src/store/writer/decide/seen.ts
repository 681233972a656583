/** \Seen of users who do not own the mailbox: a set of UIDs each, beside the flags of the owner. */
import type { OwnerIndex } from '../../index/owner.ts';
import { UidSet } from '../../uidset.ts';

/** The seen set of a user who is not the owner. */
export function seenOf(index: OwnerIndex, mailbox: number, userid: string): UidSet {
  const row = index.sql('SELECT uids FROM seen WHERE mailbox = ? AND userid = ?').values(mailbox, userid)[0];
  return row === undefined || row[0] === '' ? UidSet.empty : UidSet.parse(row[0] as string);
}
