/** The first unseen message and the unseen ones, found without an index of them. */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import type { Mailbox } from '../../../src/store/border.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import { Random } from '../../harness/random.ts';
import { box, damage, inbox, message, TestFolders, TestStore } from '../teststore.ts';

setDefaultTimeout(60_000);

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

const select = (path = ''): Promise<Mailbox> => t.as('anna').select(box('anna', path), false, () => {});

/** What is unseen, read row by row. */
function unseen(handle: Mailbox): UidSet {
  const rows = handle.narrow(handle.uids(), 0, 10_000);
  return UidSet.fromSorted(rows.filter(([, flags]) => (flags & 16) === 0).map(([uid]) => uid));
}

async function agrees(path = ''): Promise<void> {
  const handle = await select(path);
  const expected = unseen(handle);
  expect([undefined, expected.min]).toContain(handle.snapshot.firstUnseen);
  expect(handle.firstUnseen()).toBe(expected.min);
  expect(handle.withFlags({ lo: 0, hi: 0 }, { lo: 16, hi: 0 }).toString()).toBe(expected.toString());
  handle.close();
  // Again, from what is kept while nothing changes.
  const again = await select(path);
  expect(again.snapshot).toMatchObject({
    exists: handle.uids().size,
    unseen: expected.size,
    firstUnseen: expected.min,
  });
  again.close();
  expect(t.as('anna').info(box('anna', path))).toMatchObject({
    exists: handle.uids().size,
    unseen: expected.size,
  });
}

test('after every kind of change', async () => {
  const random = new Random(7);
  await t.deliver(message(0), 'anna');
  await t.as('anna').create(box('anna', 'Work'));
  for (let n = 1; n < 120; n++) {
    const handle = await select();
    const uids = handle.uids();
    const from = 1 + random.below(Math.max(1, uids.size));
    const some = uids.slice(from, from + random.below(12));
    switch (random.below(7)) {
      case 0:
        await t.deliver(message(n), 'anna');
        break;
      case 1:
        await t.append(t.as('anna'), inbox('anna'), message(n), random.oneIn(2) ? ['\\Seen'] : []);
        break;
      case 2:
        await handle.store(random.oneIn(4) ? uids : some, 'add', ['\\Seen']);
        break;
      case 3:
        await handle.store(some, 'remove', ['\\Seen']);
        break;
      case 4:
        await handle.store(some, 'replace', random.oneIn(2) ? ['\\Seen'] : ['\\Flagged']);
        break;
      case 5:
        if (!some.isEmpty) await handle.copy(some, box('anna', random.oneIn(2) ? '' : 'Work'));
        break;
      case 6:
        await handle.store(some, 'add', ['\\Deleted']);
        if (random.oneIn(3)) await handle.expunge(null);
        break;
    }
    handle.close();
    await agrees();
    await agrees('Work');
  }
  expect(damage(folders.settings)).toEqual([]);
});

test('far behind many seen ones, and found sooner with every message that is read', async () => {
  await t.deliver(message(0), 'anna');
  for (let size = 1; size < 2000; size *= 2) {
    const handle = await select();
    await handle.copy(handle.uids(), inbox('anna'));
    handle.close();
  }
  const handle = await select();
  const last = handle.uids().max;
  // Read from the end: the first message stays unseen until everything behind it is read.
  await handle.store(UidSet.range(2, last - 1), 'add', ['\\Seen']);
  await agrees();
  await handle.store(UidSet.range(1, 1), 'add', ['\\Seen']);
  expect(handle.firstUnseen()).toBe(last);
  await handle.store(UidSet.range(3, 3), 'remove', ['\\Seen']);
  expect(handle.firstUnseen()).toBe(3);
  await handle.store(UidSet.range(1, last), 'add', ['\\Seen']);
  expect(handle.firstUnseen()).toBe(0);
  await t.deliver(message(1), 'anna');
  expect((await select()).firstUnseen()).toBe(last + 1);
  expect(damage(folders.settings)).toEqual([]);
});
