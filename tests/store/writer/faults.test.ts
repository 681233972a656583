/** What the writer does when something fails in the middle: a change, the disk under the log, the disk under an index. */
import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { cpSync, readFileSync, readSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MailError } from '../../../src/errors.ts';
import { listSegments } from '../../../src/store/log/segment.ts';
import { completeCheckpoint } from '../../../src/store/writer/checkpoint.ts';
import { full, unsyncable } from '../faults.ts';
import { box, damage, dump, inbox, message, messageFiles, TestFolders, TestStore } from '../teststore.ts';

// Other work may share the machine.
setDefaultTimeout(60_000);

let folders: TestFolders;
let t: TestStore;

beforeEach(() => {
  folders = new TestFolders();
  t = new TestStore(folders);
});
afterEach(async () => {
  await t.close().catch(() => {});
  folders.remove();
});

/** Replaces the descriptor the log writes to; returns the one it had. */
function logTo(fd: number): number {
  const { current } = t.writer.redo as unknown as { current: { fd: number } };
  const before = current.fd;
  current.fd = fd;
  return before;
}

function indexOf(userid: string): Database {
  const owner = t.writer.state.directory.owner(userid);
  if (owner === null) throw new Error(`no ${userid}`);
  return new Database(t.writer.layout.index(owner.folder), { readwrite: true, create: false });
}

/** From now on no change of this user's mailboxes can be committed. */
function breakCommits(userid: string): () => void {
  const db = indexOf(userid);
  db.run("CREATE TRIGGER broken BEFORE UPDATE ON mailbox BEGIN SELECT RAISE(ABORT, 'the disk is gone'); END");
  db.close();
  return () => {
    const again = indexOf(userid);
    again.run('DROP TRIGGER broken');
    again.close();
  };
}

describe('a change that fails', () => {
  test('after it emitted events leaves no trace, and the others of its batch are done', async () => {
    await t.deliver(message(1), 'anna', 'bert');
    // Files of bert's cannot be made: where his folder should be lies a file.
    const bert = dirname(
      dirname(messageFiles(folders.spool).find((path) => path.includes('bert')) as string),
    );
    rmSync(bert, { recursive: true });
    writeFileSync(bert, '');
    const before = t.as('bert').info(inbox('bert'));
    const results = await Promise.all([
      t.deliver(message(2), 'anna'),
      t.deliver(message(3), 'bert'),
      t.as('anna').create(box('anna', 'Work')).then(() => 'created'),
      t.deliver(message(4), 'anna', 'bert'),
      t.deliver(message(5), 'anna'),
    ]);
    const [second, third, created, fourth, fifth] = results;
    expect(second[0]?.uid).toBe(2);
    expect(third[0]?.error?.code).toBe('unavailable');
    expect(created).toBe('created');
    expect(fourth.map((result) => result.error?.code)).toEqual(['unavailable', 'unavailable']);
    expect(fifth[0]?.uid).toBe(3);
    expect(t.as('bert').info(inbox('bert'))).toEqual(before);
    expect(messageFiles(folders.spool).length).toBe(3);
    rmSync(bert);
    const [later] = await t.deliver(message(6), 'bert');
    expect(later?.uid).toBe(2);
    const state = dump(folders.settings);
    t.abandon();
    t = new TestStore(folders);
    expect(dump(folders.settings)).toBe(state);
  });

  test('for one of its recipients after it was begun takes its whole record along', async () => {
    await t.close();
    const { partition: { default: only } } = folders.settings;
    const two = { default: only as string, other: join(folders.root, 'other') };
    folders = new TestFolders({ partition: two, defaultpartition: 'other' }, folders.root);
    t = new TestStore(folders);
    await t.deliver(message(1), 'bert');
    await t.checkpoint();
    await t.close();
    // Bert's partition is not configured any more.
    folders = new TestFolders({}, folders.root);
    t = new TestStore(folders);
    await t.deliver(message(2), 'anna');
    const before = dump(folders.settings);
    const results = await t.deliver(message(3), 'anna', 'bert');
    expect(results.map(({ error }) => error?.code)).toEqual(['unavailable', 'unavailable']);
    expect(dump(folders.settings)).toBe(before);
    expect((await t.deliver(message(4), 'anna'))[0]?.uid).toBe(2);
    t.abandon();
    t = new TestStore(folders);
    expect(t.lines.lines).toEqual([]);
    expect(t.as('bert').info(inbox('bert')).exists).toBe(1);
  });

  test('a refusal is the caller’s own: nothing of the others is done twice', async () => {
    await t.deliver(message(1), 'anna');
    const lsn = t.writer.durableLsn;
    const [created, refused] = await Promise.allSettled([
      t.as('anna').create(box('anna', 'Work')),
      t.as('anna').create(box('anna', 'Work')),
      t.deliver(message(2), 'anna'),
    ]);
    expect(created?.status).toBe('fulfilled');
    expect(refused?.status).toBe('rejected');
    expect(t.writer.durableLsn).toBe(lsn + 2);
    expect(t.lines.lines).toEqual([]);
  });
});

