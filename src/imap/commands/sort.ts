/** SORT and UID SORT (RFC 5256 §3). */

import type { NarrowRow, WideRow } from '../../store/border.ts';
import type { SortCommand } from '../parse/command.ts';
import { find, highestModseq, planSearch } from '../search/find.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import { SortTable } from '../sort/order.ts';
import { sortColumns, StoredSortMessage } from '../sort/stored.ts';
import { inTurns } from '../turns.ts';
import { sort as sortLine } from '../write/sort.ts';

/** Rows taken at a time; wide ones bring their envelopes. */
const NARROW_SLICE = 2000;
const WIDE_SLICE = 500;

/** SORT: the messages found, in order. The client's numbering does not change meanwhile. */
export async function sort(session: Session, command: SortCommand): Promise<Completion> {
  const selected = session.mailbox;
  const { mailbox } = selected;
  const plan = planSearch(session, selected, command.key);
  const found = await find(session, selected, plan);
  const columns = sortColumns(command.criteria);
  const limit = columns.includes('envelope') ? WIDE_SLICE : NARROW_SLICE;
  const table = new SortTable(command.criteria);
  let after = 0;
  while (!session.closed) {
    const rows: (NarrowRow | WideRow)[] = columns.length === 0
      ? mailbox.narrow(found.uids, after, limit)
      : mailbox.wide(found.uids, after, limit, columns);
    for (const row of rows) {
      table.add(new StoredSortMessage(row));
      if (!session.due) continue;
      await session.breathe();
      if (session.closed) break;
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) break;
    after = last[0];
  }
  const order = await inTurns(session, table.order());
  if (order === undefined) return COMPLETED;
  // What another process expunged meanwhile is known to be gone when the tag is answered.
  mailbox.refresh();
  const numbers = selected.numbersInOrder(order, command.uid);
  session.write(sortLine(numbers, plan.modseq ? highestModseq(found) : null));
  return COMPLETED;
}
