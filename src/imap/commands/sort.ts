/** SORT and UID SORT (RFC 5256 §3). */

import type { Mailbox, NarrowRow, WideRow } from '../../store/border.ts';
import type { UidSet } from '../../store/uidset.ts';
import type { SortCommand } from '../parse/command.ts';
import { find, highestModseq, planSearch } from '../search/find.ts';
import { COMPLETED, type Completion, type Session } from '../session.ts';
import type { SortCriterion } from '../sort/criterion.ts';
import { numericOrder, SortTable } from '../sort/order.ts';
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
  const order = byDate(command.criteria)
    ? await datesInOrder(session, mailbox, found.uids, command.criteria)
    : await inOrder(session, mailbox, found.uids, command.criteria);
  if (order === undefined) return COMPLETED;
  // What another process expunged meanwhile is known to be gone when the tag is answered.
  mailbox.refresh();
  const numbers = selected.numbersInOrder(order, command.uid);
  session.write(sortLine(numbers, plan.modseq ? highestModseq(found) : null));
  return COMPLETED;
}

/** Nothing but the date is asked for, which is kept. */
function byDate(criteria: readonly SortCriterion[]): boolean {
  return criteria.every(({ key }) => key === 'DATE');
}

/** The messages by their dates. Undefined when the client is gone. */
async function datesInOrder(
  session: Session,
  mailbox: Mailbox,
  uids: UidSet,
  criteria: readonly SortCriterion[],
): Promise<number[] | undefined> {
  const known: number[] = [];
  const dates: number[] = [];
  await session.deps.facts.sent.each(session, mailbox, uids, (uid, sent) => {
    known.push(uid);
    dates.push(sent);
  });
  const order = await inTurns(session, numericOrder(dates, criteria[0]?.reverse === true ? -1 : 1));
  return order?.map((index) => known[index] as number);
}

/** The messages by criteria of all kinds. Undefined when the client is gone. */
async function inOrder(
  session: Session,
  mailbox: Mailbox,
  uids: UidSet,
  criteria: readonly SortCriterion[],
): Promise<number[] | undefined> {
  const columns = sortColumns(criteria);
  const limit = columns.includes('envelope') ? WIDE_SLICE : NARROW_SLICE;
  const table = new SortTable(criteria);
  let after = 0;
  while (!session.closed) {
    const rows: (NarrowRow | WideRow)[] = columns.length === 0
      ? mailbox.narrow(uids, after, limit)
      : mailbox.wide(uids, after, limit, columns);
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
  return await inTurns(session, table.order());
}
