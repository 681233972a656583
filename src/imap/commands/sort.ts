/** SORT and UID SORT (RFC 5256 §3). */

import type { SortCommand } from '../parse/command.ts';
import { find, highestModseq, planSearch } from '../search/find.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import type { SortKey } from '../sort/criterion.ts';
import { SortTable } from '../sort/order.ts';
import { SORT_COLUMNS, StoredSortMessage } from '../sort/stored.ts';
import { inTurns } from '../turns.ts';
import { sort as sortLine } from '../write/sort.ts';

/** Rows taken at a time; wide ones bring their envelopes. */
const NARROW_SLICE = 2000;
const WIDE_SLICE = 500;

/** Keys that stand in columns of their own. */
const NARROW: ReadonlySet<SortKey> = new Set(['ARRIVAL', 'SIZE']);

/** SORT: the messages found, in order. The client's numbering does not change meanwhile. */
export async function sort(session: Session, command: SortCommand): Promise<Completion> {
  const selected = session.mailbox;
  const { mailbox } = selected;
  const plan = planSearch(session, selected, command.key);
  const found = await find(session, selected, plan);
  const narrow = command.criteria.every(({ key }) => NARROW.has(key));
  const limit = narrow ? NARROW_SLICE : WIDE_SLICE;
  const table = new SortTable(command.criteria);
  let after = 0;
  while (!session.closed) {
    const rows = narrow
      ? mailbox.narrow(found.uids, after, limit)
      : mailbox.wide(found.uids, after, limit, SORT_COLUMNS);
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
