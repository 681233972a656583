/** Sieve scripts in the store: names, limits, the active one, and that nothing that befalls an index loses one. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { Database } from 'bun:sqlite';
import { existsSync, rmSync } from 'node:fs';
import { limits } from '../../src/limits.ts';
import type { Scripts, StoreSession } from '../../src/store/border.ts';
import { layoutOf } from '../../src/store/layout.ts';
import { makeSnapshot, snapshotPath } from '../../src/store/snapshot.ts';
import { damage, dump, inbox, message, TestFolders, TestStore } from './teststore.ts';

let folders: TestFolders;
let t: TestStore;
let anna: StoreSession;
let scripts: Scripts;

beforeEach(async () => {
  folders = new TestFolders({ createonpost: true });
  t = new TestStore(folders);
  await t.deliver(message(1), 'anna', 'bert');
  anna = t.as('anna');
  scripts = anna.scripts;
});
afterEach(async () => {
  await t.close().catch(() => {});
  folders.remove();
});

const MANY = { maxScripts: 100 };
const put = (name: string, text: string, to = scripts) => to.put(name, Buffer.from(text), MANY);
const text = (bytes: Uint8Array | null) => bytes === null ? null : Buffer.from(bytes).toString();
const names = (of = scripts) => of.list().map(({ name, active }) => active ? `*${name}` : name);
const index = () => layoutOf(folders.settings).index('a/user/anna');

async function restart(): Promise<void> {
  await t.close();
  t = new TestStore(folders);
  anna = t.as('anna');
  scripts = anna.scripts;
}

async function runs(userid: string): Promise<string | null> {
  const request = { userid, detail: null, poster: null, size: null };
  return (await t.store.recipient(request)).script;
}

test('scripts are kept to the byte, listed by name, replaced and renamed', async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
  await put('main', 'keep;');
  await scripts.put('Älter \u{1f98a}', bytes, MANY);
  await put('main', 'discard;\r\n');
  expect(scripts.list().map(({ name, size, active }) => [name, size, active])).toEqual([
    ['main', 10, false],
    ['Älter \u{1f98a}', 256, false],
  ]);
  expect(scripts.list()[0]?.changed).toBeGreaterThan(1_700_000_000);
  expect(scripts.get('Älter \u{1f98a}')).toEqual(bytes);
  expect(scripts.get('other')).toBeNull();
  await scripts.rename('main', 'vacation');
  expect(text(scripts.get('vacation'))).toBe('discard;\r\n');
  await expect(scripts.rename('main', 'x')).rejects.toMatchObject({ code: 'nonexistent' });
  await expect(scripts.rename('vacation', 'Älter \u{1f98a}')).rejects.toMatchObject({
    code: 'alreadyexists',
  });
  await scripts.delete('vacation');
  await expect(scripts.delete('vacation')).rejects.toMatchObject({ code: 'nonexistent' });
  expect(names()).toEqual(['Älter \u{1f98a}']);
  expect(damage(folders.settings)).toEqual([]);
});

test('one script is active at a time: deliveries are told its hash, and it cannot be deleted', async () => {
  await put('a', 'keep; # a');
  await put('b', 'keep; # b');
  expect(await runs('anna')).toBeNull();
  await scripts.setActive('a');
  await scripts.setActive('b');
  expect(names()).toEqual(['a', '*b']);
  const hash = await runs('anna') as string;
  expect(text(t.store.scriptByHash('anna', hash))).toBe('keep; # b');
  await expect(scripts.delete('b')).rejects.toMatchObject({ code: 'inuse' });
  await expect(scripts.setActive('c')).rejects.toMatchObject({ code: 'nonexistent' });
  await scripts.rename('b', 'c');
  expect(names()).toEqual(['a', '*c']);
  // A replaced script stays active, under a new hash; the old one is not to be had any more.
  await put('c', 'discard;');
  expect(t.store.scriptByHash('anna', hash)).toBeNull();
  expect(text(t.store.scriptByHash('anna', await runs('anna') as string))).toBe('discard;');
  expect(t.store.activeScript('anna')?.name).toBe('c');
  expect(text(t.store.scriptNamed('anna', 'a'))).toBe('keep; # a');
  await scripts.setActive(null);
  expect(await runs('anna')).toBeNull();
  await scripts.delete('c');
  expect(names()).toEqual(['a']);
  expect(await runs('bert')).toBeNull();
  expect(damage(folders.settings)).toEqual([]);
});

describe('names (RFC 5804 §1.6)', () => {
  const refused: [string, string][] = [
    ['', 'empty'],
    ['a\u0000b', 'control characters'],
    ['a\nb', 'control characters'],
    ['a\u007f', 'control characters'],
    ['a\u0085', 'control characters'],
    ['a\u2028', 'control characters'],
    ['a\u2029', 'control characters'],
    ['x'.repeat(513), 'longer than 512 bytes'],
    ['a\u0308', 'normalized'],
    ['\ud800', 'normalized'],
  ];
  test.each(refused)('%j is refused', async (name, why) => {
    await expect(put(name, 'keep;')).rejects.toThrow(why);
    await put('old', 'keep;');
    await expect(scripts.rename('old', name)).rejects.toThrow(why);
    expect(names()).toEqual(['old']);
  });

  test('a name that looks like a path is a name', async () => {
    for (const name of ['../../etc/passwd', 'a/b', '.', '\u202egpj', '\u{1f98a}'.repeat(128)]) {
      await put(name, name);
      expect(text(scripts.get(name))).toBe(name);
    }
    expect(names()).toHaveLength(5);
    expect(existsSync('/etc/passwd.script')).toBe(false);
  });
});

test("limits: the caller's number of scripts, the hard size, and nothing of quota", async () => {
  await anna.setQuota(inbox('anna'), { storage: 1, messages: 1 }).catch(() => {});
  await t.admin.setQuota(inbox('anna'), { storage: 1000, messages: 5 });
  await scripts.put('a', Buffer.alloc(5000, 35), { maxScripts: 2 });
  await scripts.put('b', Buffer.from('keep;'), { maxScripts: 2 });
  await expect(scripts.put('c', Buffer.from('keep;'), { maxScripts: 2 })).rejects.toMatchObject({
    code: 'limit',
  });
  await scripts.put('b', Buffer.from('discard;'), { maxScripts: 2 });
  const large = Buffer.alloc(limits.store_script_size.value, 35);
  await scripts.put('b', large, { maxScripts: 2 });
  await expect(scripts.put('b', Buffer.concat([large, large]), { maxScripts: 2 })).rejects.toMatchObject({
    code: 'toobig',
  });
  expect(scripts.get('b')?.length).toBe(large.length);
  expect(anna.quotaRoots(inbox('anna'))[0]?.storageUsed).toBeLessThan(1000);
});

test('no more scripts than the hard bound, whatever the configuration says', async () => {
  for (let n = 0; n < limits.store_scripts.value; n += 100) {
    const batch = Array.from({ length: 100 }, (_, at) => at + n);
    await Promise.all(batch.map((at) => scripts.put(`s${at}`, Buffer.from('#'), { maxScripts: Infinity })));
  }
  await expect(scripts.put('more', Buffer.from('#'), { maxScripts: Infinity })).rejects.toMatchObject({
    code: 'limit',
  });
});

test("scripts are their owner's; global ones are for administrators to change and for everybody to include", async () => {
  await put('mine', 'keep;');
  const bert = t.as('bert');
  expect(() => bert.scriptsOf('anna')).toThrow('not yours');
  expect(() => bert.scriptsOf('')).toThrow('not yours');
  expect(() => t.as('').scripts.list()).not.toThrow();
  await expect(put('x', 'keep;', t.as('').scripts)).rejects.toMatchObject({ code: 'noperm' });
  expect(names(t.admin.scriptsOf('anna'))).toEqual(['mine']);
  const global = t.admin.scriptsOf('');
  expect(global.list()).toEqual([]);
  await put('spam', 'discard;', global);
  expect(text(t.store.scriptNamed('', 'spam'))).toBe('discard;');
  expect(t.store.scriptNamed('', 'mine')).toBeNull();
  expect(t.store.scriptNamed('nobody', 'mine')).toBeNull();
  await expect(put('x', 'keep;', t.as('nobody').scripts)).rejects.toMatchObject({ code: 'cannot' });
  expect(names(t.as('nobody').scripts)).toEqual([]);
  expect(damage(folders.settings)).toEqual([]);
});

describe('whatever befalls the store, scripts are there', () => {
  beforeEach(async () => {
    await put('first', 'keep; # 1');
    await put('second', 'keep; # 2');
    await scripts.setActive('second');
    await put('renamed', 'keep; # 3');
    await scripts.rename('renamed', 'third');
    await put('gone', 'stop;');
    await scripts.delete('gone');
  });

  async function expectAll(): Promise<void> {
    expect(names()).toEqual(['first', '*second', 'third']);
    expect(['first', 'second', 'third'].map((name) => text(scripts.get(name)))).toEqual([
      'keep; # 1',
      'keep; # 2',
      'keep; # 3',
    ]);
    const hash = await runs('anna');
    expect(text(t.store.scriptByHash('anna', hash as string))).toBe('keep; # 2');
    expect(damage(folders.settings)).toEqual([]);
  }

  /** Somebody reads, hears that it is closed for repair, and the writer repairs it. */
  async function healed(): Promise<void> {
    expect(() => t.as('anna').scripts.list()).toThrow('closed for repair');
    await t.writer.idle();
    for (let n = 0; n < 100 && damage(folders.settings).length > 0; n++) await t.writer.settled();
    scripts = t.as('anna').scripts;
  }

  test('after a restart', async () => {
    await restart();
    await expectAll();
  });

  test('after the process died: what was answered is replayed', async () => {
    const before = dump(folders.settings);
    const copy = folders.copy();
    t.abandon();
    folders.remove();
    folders = copy;
    t = new TestStore(folders);
    scripts = t.as('anna').scripts;
    expect(dump(folders.settings)).toBe(before);
    await expectAll();
  });

  test('when the index is lost: from the log, and from snapshot and log', async () => {
    await t.close();
    rmSync(index());
    t = new TestStore(folders);
    scripts = t.as('anna').scripts;
    await expectAll();
    await t.checkpoint();
    await put('fourth', 'keep;');
    makeSnapshot(index(), snapshotPath(folders.spool, 'a/user/anna'), 1);
    await scripts.delete('fourth');
    await t.checkpoint();
    await t.close();
    await Bun.write(index(), 'not a database');
    t = new TestStore(folders);
    await healed();
    await expectAll();
  });

  test('when directory.db is lost: derived from its owners', async () => {
    for (const userid of ['anna', 'bert']) {
      const owner = t.writer.state.directory.owner(userid)?.id as number;
      const folder = `${userid[0]}/user/${userid}`;
      makeSnapshot(layoutOf(folders.settings).index(folder), snapshotPath(folders.spool, folder), owner);
    }
    await t.checkpoint();
    t.writer.redo.removeThrough(t.writer.durableLsn);
    await t.close();
    for (const suffix of ['', '-wal', '-shm']) {
      rmSync(layoutOf(folders.settings).directory + suffix, { force: true });
    }
    t = new TestStore(folders);
    scripts = t.as('anna').scripts;
    await expectAll();
  });

  test('when everything else of the index is lost: from the rows that can still be read', async () => {
    await t.store.admin.reconstruct('anna', 'spool');
    anna = t.as('anna');
    scripts = anna.scripts;
    await expectAll();
    // From the snapshot where the index has nothing left; a row that is not what was written is left out.
    const owner = t.writer.state.directory.owner('anna')?.id as number;
    const snapshot = snapshotPath(folders.spool, 'a/user/anna');
    makeSnapshot(index(), snapshot, owner);
    await t.checkpoint();
    t.writer.redo.removeThrough(t.writer.durableLsn);
    await t.close();
    const db = new Database(snapshot);
    db.run("UPDATE script SET content = x'00' WHERE name = 'third'");
    db.close();
    await Bun.write(index(), 'not a database');
    t = new TestStore(folders);
    await t.store.admin.reconstruct('anna', 'spool');
    expect(names(t.as('anna').scripts)).toEqual(['first', '*second']);
    expect(await runs('anna')).not.toBeNull();
  });

  test('a damaged row closes the owner and is healed', async () => {
    await t.close();
    const db = new Database(index());
    db.run("UPDATE script SET content = x'00' WHERE name = 'first'");
    db.close();
    expect(damage(folders.settings).join()).toContain('the row "first" is damaged');
    t = new TestStore(folders);
    await healed();
    await expectAll();
  });
});
