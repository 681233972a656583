/**
 * DESIGN's eighteen rules as far as the store as a whole shows them. The others stand beside what they are about: 1, 4, 5
 * and 7 in log/redo.test.ts; 1, 4, 6 and 9 in writer/faults.test.ts; 2, 3 and 8 in writer/powercut.test.ts; 10 also in
 * client/socketlink.test.ts; 7 and 16 in janitor/checkpoint.test.ts.
 */
import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, setSystemTime, test } from 'bun:test';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../src/store/open.ts';
import { openForReading } from '../../src/store/index/database.ts';
import { DIRECTORY_TABLES } from '../../src/store/index/tables.ts';
import { STORE_FORMAT } from '../../src/store/index/schema.ts';
import { layoutOf } from '../../src/store/layout.ts';
import { tryLock } from '../../src/store/lock.ts';
import { UidSet } from '../../src/store/uidset.ts';
import { box, damage, dump, inbox, Lines, message, seal, TestFolders, TestStore } from './teststore.ts';

// Other work may share the machine.
setDefaultTimeout(60_000);

let folders: TestFolders;
let t: TestStore;

beforeEach(() => {
  folders = new TestFolders({ duplicatesuppression: true });
  t = new TestStore(folders);
});
afterEach(async () => {
  setSystemTime();
  await t.close().catch(() => {});
  folders.remove();
});

function indexPath(userid: string): string {
  return layoutOf(folders.settings).index(t.writer.state.directory.owner(userid)?.folder as string);
}

