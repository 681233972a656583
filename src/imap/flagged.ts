/** Messages by their flags without holding up other connections, however large the mailbox is. */

import type { FlagBits } from '../store/flags.ts';
import { UidSet } from '../store/uidset.ts';
import type { Selected, Speaker } from './selected.ts';

/** Up to here the store's own scan is quick enough for one turn; it has an index for what is not \Seen. */
const ONE_TURN = 30_000;

/** Rows looked at between two breaths. */
const SLICE = 2000;

const SEEN_ONLY = 16;

/** Those of `candidates` that have all flags of `all` and none of `none`; stops early when the session is closed. */
export async function findFlagged(
  session: Speaker,
  selected: Selected,
  candidates: UidSet,
  all: FlagBits,
  none: FlagBits,
): Promise<UidSet> {
  const { mailbox } = selected;
  const indexed = all.lo === 0 && all.hi === 0 && none.lo === SEEN_ONLY && none.hi === 0;
  if (indexed || candidates.size <= ONE_TURN) return candidates.intersect(mailbox.withFlags(all, none));
  const found: number[] = [];
  let after = 0;
  while (!session.closed) {
    const rows = mailbox.narrow(candidates, after, SLICE);
    for (const [uid, lo, hi] of rows) {
      if (((lo & all.lo) >>> 0) !== all.lo || ((hi & all.hi) >>> 0) !== all.hi) continue;
      if ((lo & none.lo) === 0 && (hi & none.hi) === 0) found.push(uid);
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < SLICE) break;
    after = last[0];
    await session.breathe();
  }
  return UidSet.fromSorted(found);
}
