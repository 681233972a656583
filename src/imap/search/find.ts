/** The messages of the selected mailbox that a search key means: what SEARCH, SORT and THREAD begin with. */

import { asMailError } from '../../errors.ts';
import type { NarrowRow, WideRow } from '../../store/border.ts';
import { UidSet } from '../../store/uidset.ts';
import { findFlagged } from '../flagged.ts';
import type { Selected } from '../selected.ts';
import type { Session } from '../session.ts';
import { localZone } from '../zone.ts';
import { compileSearch, type SearchPlan } from './evaluate.ts';
import type { SearchKey } from './key.ts';
import { searchColumns, StoredMessage } from './stored.ts';

/** Rows taken at a time, by what they cost. */
const ROW_SLICE = 2000;
const WIDE_SLICE = 500;

export interface Found {
  readonly uids: UidSet;
  /** Of each message found; empty unless the search asks for MODSEQ. */
  readonly modseqs: ReadonlyMap<number, number>;
}

/** Compiles a key for the mailbox and connection it was given in. A MODSEQ key enables CONDSTORE (RFC 7162 §3.1). */
export function planSearch(session: Session, selected: Selected, key: SearchKey): SearchPlan {
  const { view, mailbox } = selected;
  const plan = compileSearch(key, {
    uids: view.uids,
    lastUid: view.uids.max || mailbox.snapshot.uidnext,
    recent: view.recent,
    saved: selected.saved,
    keywords: mailbox.keywords,
    zone: localZone,
  });
  if (plan.modseq) session.enableCondstore();
  return plan;
}

/** The messages that match, by index where that suffices, else slice by slice; stops when the client is gone. */
export async function find(session: Session, selected: Selected, plan: SearchPlan): Promise<Found> {
  const { mailbox, view } = selected;
  const { all, none, test, need } = plan;
  const modseqs = new Map<number, number>();
  let uids = plan.candidates.intersect(view.present);
  if (all.lo !== 0 || all.hi !== 0 || none.lo !== 0 || none.hi !== 0) {
    uids = await findFlagged(session, selected, uids, all, none);
  }
  if (test === null) return { uids, modseqs };
  const columns = searchColumns(need);
  const limit = columns.length > 0 ? WIDE_SLICE : ROW_SLICE;
  const matching: number[] = [];
  let after = 0;
  while (!session.closed) {
    const rows: (NarrowRow | WideRow)[] = columns.length > 0
      ? mailbox.wide(uids, after, limit, columns)
      : mailbox.narrow(uids, after, limit);
    for (const row of rows) {
      const message = new StoredMessage(mailbox, row);
      try {
        if (test(message)) {
          matching.push(message.uid);
          if (plan.modseq) modseqs.set(message.uid, message.modseq);
        }
      } catch (thrown) {
        // Expunged so long ago that its file is gone: it matches nothing.
        if (asMailError(thrown).code !== 'nonexistent') throw thrown;
      } finally {
        message.close();
      }
      if (columns.length > 0 && session.due) {
        await session.breathe();
        if (session.closed) break;
      }
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) break;
    after = last[0];
    if (session.due) await session.breathe();
  }
  return { uids: UidSet.fromSorted(matching), modseqs };
}

/** The highest modseq of the messages found; 0 if there are none (RFC 7162 §3.1.5). */
export function highestModseq({ modseqs }: Found): number {
  let top = 0;
  for (const modseq of modseqs.values()) top = Math.max(top, modseq);
  return top;
}
