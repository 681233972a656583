/** Selected mailboxes at the moments in which the index and what was told of it differ. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import type { Mailbox, MailboxChange, NarrowRow } from '../../../src/store/border.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import { box, inbox, message, messageFiles, TestFolders, TestStore } from '../teststore.ts';

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

async function fill(count: number): Promise<void> {
  for (let n = 1; n <= count; n++) await t.deliver(message(n), 'anna');
}

function all(handle: Mailbox, page: number, uids = handle.uids()): number[] {
  const found: number[] = [];
  for (let after = 0;;) {
    const rows = handle.narrow(uids, after, page);
    found.push(...rows.map((row) => row[0]));
    if (rows.length < page) return found;
    after = (rows.at(-1) as NarrowRow)[0];
  }
}

describe('a selected mailbox', () => {
  test('expunged rows are on the page they belong to, whatever its size', async () => {
    await fill(9);
    const handle = await t.as('anna').select(inbox('anna'), false, () => {});
    const known = handle.uids();
    const other = await t.as('anna').select(inbox('anna'), false, () => {});
    await other.store(UidSet.of(2, 3, 5, 9), 'add', ['\\Deleted']);
    await other.expunge(null);
    for (let page = 1; page <= 10; page++) {
      expect(all(handle, page, known)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(all(handle, page, UidSet.of(2, 4, 9))).toEqual([2, 4, 9]);
    }
    expect(handle.wide(UidSet.range(1, 3), 0, 2, ['envelope']).map((row) => row[0])).toEqual([1, 2]);
  });

  test('its UIDs are those of the snapshot, also when asked for late', async () => {
    await fill(5);
    const changes: MailboxChange[] = [];
    const handle = await t.as('anna').select(inbox('anna'), false, (change) => changes.push(change));
    const other = await t.as('anna').select(inbox('anna'), false, () => {});
    await other.store(UidSet.of(2), 'add', ['\\Deleted']);
    await other.expunge(null);
    await t.deliver(message('new'), 'anna');
    expect(handle.snapshot.exists).toBe(5);
    expect(handle.uids().toString()).toBe('1:5');
    expect(changes.map(({ kind }) => kind)).toEqual(['flags', 'expunge', 'exists']);
  });

  test('also while the index is ahead of the news', async () => {
    await fill(5);
    const handle = await t.as('anna').select(inbox('anna'), false, () => {});
    // Another process: the commit is visible, the news still on its way.
    (handle as unknown as { onEvents: () => void }).onEvents = () => {};
    const other = await t.as('anna').select(inbox('anna'), false, () => {});
    await other.store(UidSet.of(2), 'add', ['\\Deleted']);
    await other.expunge(null);
    expect(handle.uids().toString()).toBe('1:5');
    expect(all(handle, 2)).toEqual([1, 2, 3, 4, 5]);
  });

  test('news of before the snapshot is not told again, news of after it is not lost', async () => {
    await fill(2);
    const heard: string[] = [];
    const selecting = t.as('anna').select(inbox('anna'), false, (change) => {
      heard.push(`${change.kind} ${'uids' in change ? change.uids.toString() : ''}`);
    });
    const deliveries = [t.deliver(message(3), 'anna'), t.deliver(message(4), 'anna')];
    const handle = await selecting;
    await Promise.all(deliveries);
    const told = heard.filter((line) => line.startsWith('exists')).length;
    expect(handle.snapshot.exists + told).toBe(4);
    expect(handle.snapshot.uidnext + told).toBe(5);
  });

  test('a right that is taken away while it is being opened counts', async () => {
    await fill(1);
    await t.deliver(message(2), 'bert');
    await t.as('anna').setAcl(inbox('anna'), 'bert', 'lrs');
    const selecting = t.as('bert').select(inbox('anna'), false, () => {});
    const revoking = t.as('anna').setAcl(inbox('anna'), 'bert', 'l');
    const outcome = await selecting.catch((error: { code: string }) => error.code);
    await revoking;
    if (typeof outcome === 'string') expect(outcome).toBe('noperm');
    else expect(outcome.rights).toBe('l');
  });

  test('\\Recent belongs to the first session that looks, not to one that only examines', async () => {
    await fill(2);
    const examined = await t.as('anna').select(inbox('anna'), true, () => {});
    expect(examined.snapshot.recent.toString()).toBe('1:2');
    const first = await t.as('anna').select(inbox('anna'), false, () => {});
    expect(first.snapshot.recent.toString()).toBe('1:2');
    const second = await t.as('anna').select(inbox('anna'), false, () => {});
    expect(second.snapshot.recent.isEmpty).toBe(true);
    expect(t.as('anna').info(inbox('anna')).recent).toBe(0);
  });

  test('\\Recent is claimed without a sync, once, and logged later for all', async () => {
    await fill(2);
    const before = t.writer.durableLsn;
    const sessions = ['anna', 'anna', 'bert'];
    await t.as('anna').setAcl(inbox('anna'), 'bert', 'lrs');
    const told = t.writer.durableLsn;
    expect(told).toBe(before + 1);
    const handles = await Promise.all(
      sessions.map((name) => t.as(name).select(inbox('anna'), false, () => {})),
    );
    await t.deliver(message(3), 'anna');
    const claims = await Promise.all(handles.map((handle) => handle.claimRecent(3)));
    expect(handles.map(({ snapshot }) => snapshot.recent.toString()).sort()).toEqual(['', '1:2', '1:2']);
    expect(claims.map(String).sort()).toEqual(['', '3', '3']);
    expect(t.writer.durableLsn).toBe(told + 1);
    await t.writer.idle();
    // One record for each user.
    expect(t.writer.durableLsn).toBe(told + 3);
    t.abandon();
    t = new TestStore(folders);
    expect((await t.as('anna').select(inbox('anna'), false, () => {})).snapshot.recent.isEmpty).toBe(true);
    expect((await t.as('bert').select(inbox('anna'), true, () => {})).snapshot.recent.isEmpty).toBe(true);
  });

  test('whom nobody knows to have been told first is told of \\Recent messages again', async () => {
    await fill(2);
    await t.as('anna').select(inbox('anna'), false, () => {});
    t.abandon();
    t = new TestStore(folders);
    expect((await t.as('anna').select(inbox('anna'), false, () => {})).snapshot.recent.toString()).toBe(
      '1:2',
    );
  });

  test('\\Seen is the reader’s own', async () => {
    await fill(3);
    await t.deliver(message('b'), 'bert');
    await t.as('anna').setAcl(inbox('anna'), 'bert', 'lrswite');
    const heard: string[] = [];
    const annas = await t.as('anna').select(inbox('anna'), false, ({ kind }) => heard.push(kind));
    const berts = await t.as('bert').select(inbox('anna'), false, () => {});
    await berts.store(UidSet.of(1, 2), 'add', ['\\Seen']);
    expect(heard).toEqual([]);
    expect(annas.narrow(UidSet.range(1, 3), 0, 3).map((row) => row[1])).toEqual([0, 0, 0]);
    expect(berts.narrow(UidSet.range(1, 3), 0, 3).map((row) => row[1])).toEqual([16, 16, 0]);
    expect(berts.firstUnseen()).toBe(3);
    expect(t.as('bert').info(inbox('anna')).unseen).toBe(1);
    expect(t.as('anna').info(inbox('anna')).unseen).toBe(3);
    await t.append(t.as('bert'), inbox('anna'), message('x'), ['\\Seen', '\\Flagged']);
    expect(annas.narrow(UidSet.of(4), 0, 1)[0]?.[1]).toBe(2);
    expect(t.as('bert').info(inbox('anna')).unseen).toBe(1);
    expect(berts.withFlags({ lo: 16, hi: 0 }, { lo: 0, hi: 0 }).toString()).toBe('1:2,4');
  });

  test('an expunged message is read to the end by whoever has it open, and not opened again once purged', async () => {
    await t.deliver(message('long', 300_000), 'anna');
    const handle = await t.as('anna').select(inbox('anna'), false, () => {});
    const [row] = handle.narrow(handle.uids(), 0, 1);
    if (row === undefined) throw new Error('no row');
    const content = handle.content(row);
    expect(content.read(0, 100).length).toBe(100);
    await handle.store(UidSet.of(1), 'add', ['\\Deleted']);
    await handle.expunge(null);
    // Within the grace it is even opened again (RFC 2180 §4.1).
    handle.content(row).close();
    await t.store.admin.expire({ expungeDays: 0, deleteDays: 0 });
    await t.checkpoint();
    expect(messageFiles(folders.spool)).toEqual([]);
    expect(content.read(299_000, 400_000).length).toBe(content.size - 299_000);
    content.close();
    content.close();
    expect(() => handle.content(row)).toThrow(expect.objectContaining({ code: 'nonexistent' }));
  });

  test('is told of its end, by deletion and by the removal of its user', async () => {
    await fill(1);
    await t.as('anna').create(box('anna', 'Work'));
    const heard: string[] = [];
    await t.as('anna').select(box('anna', 'Work'), false, ({ kind }) => heard.push(`work ${kind}`));
    await t.as('anna').select(inbox('anna'), false, ({ kind }) => heard.push(`inbox ${kind}`));
    await t.as('anna').rename(box('anna', 'Work'), box('anna', 'Play'));
    await t.as('anna').delete(box('anna', 'Play'));
    await t.store.admin.purgeUser('anna');
    expect(heard.filter((line) => line.startsWith('work')).slice(0, 2)).toEqual([
      'work renamed',
      'work deleted',
    ]);
    expect(heard.filter((line) => line.startsWith('inbox'))).toEqual(['inbox deleted']);
  });
});