describe('rule 10: the id of a change', () => {
  const create = { op: 'create', by: { userid: 'anna', admin: false, groups: [] }, specialUse: [] } as const;

  test('asked again it is answered, not done again, also after a restart', async () => {
    await t.deliver(message(1), 'anna');
    const change = { ...create, name: box('anna', 'Work'), specialUse: [] };
    const first = await t.writer.submit({ id: 'one', origin: '', change }, []);
    expect(await t.writer.submit({ id: 'one', origin: '', change }, [])).toEqual(first);
    expect(t.writer.resultOf('two')).toBeUndefined();
    t.abandon();
    t = new TestStore(folders);
    expect(t.writer.resultOf('one')).toEqual(first);
    expect(await t.writer.submit({ id: 'one', origin: '', change }, [])).toEqual(first);
    expect(t.as('anna').list().length).toBe(2);
  });

  test('twice in one batch it is done once', async () => {
    await t.deliver(message(1), 'anna');
    const change = { ...create, name: box('anna', 'Work'), specialUse: [] };
    const answers = await Promise.allSettled([
      t.writer.submit({ id: 'one', origin: '', change }, []),
      t.writer.submit({ id: 'one', origin: '', change }, []),
    ]);
    expect(answers.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
    expect(t.as('anna').list().length).toBe(2);
  });

  test('what is still being worked on is not unknown', async () => {
    await t.deliver(message(1), 'anna');
    const change = { ...create, name: box('anna', 'Work'), specialUse: [] };
    const answer = t.writer.submit({ id: 'one', origin: '', change }, []);
    expect(t.writer.resultOf('one')).toBeUndefined();
    await t.writer.settled();
    expect(t.writer.resultOf('one')).toEqual(await answer);
  });
});

describe('rule 11: the lock', () => {
  test('a second writer is refused by name, the first one’s end lets it in', async () => {
    await t.close();
    const first = await openStore(folders.settings, new Lines(), 'direct');
    expect(openStore(folders.settings, new Lines(), 'direct')).rejects.toThrow(
      expect.objectContaining({
        code: 'inuse',
        message: expect.stringContaining(folders.settings.configdirectory),
      }),
    );
    expect(tryLock(folders.log)).toBeNull();
    await first.close();
    const second = await openStore(folders.settings, new Lines(), 'either');
    await second.close();
  });

  test('a process that is killed lets go of it', async () => {
    await t.close();
    const holder = Bun.spawn([
      process.execPath,
      '-e',
      `
      const { tryLock } = await import(${JSON.stringify(join(import.meta.dir, '../../src/store/lock.ts'))});
      console.log(tryLock(${JSON.stringify(folders.log)}) === null ? 'no' : 'yes');
      setInterval(() => {}, 1000);
    `,
    ], { stdout: 'pipe' });
    const { value } = await holder.stdout.getReader().read();
    expect(new TextDecoder().decode(value).trim()).toBe('yes');
    expect(tryLock(folders.log)).toBeNull();
    holder.kill('SIGKILL');
    await holder.exited;
    const lock = tryLock(folders.log);
    expect(lock).not.toBeNull();
    lock?.release();
  });
});

describe('rule 12: rights are looked at again when the writer decides', () => {
  test('a handle from before the loss of a right', async () => {
    await t.deliver(message(1), 'anna', 'bert');
    await t.as('anna').setAcl(inbox('anna'), 'bert', 'lrswite');
    const handle = await t.as('bert').select(inbox('anna'), false, () => {});
    // The worker has not heard of it.
    const blind = handle as unknown as { onEvents: () => void };
    blind.onEvents = () => {};
    await t.as('anna').setAcl(inbox('anna'), 'bert', 'lr');
    for (
      const change of [
        () => handle.store(UidSet.of(1), 'add', ['\\Flagged']),
        () => handle.expunge(null),
        () => handle.move(UidSet.of(1), inbox('bert')),
      ]
    ) {
      expect(change()).rejects.toThrow(expect.objectContaining({ code: 'noperm' }));
    }
    await t.as('anna').setAcl(inbox('anna'), 'bert', null);
    expect(handle.copy(UidSet.of(1), inbox('bert'))).rejects.toThrow(
      expect.objectContaining({ code: 'nonexistent' }),
    );
    expect(t.as('bert').info(inbox('bert')).exists).toBe(1);
  });

  test('one that hears of it reads nothing more from then on', async () => {
    await t.deliver(message(1), 'anna', 'bert');
    await t.as('anna').setAcl(inbox('anna'), 'bert', 'lr');
    const heard: string[] = [];
    const handle = await t.as('bert').select(inbox('anna'), false, ({ kind }) => heard.push(kind));
    const [row] = handle.narrow(UidSet.of(1), 0, 1);
    await t.as('anna').setAcl(inbox('anna'), 'bert', 'l');
    expect(heard).toEqual(['rights']);
    const noperm = expect.objectContaining({ code: 'noperm' });
    expect(() => handle.narrow(UidSet.of(1), 0, 1)).toThrow(noperm);
    expect(() => handle.wide(UidSet.of(1), 0, 1, ['envelope'])).toThrow(noperm);
    expect(() => handle.content(row as never)).toThrow(noperm);
    expect(() => handle.changedSince(0)).toThrow(noperm);
    expect(() => handle.changedAmong(UidSet.of(1), 0)).toThrow(noperm);
  });
});

describe('rule 13: UIDVALIDITY', () => {
  test('grows with a clock that stands still, goes back, or was far ahead', async () => {
    const given: number[] = [];
    const make = async (): Promise<void> => {
      const { uidvalidity } = await t.admin.create(box('anna', 'Work'));
      expect(uidvalidity).toBeGreaterThan(given.at(-1) ?? 0);
      expect(uidvalidity).toBeLessThanOrEqual(0xffffffff);
      given.push(uidvalidity);
      await t.admin.delete(box('anna', 'Work'));
    };
    for (
      const time of [
        '2026-11-01T00:00:00Z',
        '2026-11-01T00:00:00Z',
        '1999-01-01T00:00:00Z',
        '1970-01-01T00:00:00Z',
      ]
    ) {
      setSystemTime(new Date(time));
      await make();
      await make();
      t.abandon();
      t = new TestStore(folders);
    }
    setSystemTime(new Date('2090-01-01T00:00:00Z'));
    await make();
    setSystemTime();
    await make();
  });

  test('is not given again to a user made anew, nor after directory.db was lost with the power', async () => {
    setSystemTime(new Date('2026-11-01T00:00:00Z'));
    const seen = new Set<number>();
    for (let round = 0; round < 4; round++) {
      const [result] = await t.deliver(message(round), 'anna');
      expect(seen.has(result?.uidvalidity as number)).toBe(false);
      seen.add(result?.uidvalidity as number);
      await t.store.admin.purgeUser('anna');
      t.abandon();
      if (round % 2 === 1) {
        for (const suffix of ['', '-wal', '-shm']) rmSync(layoutOf(folders.settings).directory + suffix);
      }
      t = new TestStore(folders);
    }
  });
});

describe('rule 14: duplicates', () => {
  test('of one batch, of later ones, after a restart: one message, and success', async () => {
    const both = await Promise.all([
      t.deliver(message('same'), 'anna', 'bert'),
      t.deliver(message('same'), 'anna'),
    ]);
    expect(both.flat().map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    expect(t.as('anna').info(inbox('anna')).exists).toBe(1);
    t.abandon();
    t = new TestStore(folders);
    const [again] = await t.deliver(message('same'), 'anna');
    expect(again?.error).toBeUndefined();
    expect(again?.uid).toBeUndefined();
    expect(t.as('anna').info(inbox('anna')).exists).toBe(1);
  });

  test('a delivery that was refused is none', async () => {
    await t.deliver(message(1), 'anna');
    await t.admin.setQuota(inbox('anna'), { storage: null, messages: 1 });
    const [refused] = await t.deliver(message('late'), 'anna');
    expect(refused?.error?.code).toBe('overquota');
    await t.admin.setQuota(inbox('anna'), { storage: null, messages: 2 });
    const [taken] = await t.deliver(message('late'), 'anna');
    expect(taken?.uid).toBe(2);
  });
});

describe('rule 15: read transactions', () => {
  test('none is held between two calls: the journal can be folded back as a whole', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, at) => t.deliver(message(at), 'anna')));
    const handle = await t.as('anna').select(inbox('anna'), false, () => {});
    handle.narrow(handle.uids(), 0, 5);
    handle.wide(handle.uids(), 5, 5, ['envelope']);
    handle.withFlags({ lo: 0, hi: 0 }, { lo: 16, hi: 0 });
    handle.firstUnseen();
    t.as('anna').list();
    for (const path of [indexPath('anna'), layoutOf(folders.settings).directory]) {
      const db = new Database(path, { readwrite: true, create: false });
      const [busy] = db.query('PRAGMA wal_checkpoint(TRUNCATE)').values()[0] as [number];
      expect(busy).toBe(0);
      db.close();
    }
    expect(handle.narrow(handle.uids(), 10, 5).length).toBe(5);
  });
});

