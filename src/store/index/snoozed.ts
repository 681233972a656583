/**
 * Messages that sleep until a moment. What is to become of one stands beside it as an annotation of the message, in the index of its
 * owner: it goes with the message, whoever moves or removes it, and a copy has none.
 */
import { serverError } from '../../errors.ts';
import type { SnoozeEvent, Waking } from '../log/events.ts';
import { UidSet } from '../uidset.ts';
import type { OwnerIndex } from './owner.ts';

/** Its name: no client sees annotations of messages. */
const ENTRY = '/vendor/mailstore/snoozed';

/** The special use of mailboxes where messages sleep. */
export const SNOOZED = '\\Snoozed';

/** A message that sleeps. */
export interface Sleeper extends Waking {
  readonly mailbox: number;
  readonly uid: number;
}

/** Applies the event inside the open transaction. */
export function applySnooze(index: OwnerIndex, { mb, uid, q, wake }: SnoozeEvent): void {
  const row = index.mailboxes.get(mb);
  if (row === undefined) throw serverError(`${index.path}: the log names mailbox ${mb}, which is not there`);
  index.remove('annotation', "mailbox = ? AND uid = ? AND entry = ? AND userid = ''", mb, uid, ENTRY);
  if (wake !== null) index.insert('annotation', [mb, uid, ENTRY, '', Buffer.from(JSON.stringify(wake)), q]);
  index.raiseModseq(null, q);
}

/** Forgets what is said of messages that leave their mailbox, inside the open transaction. */
export function forgetSleepers(index: OwnerIndex, mailbox: number, uids: string): void {
  if (index.rows('annotation') === 0) return;
  UidSet.parse(uids).forEachRun((lo, hi) => {
    index.remove('annotation', 'mailbox = ? AND uid BETWEEN ? AND ?', mailbox, lo, hi);
  });
}

/** How many messages of an owner sleep, also those in deleted mailboxes. */
export function sleeperCount(index: OwnerIndex): number {
  if (index.rows('annotation') === 0) return 0;
  let count = 0;
  for (const { id, specialUse } of index.mailboxes.values()) {
    if (!specialUse.includes(SNOOZED)) continue;
    count += index.sql('SELECT count(*) FROM annotation WHERE mailbox = ? AND uid > 0')
      .values(id)[0]?.[0] as number;
  }
  return count;
}

/** The messages that sleep, those that wake first in front; none of deleted mailboxes, which nobody sees. */
export function sleepers(index: OwnerIndex): Sleeper[] {
  if (index.rows('annotation') === 0) return [];
  const found: Sleeper[] = [];
  for (const { id, deletedat, specialUse } of index.mailboxes.values()) {
    if (deletedat !== null || !specialUse.includes(SNOOZED)) continue;
    for (const row of index.intact('annotation', 'WHERE mailbox = ? AND uid > 0 AND entry = ?', id, ENTRY)) {
      const wake = JSON.parse(Buffer.from(row[4] as Uint8Array).toString('utf8')) as Waking;
      found.push({ ...wake, mailbox: id, uid: row[1] as number });
    }
  }
  return found.sort((a, b) => a.until - b.until || a.mailbox - b.mailbox || a.uid - b.uid);
}
