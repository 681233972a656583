/** UIDs of mailboxes with gaps that a process keeps: they are those of the mailbox, whatever happened since they were read. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { limits } from '../../../src/limits.ts';
import { MailboxUids } from '../../../src/store/client/uids.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import { OwnerReader } from '../../../src/store/index/reader.ts';
import type { MailboxRow } from '../../../src/store/index/rows.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import { Random } from '../../harness/random.ts';
import { inbox, message, TestFolders, TestStore } from '../teststore.ts';

let folders: TestFolders;
let t: TestStore;

beforeEach(() => {
  folders = new TestFolders();
  t = new TestStore(folders);
});
afterEach(async () => {
  await t.close();
  folders.remove();
});

test('kept sets follow arrivals, expunges and expiry', async () => {
  await t.deliver(message(0), 'anna');
  const reader = new OwnerReader(layoutOf(folders.settings).index('a/user/anna'));
  const known = new MailboxUids();
  const model = new Set([1]);
  const handle = await t.as('anna').select(inbox('anna'), false, () => {});
  const random = new Random(3);
  let uidnext = 2;
  for (let round = 0; round < 60; round++) {
    for (let n = random.below(4); n > 0; n--) {
      await t.deliver(message(uidnext), 'anna');
      model.add(uidnext++);
    }
    const going = [...model].filter(() => random.oneIn(6));
    if (going.length > 0 && random.oneIn(2)) {
      await handle.store(UidSet.of(...going), 'add', ['\\Deleted']);
      await handle.expunge(UidSet.of(...going));
      for (const uid of going) model.delete(uid);
    } else if (going.length > 0) await handle.store(UidSet.of(...going), 'add', ['\\Flagged']);
    if (random.oneIn(10)) await t.store.admin.expire({ expungeDays: 0, deleteDays: 0 });
    if (random.oneIn(3)) continue;
    const row = reader.mailbox('') as MailboxRow;
    if (random.oneIn(4)) await known.prepare(1, () => reader, row);
    const expected = UidSet.fromSorted([...model].sort((a, b) => a - b));
    expect(known.of(1, reader, row).toString()).toBe(expected.toString());
    // Nothing happened: nothing is read.
    if (expected.size < expected.max) expect(known.of(1, reader, row)).toBe(known.of(1, reader, row));
  }
  reader.close();
});

/** A mailbox of which nothing is stored but its UIDs. */
function fake(uids: () => UidSet): OwnerReader {
  return {
    uidRuns: (_mailbox: number, after: number, limit: number, runs: number[]) => {
      const next = uids().clip(after + 1, 0xffffffff).slice(1, limit);
      next.forEachRun((lo, hi) => runs.push(lo, hi));
      return next.size < limit ? -1 : next.max;
    },
    expungedSince: () => UidSet.of(3),
  } as unknown as OwnerReader;
}

function rowOf(uids: UidSet, id = 1): MailboxRow {
  return { id, messages: uids.size, uidnext: uids.max + 1, uidvalidity: 1, highestmodseq: 5 } as MailboxRow;
}

test('a large mailbox is read in turns; what goes meanwhile is still in the state that was asked for', async () => {
  const before = UidSet.fromSorted(Array.from({ length: 60_000 }, (_unused, i) => 2 * i + 1));
  let now = before;
  const known = new MailboxUids();
  const preparing = known.prepare(1, () => fake(() => now), rowOf(before));
  now = before.subtract(UidSet.of(3)).add(200_001, 200_005);
  await preparing;
  expect(known.of(1, fake(() => UidSet.empty), rowOf(before)).equals(before)).toBe(true);
});

test('what is kept of many mailboxes is bounded', () => {
  const known = new MailboxUids();
  const uids = UidSet.fromRuns(Array.from({ length: 400_000 }, (_unused, i) => 2 * (i >> 1) * 2 + 1));
  const mailboxes = Math.ceil(limits.store_uid_runs.value / uids.runCount) + 1;
  for (let id = 1; id <= mailboxes; id++) known.of(1, fake(() => uids), rowOf(uids, id));
  let reads = 0;
  const counting = fake(() => {
    reads++;
    return uids;
  });
  known.of(1, counting, rowOf(uids, mailboxes));
  expect(reads).toBe(0);
  known.of(1, counting, rowOf(uids, 1));
  expect(reads).toBeGreaterThan(0);
});
