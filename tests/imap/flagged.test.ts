/** Finding messages by flags: in one turn or in slices, the same are found. */

import { expect, test } from 'bun:test';
import { findFlagged } from '../../src/imap/flagged.ts';
import type { Selected, Speaker } from '../../src/imap/selected.ts';
import type { NarrowRow } from '../../src/store/border.ts';
import type { FlagBits } from '../../src/store/flags.ts';
import { UidSet } from '../../src/store/uidset.ts';
import { Random } from '../harness/random.ts';

for (const count of [1000, 70_000]) {
  test(`the model and findFlagged agree over ${count} messages`, async () => {
    const random = new Random(count);
    const rows: NarrowRow[] = Array.from(
      { length: count },
      (_, i) => [2 * i + 1, random.below(64), random.below(4), 1, 1, 1, 1, 1],
    );
    const matching = (all: FlagBits, none: FlagBits) =>
      rows.filter(([, lo, hi]) =>
        (lo & all.lo) === all.lo && (hi & all.hi) === all.hi && !(lo & none.lo) && !(hi & none.hi)
      ).map(([uid]) => uid);
    const mailbox = {
      withFlags: (all: FlagBits, none: FlagBits) => UidSet.fromSorted(matching(all, none)),
      narrow: (uids: UidSet, after: number, limit: number) =>
        rows.slice((after + 1) >> 1).filter(([uid]) => uids.has(uid)).slice(0, limit),
    };
    let breaths = 0;
    const session = { closed: false, breathe: () => Promise.resolve(void breaths++) };
    const candidates = UidSet.range(1, 2 * count).subtract(UidSet.range(101, 201));
    for (
      const [all, none] of [[{ lo: 8, hi: 0 }, { lo: 1, hi: 2 }], [{ lo: 0, hi: 1 }, {
        lo: 16,
        hi: 0,
      }]] as const
    ) {
      const found = await findFlagged(
        session as Partial<Speaker> as Speaker,
        { mailbox } as Partial<Selected> as Selected,
        candidates,
        all,
        none,
      );
      expect([...found]).toEqual(matching(all, none).filter((uid) => candidates.has(uid)));
    }
    expect(breaths > 0).toBe(count > 30_000);
  });
}
