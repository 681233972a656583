/** The expiry run (cyr_expire): expunged messages, deleted mailboxes and old duplicate entries go for good. */
import type { OwnerRow } from '../../index/directory.ts';
import type { OwnerIndex } from '../../index/owner.ts';
import { UidSet } from '../../uidset.ts';
import type { Context } from '../context.ts';
import type { Change } from '../requests.ts';
import { step } from '../../step.ts';

type Expire = Extract<Change, { op: 'expire' }>;

/** Messages removed by one request: the work of about 20 ms (DESIGN rule 15). */
const SLICE = 5000;

export interface Expired {
  messages: number;
  mailboxes: number;
  /** True when there may be more: ask again. */
  more: boolean;
}

/**
 * Decides one slice for one owner. Rows go in the record; files are handed to `unlink` after the commit, and again
 * after a replay.
 */
export function decideExpire(
  context: Context,
  change: Expire,
  unlink: (owner: OwnerRow, files: [string, string][]) => void,
): Expired {
  const index = context.indexById(change.owner);
  const rows = index.sql(
    'SELECT mailbox, uid, part FROM expunged WHERE expungedat < ? ORDER BY mailbox, uid LIMIT ?',
  ).values(change.expungedBefore, SLICE) as [number, number, number][];
  const mailboxes = [...index.mailboxes.values()].filter((row) =>
    row.deletedat !== null && row.deletedat < change.deletedBefore
  ).map((row) => row.id);
  const old = index.sql('SELECT 1 FROM delivered WHERE at < ? LIMIT 1').get(change.deliveredBefore) !== null;
  if (rows.length === 0 && mailboxes.length === 0 && !old) return { messages: 0, mailboxes: 0, more: false };

  const gone = new Set(mailboxes);
  const candidates = new Set(rows.map((row) => row[2]));
  for (const id of mailboxes) {
    for (const table of ['msg', 'expunged']) {
      for (
        const [part] of index.sql(`SELECT part FROM ${table} WHERE mailbox = ?`).values(id) as [number][]
      ) {
        candidates.add(part);
      }
    }
  }
  const byMailbox = new Map<number, number[]>();
  for (const [mailbox, uid] of rows) {
    const list = byMailbox.get(mailbox);
    if (list === undefined) byMailbox.set(mailbox, [uid]);
    else list.push(uid);
  }
  const expunged = [...byMailbox].map((
    [mailbox, uids],
  ): [number, UidSet] => [mailbox, UidSet.fromSorted(uids)]);
  keepReferenced(index, candidates, gone, new Map(expunged));
  const parts = [...candidates].sort((a, b) => a - b);
  const files: [string, string][] = [];
  for (const part of parts) {
    const row = index.sql('SELECT partition, file FROM part WHERE id = ?').values(part)[0];
    if (row !== undefined) files.push(row as [string, string]);
  }
  context.emit(index, {
    k: 'purge',
    expunged: expunged.map(([mailbox, uids]) => [mailbox, uids.toString()]),
    mailboxes,
    parts,
    files,
    delivered: change.deliveredBefore,
  });
  step('expire.slice');
  const owner = context.state.owners.ownerOf(index);
  if (files.length > 0) context.afterCommit.push(() => unlink(owner, files));
  return { messages: rows.length, mailboxes: mailboxes.length, more: rows.length === SLICE };
}

/** Takes out of `candidates` every part that a row which stays still points at. */
function keepReferenced(
  index: OwnerIndex,
  candidates: Set<number>,
  goneMailboxes: ReadonlySet<number>,
  goneRows: ReadonlyMap<number, UidSet>,
): void {
  if (candidates.size === 0) return;
  for (const table of ['msg', 'expunged']) {
    for (
      const [mailbox, uid, part] of index.sql(`SELECT mailbox, uid, part FROM ${table}`).values() as [
        number,
        number,
        number,
      ][]
    ) {
      if (!candidates.has(part) || goneMailboxes.has(mailbox)) continue;
      if (table === 'expunged' && goneRows.get(mailbox)?.has(uid)) continue;
      candidates.delete(part);
      if (candidates.size === 0) return;
    }
  }
}
