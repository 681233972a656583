/** Metadata (RFC 5464) in the store: names, rights, limits, and what it survives. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { limits } from '../../src/limits.ts';
import type { MailboxName, StoreSession } from '../../src/store/border.ts';
import { layoutOf } from '../../src/store/layout.ts';
import { parseEntry } from '../../src/store/metadata.ts';
import { makeSnapshot, snapshotPath } from '../../src/store/snapshot.ts';
import { box, damage, dump, inbox, message, TestFolders, TestStore } from './teststore.ts';

let folders: TestFolders;
let t: TestStore;
let anna: StoreSession;
const work = box('anna', 'Work');

beforeEach(async () => {
  folders = new TestFolders();
  t = new TestStore(folders);
  await t.deliver(message(1), 'anna', 'bert');
  anna = t.as('anna');
  await anna.create(work);
});
afterEach(async () => {
  await t.close().catch(() => {});
  folders.remove();
});

async function set(by: StoreSession, mailbox: MailboxName | null, entries: Record<string, string | null>) {
  const values = Object.entries(entries).map(([name, value]): [string, Uint8Array | null] => [
    name,
    value === null ? null : Buffer.from(value, 'latin1'),
  ]);
  await by.metadata.set(mailbox, new Map(values));
}

function get(by: StoreSession, mailbox: MailboxName | null, name: string): string | null {
  const value = by.metadata.get(mailbox, name);
  return value === null ? null : Buffer.from(value).toString('latin1');
}

function list(by: StoreSession, mailbox: MailboxName | null): string[] {
  return by.metadata.list(mailbox).map(({ name, value }) =>
    `${name}=${Buffer.from(value).toString('latin1')}`
  );
}

test('entries are kept to the byte, whatever the case of their names; null removes, empty is a value', async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, at) => at)).toString('latin1');
  await set(anna, work, { '/shared/Comment': 'hello', '/private/comment': bytes, '/shared/vendor/x/y': '' });
  expect(list(anna, work)).toEqual([
    `/private/comment=${bytes}`,
    '/shared/comment=hello',
    '/shared/vendor/x/y=',
  ]);
  expect(get(anna, work, '/SHARED/COMMENT')).toBe('hello');
  expect(get(anna, work, '/shared/other')).toBeNull();
  await set(anna, work, { '/shared/comment': null, '/shared/vendor/x/y': 'z', '/shared/never': null });
  expect(list(anna, work)).toEqual([`/private/comment=${bytes}`, '/shared/vendor/x/y=z']);
  expect(list(anna, inbox('anna'))).toEqual([]);
  expect(damage(folders.settings)).toEqual([]);
});

test('names no entry can have (RFC 5464 §3.2)', () => {
  for (
    const name of [
      '',
      'comment',
      '/comment',
      '/shared',
      '/shared/',
      '/other/comment',
      '/shared//x',
      '/shared/x/',
      '/shared/a*',
      '/shared/a%b',
      '/shared/ä',
      '/shared/a\u0001',
      '/shared/a\u007f',
      '/shared/vendor',
      '/shared/vendor/x',
      `/shared/${'x'.repeat(limits.store_metadata_name.value)}`,
    ]
  ) expect(() => parseEntry(name)).toThrow(expect.objectContaining({ code: 'badsyntax' }));
  expect(parseEntry('/Private/A b.c')).toEqual({ entry: '/a b.c', shared: false });
  expect(parseEntry('/shared/vendor/x/y').entry).toBe('/vendor/x/y');
});

describe('rights (RFC 5464 §3.3)', () => {
  test('l and one of r, s, w, i, p to see and for private entries, w for shared ones', async () => {
    const bert = t.as('bert');
    await set(anna, work, { '/shared/comment': 'a', '/private/comment': 'mine' });
    const allowed = async (rights: string): Promise<string> => {
      await anna.setAcl(work, 'bert', rights);
      const tried = async (job: () => unknown): Promise<string> => {
        try {
          await job();
          return 'ok';
        } catch (error) {
          return (error as { code: string }).code;
        }
      };
      return [
        await tried(() => bert.metadata.list(work)),
        await tried(() => set(bert, work, { '/private/comment': 'b' })),
        await tried(() => set(bert, work, { '/private/x': 'b', '/shared/x': 'b' })),
      ].join(' ');
    };
    expect(await allowed('lrs')).toBe('ok ok noperm');
    expect(await allowed('lw')).toBe('ok ok ok');
    expect(await allowed('li')).toBe('ok ok noperm');
    expect(await allowed('l')).toBe('noperm noperm noperm');
    expect(await allowed('r')).toBe('noperm noperm noperm');
    expect(await allowed('swip')).toBe('nonexistent nonexistent nonexistent');
    await anna.setAcl(work, 'bert', 'lr');
    // All or none: the private one that came with the refused shared one is not there.
    expect(list(bert, work)).toEqual([
      '/private/comment=b',
      '/private/x=b',
      '/shared/comment=a',
      '/shared/x=b',
    ]);
    expect(list(anna, work)).toEqual(['/private/comment=mine', '/shared/comment=a', '/shared/x=b']);
    await expect(set(bert, box('anna', 'Nowhere'), { '/private/x': '' })).rejects.toMatchObject({
      code: 'nonexistent',
    });
    expect(() => bert.metadata.get(inbox('anna'), '/shared/comment')).toThrow('does not exist');
  });

  test('of the server: shared ones by administrators, private ones by everybody with a place for them', async () => {
    expect(list(anna, null)).toEqual([]);
    await expect(set(anna, null, { '/shared/comment': 'x' })).rejects.toMatchObject({ code: 'noperm' });
    await set(t.admin, null, { '/shared/comment': 'welcome' });
    await set(anna, null, { '/private/vendor/x/y': 'mine' });
    expect(list(anna, null)).toEqual(['/private/vendor/x/y=mine', '/shared/comment=welcome']);
    expect(list(t.as('bert'), null)).toEqual(['/shared/comment=welcome']);
    await expect(set(t.as('nobody'), null, { '/private/x': 'x' })).rejects.toMatchObject({ code: 'cannot' });
    expect(damage(folders.settings)).toEqual([]);
  });
});

test('limits: size of a value, entries of a mailbox, and nothing of a change that goes beyond', async () => {
  const size = limits.store_metadata_value.value;
  await set(anna, work, { '/shared/a': 'x'.repeat(size) });
  await expect(set(anna, work, { '/shared/b': 'x', '/shared/c': 'x'.repeat(size + 1) })).rejects
    .toMatchObject({
      code: 'toobig',
    });
  expect(get(anna, work, '/shared/b')).toBeNull();
  const most = limits.store_metadata_entries.value;
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`/private/n${n}`, '']));
  await expect(set(anna, work, many(most + 1))).rejects.toMatchObject({ code: 'limit' });
  await set(anna, work, many(most));
  await expect(set(anna, work, { '/private/more': '' })).rejects.toMatchObject({ code: 'limit' });
  await set(anna, work, { '/private/n0': null, '/private/more': '' });
  await set(anna, work, { '/private/n1': 'changed' });
  expect(list(anna, work)).toHaveLength(most + 1);
});

describe('the script for what happens in a mailbox (RFC 6785 §3.6)', () => {
  const entry = '/shared/imapsieve/script';
  test("its own entry, else the server's; an empty one is none", async () => {
    expect(anna.eventScript(work)).toBeNull();
    await set(t.admin, null, { [entry]: 'global' });
    expect(anna.eventScript(work)).toBe('global');
    await set(anna, work, { [entry]: 'über' });
    await set(anna, work, { [entry]: Buffer.from('über').toString('latin1') });
    expect([anna.eventScript(work), anna.eventScript(inbox('anna'))]).toEqual(['über', 'global']);
    await set(anna, work, { [entry]: '' });
    expect(anna.eventScript(work)).toBeNull();
    await set(anna, work, { [entry]: null });
    expect(anna.eventScript(work)).toBe('global');
    expect(anna.eventScript(box('anna', 'Nowhere'))).toBeNull();
  });
});

describe('what entries survive', () => {
  beforeEach(async () => {
    await set(anna, work, { '/shared/comment': 'work', '/private/comment': 'mine' });
    await set(anna, null, { '/private/x': 'server' });
    await anna.setAcl(work, 'bert', 'lrw');
    await set(t.as('bert'), work, { '/private/comment': "bert's" });
  });

  function expectAll(name = work): void {
    expect(list(t.as('anna'), name)).toEqual(['/private/comment=mine', '/shared/comment=work']);
    expect(list(t.as('bert'), name)).toEqual(["/private/comment=bert's", '/shared/comment=work']);
    expect(list(t.as('anna'), null)).toEqual(['/private/x=server']);
    expect(damage(folders.settings)).toEqual([]);
  }

  test('RENAME moves them along, INBOX keeps its own', async () => {
    await anna.rename(work, box('anna', 'Projects'));
    expectAll(box('anna', 'Projects'));
    await anna.create(work);
    expect(list(anna, work)).toEqual([]);
    await set(anna, inbox('anna'), { '/private/comment': 'in' });
    await anna.rename(inbox('anna'), box('anna', 'Old'));
    expect([list(anna, inbox('anna')), list(anna, box('anna', 'Old'))]).toEqual([
      ['/private/comment=in'],
      [],
    ]);
  });

  test('DELETE hides them, undelete brings them back, expiry removes them', async () => {
    const { mailboxid } = anna.info(work);
    await anna.delete(work);
    expect(() => list(anna, work)).toThrow('does not exist');
    await anna.create(work);
    expect(list(anna, work)).toEqual([]);
    await t.store.admin.undelete(mailboxid, box('anna', 'Back'));
    expectAll(box('anna', 'Back'));
    await anna.delete(box('anna', 'Back'));
    await t.store.admin.expire({ expungeDays: 0, deleteDays: 0 });
    expect(dump(folders.settings)).not.toContain('comment');
    expect(damage(folders.settings)).toEqual([]);
  });

  test('a restart, and the death of the process', async () => {
    const before = dump(folders.settings);
    const copy = folders.copy();
    t.abandon();
    folders.remove();
    folders = copy;
    t = new TestStore(folders);
    expect(dump(folders.settings)).toBe(before);
    expectAll();
  });

  const index = () => layoutOf(folders.settings).index('a/user/anna');

  test('the loss of the index: from snapshot and log, and of all but its rows', async () => {
    makeSnapshot(index(), snapshotPath(folders.spool, 'a/user/anna'), 1);
    await set(anna, work, { '/shared/comment': 'changed' });
    await set(anna, work, { '/shared/comment': 'work' });
    await t.close();
    rmSync(index());
    t = new TestStore(folders);
    expectAll();
    await t.store.admin.reconstruct('anna', 'spool');
    expectAll();
  });
});
