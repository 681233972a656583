/** Pages of rows against a list of all of them. */
import { expect, test } from 'bun:test';
import type { NarrowRow } from '../../../src/store/border.ts';
import { readPage } from '../../../src/store/client/page.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import { forSeeds } from '../../imap/seeds.ts';

test('pages of any size hold every row asked for once, in order, whatever is gone or was never there', () => {
  forSeeds(3000, (random) => {
    const last = 1 + random.below(60);
    const [living, expunged, wanted]: [number[], number[], number[]] = [[], [], []];
    const density = 1 + random.below(12);
    for (let uid = 1; uid <= last; uid++) {
      const fate = random.below(4);
      if (fate < 2) living.push(uid);
      else if (fate === 2) expunged.push(uid);
      // Between two reads a message may be expunged: it is in both.
      if (fate === 0 && random.oneIn(8)) expunged.push(uid);
      if (density === 1 ? !random.oneIn(20) : random.oneIn(density)) wanted.push(uid);
    }
    const uids = UidSet.fromSorted(wanted);
    const expected = wanted.filter((uid) => living.includes(uid) || expunged.includes(uid));
    const limit = 1 + random.below(15);
    const found: number[] = [];
    for (let after = 0;;) {
      const rows = readPage<NarrowRow>(
        uids,
        after,
        limit,
        (lo, hi, most, gone) =>
          (gone ? expunged : living).filter((uid) => uid >= lo && uid <= hi).slice(0, most)
            .map((uid): NarrowRow => [uid, 0, 0, 0, 0, 0, 0, 0]),
      );
      found.push(...rows.map((row) => row[0]));
      expect(rows.length).toBeLessThanOrEqual(limit);
      if (rows.length < limit) break;
      after = (rows.at(-1) as NarrowRow)[0];
    }
    expect(found).toEqual(expected);
  });
});

test('a mailbox of which every second message is gone is not read one by one', () => {
  const uids = UidSet.fromSorted(Array.from({ length: 1000 }, (_unused, i) => 2 * i + 1));
  let reads = 0;
  const rows = readPage<NarrowRow>(uids, 0, 500, (lo, hi, most) => {
    reads++;
    return [...uids.clip(lo, hi)].slice(0, most).map((uid): NarrowRow => [uid, 0, 0, 0, 0, 0, 0, 0]);
  });
  expect([rows.length, reads]).toEqual([500, 1]);
});