describe('rule 1: a log that cannot be written or synced', () => {
  test.each(['sync', 'write'])(
    'a failing %s: everybody is told to try again, nothing is visible, the process is to end',
    async (kind) => {
      await t.deliver(message(1), 'anna', 'bert');
      const heard: string[] = [];
      await t.as('anna').select(inbox('anna'), false, ({ kind }) => heard.push(kind));
      const before = dump(folders.settings);
      const files = messageFiles(folders.spool);
      const real = logTo(kind === 'sync' ? unsyncable(folders.root) : full());
      const changes = [
        t.deliver(message(2), 'anna', 'bert').then((results) => results.map(({ error }) => error?.code)),
        t.as('anna').create(box('anna', 'Work')).catch((error: MailError) => error.code),
        t.as('bert').subscribe(inbox('anna'), true).catch((error: MailError) => error.code),
      ];
      expect(await Promise.all(changes)).toEqual([
        ['unavailable', 'unavailable'],
        'unavailable',
        'unavailable',
      ]);
      expect(t.fatal).toBeInstanceOf(Error);
      expect(heard).toEqual([]);
      // Nor is anything taken afterwards.
      const refused = await t.deliver(message(3), 'anna');
      expect(refused[0]?.error?.code).toBe('unavailable');
      logTo(real);
      t.abandon();
      expect(dump(folders.settings)).toBe(before);
      expect(messageFiles(folders.spool)).toEqual(files);
      t = new TestStore(folders);
      expect(dump(folders.settings)).toBe(before);
      const [next] = await t.deliver(message(4), 'anna');
      expect(next?.uid).toBe(2);
    },
  );

  test('a batch whose sync failed may be there after the restart, whole; once it was not, never again', async () => {
    await t.deliver(message(1), 'anna');
    const before = dump(folders.settings);
    const path = listSegments(folders.log).at(-1) as string;
    const good = readFileSync(path);
    const pipe = unsyncable(folders.root);
    logTo(pipe);
    await t.deliver(message(2), 'anna', 'bert');
    const room = Buffer.alloc(1 << 16);
    const batch = room.subarray(0, readSync(pipe, room, 0, room.length, null));
    t.abandon();
    rmSync(join(folders.root, 'unsyncable'));
    const torn = folders.copy();
    writeFileSync(path, Buffer.concat([good, batch]));
    t = new TestStore(folders);
    expect(t.as('bert').info(inbox('bert')).exists).toBe(1);
    expect(t.as('anna').info(inbox('anna')).exists).toBe(2);
    expect(damage(folders.settings)).toEqual([]);
    // The same, but the disk forgot the end of it and remembers it later.
    const there = listSegments(torn.log).at(-1) as string;
    writeFileSync(there, Buffer.concat([good, batch.subarray(0, batch.length - 1)]));
    const first = new TestStore(torn);
    expect(dump(torn.settings)).toBe(before);
    await first.deliver(message(3), 'cora');
    const after = dump(torn.settings);
    first.abandon();
    writeFileSync(there, Buffer.concat([good, batch]));
    const second = new TestStore(torn);
    expect(dump(torn.settings)).toBe(after);
    await second.close();
    torn.remove();
  });
});

describe('promise 1', () => {
  test('rule 9: until the sync is done nothing is visible, told or answered', async () => {
    await t.deliver(message(1), 'anna');
    const before = t.writer.durableLsn;
    const heard: string[] = [];
    let answered = false;
    await t.as('anna').select(inbox('anna'), false, ({ kind }) => heard.push(kind));
    const { redo } = t.writer;
    const append = redo.append.bind(redo);
    const reached = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    redo.append = async (records) => {
      reached.resolve();
      await release.promise;
      await append(records);
    };
    const delivery = t.deliver(message(2), 'anna').then((results) => {
      answered = true;
      return results;
    });
    await reached.promise;
    expect(t.as('anna').info(inbox('anna')).exists).toBe(1);
    expect(heard).toEqual([]);
    expect(answered).toBe(false);
    expect(t.writer.durableLsn).toBe(before);
    release.resolve();
    expect((await delivery)[0]?.uid).toBe(2);
    expect(t.as('anna').info(inbox('anna')).exists).toBe(2);
    expect(heard).toEqual(['exists']);
  });
});