describe('rule 16: the writer never folds a journal back itself', () => {
  test('however long it gets', async () => {
    await t.deliver(message(1), 'anna');
    const { size } = statSync(indexPath('anna'));
    const handle = await t.as('anna').select(inbox('anna'), false, () => {});
    await Promise.all(
      Array.from({ length: 400 }, (_, at) => t.append(t.as('anna'), inbox('anna'), message(at))),
    );
    for (let round = 0; round < 140; round++) {
      await handle.store(UidSet.range(1, 401), round % 2 === 0 ? 'add' : 'remove', ['\\Flagged']);
    }
    expect(statSync(`${indexPath('anna')}-wal`).size).toBeGreaterThan(1000 * 4096);
    expect(statSync(indexPath('anna')).size).toBe(size);
  });
});

describe('rule 17: workers read', () => {
  test('and cannot write', async () => {
    await t.deliver(message(1), 'anna');
    const db = openForReading(indexPath('anna'));
    expect(() => db.run('DELETE FROM msg')).toThrow(/readonly/);
    expect(() => db.run('UPDATE state SET lsn = 0')).toThrow(/readonly/);
    db.close();
  });

  test('while the writer is in the middle of a transaction they see the state before it', async () => {
    await t.deliver(message(1), 'anna');
    const owner = t.writer.state.directory.owner('anna');
    if (owner === null) throw new Error('no anna');
    const index = t.writer.state.owners.open(owner);
    index.begin();
    index.sql('DELETE FROM msg').run();
    const handle = await t.as('anna').select(inbox('anna'), true, () => {});
    expect(handle.narrow(UidSet.of(1), 0, 1).length).toBe(1);
    index.rollback();
  });

  test('also right after a crash, when the journal has to be recovered', async () => {
    await t.deliver(message(1), 'anna');
    const copy = folders.copy();
    rmSync(`${layoutOf(copy.settings).index('a/user/anna')}-shm`, { force: true });
    const db = openForReading(layoutOf(copy.settings).index('a/user/anna'));
    expect(db.query('SELECT count(*) FROM msg').values()).toEqual([[1]]);
    db.close();
    copy.remove();
  });
});

describe('rule 18', () => {
  test('a newer store is refused with the remedy, and nothing is changed', async () => {
    await t.deliver(message(1), 'anna');
    await t.close();
    const { directory } = layoutOf(folders.settings);
    const db = new Database(directory);
    db.run('UPDATE state SET format = 99');
    seal(db, DIRECTORY_TABLES, 'state');
    db.close();
    const before = dump(folders.settings);
    expect(() => new TestStore(folders)).toThrow(
      /store format 99, this program knows up to \d+: start the newer/,
    );
    expect(openStore(folders.settings, new Lines(), 'direct')).rejects.toThrow(/start the newer mailstore/);
    expect(dump(folders.settings)).toBe(before);
    const again = new Database(directory);
    again.run('UPDATE state SET format = ?', [STORE_FORMAT]);
    seal(again, DIRECTORY_TABLES, 'state');
    again.close();
    t = new TestStore(folders);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('everything in the store is private', async () => {
    await t.deliver(message(1), 'anna');
    await t.deliver(message(2, 100_000), 'bert');
    await t.checkpoint();
    const root = folders.root;
    for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
      const { mode } = statSync(join(root, name));
      if ((mode & 0o170000) === 0o100000) expect(`${name} ${(mode & 0o777).toString(8)}`).toBe(`${name} 600`);
    }
  });
});