describe('rule 4: an index that cannot be committed after the log was synced', () => {
  test('the change is answered as done, the owner is closed, others go on, and it is applied again', async () => {
    await t.deliver(message(1), 'anna', 'bert');
    const mend = breakCommits('anna');
    const results = await t.deliver(message(2), 'anna', 'bert');
    expect(results.map(({ uid }) => uid)).toEqual([2, 2]);
    expect(t.lines.lines.some((line) => line.includes('owner closed'))).toBe(true);
    expect(t.as('bert').info(inbox('bert')).exists).toBe(2);
    // What lacks an acknowledged message is not shown, and takes none.
    const unavailable = expect.objectContaining({ code: 'unavailable' });
    expect(() => t.as('anna').info(inbox('anna'))).toThrow(unavailable);
    expect(t.deliver(message(3), 'anna')).rejects.toThrow(unavailable);
    const [open] = await t.deliver(message(3), 'bert');
    expect(open?.uid).toBe(3);
    // A checkpoint does not wait for it.
    expect(await t.checkpoint()).toBeGreaterThan(0);
    const { durableLsn, repairs } = t.writer;
    mend();
    const limit = Date.now() + 10_000;
    for (;;) {
      const [result] = await t.deliver(message(4), 'anna').catch(() => []);
      if (result?.uid !== undefined) break;
      if (Date.now() > limit) throw new Error('the owner was not opened again');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(t.as('anna').info(inbox('anna')).exists).toBe(3);
    expect(damage(folders.settings)).toEqual([]);
    // A sync from before it was written again does not stand for it.
    expect((await completeCheckpoint(t.writer, durableLsn, repairs)).checkpoint).toBe(0);
    expect(await t.checkpoint()).toBeGreaterThan(0);
  });

  test('where it failed once the change can be read when it is answered', async () => {
    await t.deliver(message(1), 'anna');
    const owner = t.writer.state.directory.owner('anna');
    if (owner === null) throw new Error('no anna');
    t.writer.state.owners.open(owner).commit = () => {
      throw new Error('database or disk is full');
    };
    const [result] = await t.deliver(message(2), 'anna');
    expect(result?.uid).toBe(2);
    expect(t.as('anna').info(inbox('anna')).exists).toBe(2);
    expect(t.writer.state.owners.closed.size).toBe(0);
    expect((await t.deliver(message(3), 'anna'))[0]?.uid).toBe(3);
  });

  test('also by the next start', async () => {
    await t.deliver(message(1), 'anna');
    const mend = breakCommits('anna');
    await t.deliver(message(2), 'anna');
    mend();
    t.abandon();
    t = new TestStore(folders);
    expect(t.as('anna').info(inbox('anna')).exists).toBe(2);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('a directory.db that cannot be committed ends the process; the next one has the change', async () => {
    await t.deliver(message(1), 'anna');
    const db = new Database(t.writer.layout.directory, { readwrite: true, create: false });
    db.run("CREATE TRIGGER broken BEFORE UPDATE ON state BEGIN SELECT RAISE(ABORT, 'the disk is gone'); END");
    await t.as('anna').create(box('anna', 'Work')).catch(() => {});
    expect(t.fatal).toBeInstanceOf(Error);
    t.abandon();
    db.run('DROP TRIGGER broken');
    db.close();
    t = new TestStore(folders);
    expect(t.as('anna').list().map(({ name }) => name.path)).toEqual(['', 'Work']);
    expect(damage(folders.settings)).toEqual([]);
  });
});

describe('removing a user', () => {
  test('and delivering to the same name at once: the new mail stays, nothing of the old one comes back', async () => {
    await t.deliver(message(1), 'anna');
    await t.as('anna').create(box('anna', 'Private'));
    const before = t.as('anna').info(inbox('anna'));
    const user = `${folders.settings.configdirectory}/user`;
    cpSync(user, `${folders.root}/before`, { recursive: true });
    // All of them in one batch.
    await new Promise((resolve) => setImmediate(resolve));
    const [, delivered] = await Promise.all([
      t.store.admin.purgeUser('anna'),
      t.deliver(message(2), 'anna'),
      t.deliver(message(3), 'bert'),
    ]);
    expect(delivered[0]?.uid).toBe(1);
    expect(delivered[0]?.uidvalidity).toBeGreaterThan(before.uidvalidity);
    expect(damage(folders.settings)).toEqual([]);
    const state = dump(folders.settings);
    t.abandon();
    // Rule 3: replayed from nothing, the old records do not reach the new owner; nor does the old index, where the disk
    // forgot that it was removed.
    for (const old of [null, `${folders.root}/before`]) {
      rmSync(user, { recursive: true });
      if (old !== null) cpSync(old, user, { recursive: true });
      for (const suffix of ['', '-wal', '-shm']) rmSync(t.writer.layout.directory + suffix);
      t = new TestStore(folders);
      expect(t.lines.lines).toEqual([]);
      expect(dump(folders.settings)).toBe(state);
      t.abandon();
    }
    t = new TestStore(folders);
    expect(t.as('anna').list().map(({ name }) => name.path)).toEqual(['']);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('what was copied from him stays, whatever becomes of the power', async () => {
    await t.deliver(message(1), 'anna');
    await t.as('anna').setAcl(inbox('anna'), 'bert', 'lr');
    await t.deliver(message(2), 'bert');
    const handle = await t.as('bert').select(inbox('anna'), true, () => {});
    await handle.copy(handle.uids(), inbox('bert'));
    handle.close();
    await t.store.admin.purgeUser('anna');
    t.abandon();
    rmSync(folders.settings.configdirectory + '/user', { recursive: true });
    t = new TestStore(folders, true);
    expect(t.as('bert').info(inbox('bert')).exists).toBe(2);
    expect(damage(folders.settings)).toEqual([]);
  });
});

describe('rule 6: files', () => {
  test('of purged messages stay until a checkpoint has the purge', async () => {
    await t.deliver(message(1), 'anna');
    await t.as('anna').setAcl(inbox('anna'), 'bert', 'lrswipkxtea');
    await t.deliver(message(2), 'bert');
    const handle = await t.as('bert').select(inbox('anna'), false, () => {});
    await handle.copy(handle.uids(), inbox('bert'));
    await handle.store(handle.uids(), 'add', ['\\Deleted']);
    await handle.expunge(null);
    handle.close();
    await t.store.admin.expire({ expungeDays: 0, deleteDays: 0 });
    expect(messageFiles(folders.spool).length).toBe(3);
    // Power fails now: the copy's name and bytes were never synced, its source's row is gone.
    const copy = messageFiles(folders.spool).filter((path) => path.includes('bert'));
    for (const path of copy) truncateSync(path, 0);
    t.abandon();
    t = new TestStore(folders, true);
    // Both names share the blocks, so both were emptied, and the source's row is gone.
    expect(damage(folders.settings)).toEqual([]);
    expect(t.as('bert').info(inbox('bert')).exists).toBe(2);
    expect(await t.checkpoint()).toBeGreaterThan(0);
    expect(messageFiles(folders.spool).length).toBe(2);
  });

  test('that are missing under a living row are an alarm, under a purged one they are expunged', async () => {
    await t.deliver(message(1), 'anna');
    const handle = await t.as('anna').select(inbox('anna'), false, () => {});
    const [row] = handle.narrow(handle.uids(), 0, 1);
    if (row === undefined) throw new Error('no row');
    const [path] = messageFiles(folders.spool);
    rmSync(path as string);
    expect(() => handle.content(row)).toThrow(expect.objectContaining({ code: 'corruption' }));
    await handle.store(handle.uids(), 'add', ['\\Deleted']);
    await handle.expunge(null);
    expect(() => handle.content(row)).toThrow(expect.objectContaining({ code: 'nonexistent' }));
    await t.store.admin.expire({ expungeDays: 0, deleteDays: 0 });
    expect(() => handle.content(row)).toThrow(expect.objectContaining({ code: 'nonexistent' }));
  });

  test('of one delivery share their blocks', async () => {
    await t.deliver(message(1), 'anna', 'bert', 'cora');
    await t.deliver(message(2, 200_000), 'anna', 'bert');
    const links = messageFiles(folders.spool).map((path) => statSync(path)).map(({ ino, nlink }) =>
      `${ino} ${nlink}`
    );
    expect(new Set(links).size).toBe(2);
  });
});
