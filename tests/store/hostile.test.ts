/** Hostile input and hostile machines, as far as the store itself meets them. */
import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, setSystemTime, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MailError } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import { OWNER_TABLES } from '../../src/store/index/tables.ts';
import { layoutOf } from '../../src/store/layout.ts';
import { UidSet } from '../../src/store/uidset.ts';
import { type SmallDisk, smallDisk } from './faults.ts';
import {
  box,
  damage,
  dump,
  inbox,
  message,
  messageFiles,
  seal,
  TestFolders,
  TestStore,
} from './teststore.ts';

// Other work may share the machine.
setDefaultTimeout(60_000);

let folders: TestFolders;
let t: TestStore;
let disk: SmallDisk | null = null;

beforeEach(() => {
  folders = new TestFolders();
  t = new TestStore(folders);
});
afterEach(async () => {
  setSystemTime();
  await t.close().catch(() => {});
  disk?.unmount();
  disk = null;
  folders.remove();
});

async function codeOf(change: Promise<unknown>): Promise<string> {
  try {
    await change;
    return 'ok';
  } catch (error) {
    return (error as MailError).code;
  }
}

describe('names (FIELD 26)', () => {
  test('no name reaches the disk or breaks out of it', async () => {
    await t.deliver(message(1), 'anna');
    const session = t.as('anna');
    const deep = Array.from({ length: limits.mailbox_depth.value + 1 }, () => 'd').join('/');
    const bad = [
      '..',
      '.',
      'a/..',
      'a//b',
      '/a',
      'a/',
      'a\u0000b',
      'a\nb',
      'x'.repeat(limits.mailbox_name.value + 1),
      deep,
    ];
    for (const path of bad) expect(await codeOf(session.create(box('anna', path)))).toBe('cannot');
    await session.create(box('anna', 'Work'));
    for (const path of bad) {
      expect(await codeOf(session.rename(box('anna', 'Work'), box('anna', path)))).toBe('cannot');
    }
    for (const path of bad) expect(await codeOf(session.subscribe(box('anna', path), true))).toBe('cannot');
    const odd = ['a!b', 'a^b', 'a.b', 'stage.', 'index.db', 'Ä ö', 'work', '%', '*', '~', '&-'];
    for (const path of odd) expect(await codeOf(session.create(box('anna', path)))).toBe('ok');
    for (const path of odd) {
      expect((await t.append(session, box('anna', path), message(path))).uid).toBe(1);
    }
    const found = readdirSync(layoutOf(folders.settings).userFolder('a/user/anna'));
    expect(found.filter((name) => !name.startsWith('index.db'))).toEqual([]);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('RENAME into itself, below itself, to what is there, of INBOX', async () => {
    await t.deliver(message(1), 'anna');
    const session = t.as('anna');
    await session.create(box('anna', 'a/b'));
    expect(await codeOf(session.rename(box('anna', 'a'), box('anna', 'a/b/c')))).toBe('cannot');
    expect(await codeOf(session.rename(box('anna', 'a'), box('anna', 'a')))).toBe('alreadyexists');
    expect(await codeOf(session.rename(box('anna', 'a/b'), inbox('anna')))).toBe('alreadyexists');
    expect(await codeOf(session.rename(inbox('anna'), box('anna', 'saved')))).toBe('ok');
    expect(session.info(inbox('anna')).exists).toBe(0);
    expect(session.info(box('anna', 'saved')).exists).toBe(1);
    expect(await codeOf(session.delete(inbox('anna')))).toBe('cannot');
  });

  test('a rename that would lengthen a folder below beyond the limit changes nothing', async () => {
    await t.deliver(message(1), 'anna');
    const session = t.as('anna');
    const long = 'y'.repeat(limits.mailbox_name.value - 10);
    await session.create(box('anna', `a/${long}`));
    const before = dump(folders.settings);
    expect(await codeOf(session.rename(box('anna', 'a'), box('anna', 'b'.repeat(50))))).toBe('cannot');
    expect(dump(folders.settings).replaceAll(/"anna",\d+,/g, '')).toBe(before.replaceAll(/"anna",\d+,/g, ''));
  });

  test('the number of mailboxes is limited', async () => {
    await t.deliver(message(1), 'anna');
    const { value } = limits.store_mailboxes;
    const names = Array.from({ length: value }, (_, at) => box('anna', `f${at}`));
    const codes = await Promise.all(names.map((name) => codeOf(t.as('anna').create(name))));
    expect(codes.filter((code) => code === 'ok').length).toBe(value - 1);
    expect(codes.at(-1)).toBe('limit');
  }, 30_000);
});

describe('numbers (FIELD 27, 28)', () => {
  test('a mailbox whose UIDs are used up takes nothing more and keeps what it has', async () => {
    await t.deliver(message(1), 'anna');
    await t.as('anna').create(box('anna', 'Work'));
    await t.close();
    const db = new Database(layoutOf(folders.settings).index('a/user/anna'));
    db.run("UPDATE mailbox SET uidnext = 4294967294 WHERE path = 'Work'");
    seal(db, OWNER_TABLES, 'mailbox');
    db.close();
    t = new TestStore(folders);
    const session = t.as('anna');
    expect((await t.append(session, box('anna', 'Work'), message(2))).uid).toBe(4294967294);
    expect(await codeOf(t.append(session, box('anna', 'Work'), message(3)))).toBe('cannot');
    const handle = await session.select(inbox('anna'), false, () => {});
    expect(await codeOf(handle.copy(UidSet.of(1), box('anna', 'Work')))).toBe('cannot');
    expect(await codeOf(handle.move(UidSet.of(1), box('anna', 'Work')))).toBe('cannot');
    const work = await session.select(box('anna', 'Work'), false, () => {});
    expect(work.narrow(UidSet.range(1, 4294967295), 0, 10).map((row) => row[0])).toEqual([4294967294]);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('conditions no modseq can meet', async () => {
    await t.deliver(message(1), 'anna');
    const handle = await t.as('anna').select(inbox('anna'), false, () => {});
    for (const since of [0, Number.MAX_SAFE_INTEGER, 2 ** 63 - 1024]) {
      const { changed, modified } = await handle.store(UidSet.of(1), 'add', [`k${since}`], since);
      expect([changed.size, modified.size]).toEqual(since === 0 ? [0, 1] : [1, 0]);
    }
    expect(handle.changedSince(2 ** 62).changed.isEmpty).toBe(true);
  });

  test('keywords up to the last bit, and one more', async () => {
    await t.deliver(message(1), 'anna');
    const session = t.as('anna');
    const handle = await session.select(inbox('anna'), false, () => {});
    const names = Array.from({ length: 57 }, (_, at) => `keyword${at}`);
    await handle.store(UidSet.of(1), 'add', names);
    expect(await codeOf(handle.store(UidSet.of(1), 'add', ['another']))).toBe('limit');
    expect(handle.keywords.length).toBe(57);
    expect(handle.keywordsOpen).toBe(false);
    await session.create(box('anna', 'Work'));
    await t.append(session, box('anna', 'Work'), message(2), ['first', 'keyword56', 'KEYWORD0']);
    await handle.copy(UidSet.of(1), box('anna', 'Work'));
    const work = await session.select(box('anna', 'Work'), false, () => {});
    await work.store(UidSet.of(2), 'remove', ['keyword3']);
    const [, copied] = work.narrow(UidSet.range(1, 2), 0, 2);
    const [first, ...others] = work.keywords;
    expect(first).toBe('first');
    // One of the 57 found no room there; none of them became another.
    expect(others.length).toBe(56);
    const bits = (BigInt(copied?.[2] ?? 0) << 32n) | BigInt(copied?.[1] ?? 0);
    const has = work.keywords.filter((_, at) => (bits >> BigInt(at + 5)) & 1n);
    expect(has.sort()).toEqual(others.filter((name) => name !== 'keyword3').sort());
    expect(damage(folders.settings)).toEqual([]);
  });

  test('a copy whose keywords find no room at all gets none', async () => {
    await t.deliver(message(1), 'anna');
    const session = t.as('anna');
    await session.create(box('anna', 'Full'));
    await t.append(session, box('anna', 'Full'), message(2), Array.from({ length: 57 }, (_, at) => `k${at}`));
    const handle = await session.select(inbox('anna'), false, () => {});
    await handle.store(UidSet.of(1), 'add', ['stranger', '\\Flagged']);
    await handle.copy(UidSet.of(1), box('anna', 'Full'));
    const target = await session.select(box('anna', 'Full'), true, () => {});
    const [row] = target.narrow(UidSet.of(2), 0, 1);
    expect([row?.[1], row?.[2]]).toEqual([2, 0]);
  });
});

describe('sizes (FIELD 42)', () => {
  test.each([1000, 200_000])(
    'a message beyond the limit of %d bytes is refused at once and leaves nothing',
    (limit) => {
      const stage = t.store.stage(limit);
      const chunk = Buffer.alloc(Math.min(limit, 50_000), 'x');
      let taken = 0;
      expect(() => {
        for (;;) {
          stage.write(chunk);
          taken += chunk.length;
        }
      }).toThrow(expect.objectContaining({ code: 'toobig' }));
      expect(taken).toBeLessThanOrEqual(limit);
      stage.abort();
      stage.abort();
      const left = join(folders.spool, 'stage.');
      expect(existsSync(left) ? readdirSync(left) : []).toEqual([]);
    },
  );
});

describe('full disks (FIELD 43)', () => {
  /** Fills what is left. */
  function fill(path: string): void {
    const block = Buffer.alloc(4096);
    for (let n = 0;; n++) {
      try {
        writeFileSync(join(path, `fill${n}`), block);
        if (statSync(join(path, `fill${n}`)).size < block.length) return;
      } catch {
        return;
      }
    }
  }

  function free(path: string): void {
    for (const name of readdirSync(path)) if (name.startsWith('fill')) rmSync(join(path, name));
  }

  test('under the spool: refused as temporary, nothing half-done, everything before is there', async () => {
    await t.close();
    folders.remove();
    disk = smallDisk(1 << 20);
    folders = new TestFolders({ partition: { default: join(disk.path, 'spool') } });
    t = new TestStore(folders);
    await t.deliver(message(1), 'anna', 'bert');
    fill(disk.path);
    const before = dump(folders.settings);
    for (const size of [300, 20_000, 200_000]) {
      const delivery = t.deliver(message('big', size), 'anna', 'bert').then((results) =>
        results.map((r) => r.error?.code)
      );
      const codes = await delivery.catch((error: MailError) => [error.code]);
      for (const code of codes) expect(code).toBe('unavailable');
      expect(await codeOf(t.append(t.as('anna'), inbox('anna'), message('big', size)))).toBe('unavailable');
    }
    expect(dump(folders.settings)).toBe(before);
    expect(messageFiles(join(disk.path, 'spool')).length).toBe(2);
    expect(damage(folders.settings)).toEqual([]);
    // What needs no room there goes on.
    await t.as('anna').create(box('anna', 'Work'));
    free(disk.path);
    const [later] = await t.deliver(message(2), 'anna');
    expect(later?.uid).toBe(2);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('under log and indexes: the process ends, nothing acknowledged is lost', async () => {
    await t.close();
    folders.remove();
    disk = smallDisk(2 << 20);
    folders = new TestFolders({ configdirectory: join(disk.path, 'lib') });
    t = new TestStore(folders);
    const taken: string[] = [];
    for (let n = 0; n < 2000 && t.fatal === null; n++) {
      const [result] = await t.deliver(message(n, 3000), n % 2 === 0 ? 'anna' : 'bert');
      if (result?.uid !== undefined) taken.push(`${result.target.userid} ${result.uid} ${n}`);
      else {
        expect(result?.error?.code).toBe('unavailable');
        if (t.fatal === null) fill(disk.path);
      }
    }
    expect(taken.length).toBeGreaterThan(20);
    t.abandon();
    free(disk.path);
    // Room for what recovery itself needs: a new segment and the journals.
    disk.grow(8 << 20);
    t = new TestStore(folders);
    const found: string[] = [];
    for (const user of ['anna', 'bert']) {
      const handle = await t.as(user).select(inbox(user), true, () => {});
      for (const row of handle.wide(handle.uids(), 0, 10_000, ['envelope'])) {
        found.push(`${user} ${row[0]} ${/message (\d+)/.exec(row[8])?.[1]}`);
      }
    }
    for (const line of taken) expect(found).toContain(line);
    expect(found.length - taken.length).toBeLessThanOrEqual(1);
    expect(damage(folders.settings)).toEqual([]);
  }, 30_000);
});

describe('partitions on different disks', () => {
  test('a large body and a copy between them are copied (EXDEV)', async () => {
    await t.deliver(message(1), 'anna');
    await t.close();
    disk = smallDisk(8 << 20);
    const { configdirectory, partition: { default: first } } = folders.settings;
    const partition = { default: first as string, other: join(disk.path, 'other') };
    const settings = new TestFolders({ configdirectory, partition, defaultpartition: 'other' }, folders.root);
    mkdirSync(partition.other, { recursive: true });
    folders = settings;
    t = new TestStore(folders);
    await t.deliver(message(2, 300_000), 'anna', 'bert');
    expect(messageFiles(partition.default).length).toBe(2);
    expect(messageFiles(partition.other).length).toBe(1);
    await t.as('anna').setAcl(inbox('anna'), 'bert', 'lr');
    const handle = await t.as('bert').select(inbox('anna'), true, () => {});
    await handle.copy(UidSet.range(1, 2), inbox('bert'));
    expect(messageFiles(partition.other).length).toBe(3);
    expect(damage(folders.settings)).toEqual([]);
    // After a loss of power: again from the stage, and from the other disk.
    for (const path of messageFiles(partition.other)) rmSync(path);
    t.abandon();
    t = new TestStore(folders, true);
    expect(damage(folders.settings)).toEqual([]);
    // No room for the copy: nothing of it stays.
    disk.fill();
    const files = messageFiles(partition.other);
    const again = await t.as('bert').select(inbox('anna'), true, () => {});
    expect(await codeOf(again.copy(UidSet.of(2), inbox('bert')))).toBe('unavailable');
    expect(messageFiles(partition.other)).toEqual(files);
  });
});

describe('clocks (FIELD 83)', () => {
  test('before 1970, after 2038, back and forth: mail comes in and is found in the order of its UIDs', async () => {
    const times = [
      '2026-10-25T02:59:59Z',
      '1969-12-31T23:59:00Z',
      '2038-01-19T03:14:08Z',
      '2105-01-01T00:00:00Z',
      '2026-10-25T01:00:00Z',
    ];
    for (const [at, time] of times.entries()) {
      setSystemTime(new Date(time));
      const [result] = await t.deliver(message(at), 'anna');
      expect(result?.uid).toBe(at + 1);
      t.abandon();
      t = new TestStore(folders);
    }
    const handle = await t.as('anna').select(inbox('anna'), false, () => {});
    const rows = handle.narrow(handle.uids(), 0, 10);
    expect(rows.map((row) => row[5])).toEqual(times.map((time) => Date.parse(time) / 1000));
    for (let at = 1; at < rows.length; at++) {
      expect(rows[at]?.[3]).toBeGreaterThan(rows[at - 1]?.[3] as number);
    }
    await handle.store(handle.uids(), 'add', ['\\Deleted']);
    await handle.expunge(null);
    expect((await t.store.admin.expire({ expungeDays: 0, deleteDays: 0 })).messages).toBe(5);
    expect(damage(folders.settings)).toEqual([]);
  });
});

describe('existence (FIELD 73, 74)', () => {
  test('what is hidden and what is not there get the same answer from every operation', async () => {
    await t.deliver(message(1), 'anna', 'bert');
    await t.as('anna').create(box('anna', 'Hidden/below'));
    for (const path of ['', 'Hidden', 'Hidden/below']) {
      await t.as('anna').setAcl(box('anna', path), 'bert', null);
    }
    const bert = t.as('bert');
    const own = await bert.select(inbox('bert'), false, () => {});
    const answer = async (act: () => unknown): Promise<string> => {
      try {
        await act();
        return 'ok';
      } catch (error) {
        const { kind, code, message: text } = error as MailError;
        return `${kind} ${code} ${text}`;
      }
    };
    const operations: Record<string, (owner: string, path: string) => unknown> = {
      info: (owner, path) => bert.info({ owner, path }),
      select: (owner, path) => bert.select({ owner, path }, false, () => {}),
      create: (owner, path) => bert.create({ owner, path }),
      createBelow: (owner, path) => bert.create({ owner, path: `${path}/x`.replace(/^\//, '') }),
      delete: (owner, path) => bert.delete({ owner, path }),
      rename: (owner, path) => bert.rename({ owner, path }, { owner, path: 'Other' }),
      renameTo: (owner, path) => bert.rename(inbox('bert'), { owner, path }),
      acl: (owner, path) => bert.acl({ owner, path }),
      setAcl: (owner, path) => bert.setAcl({ owner, path }, 'bert', 'lr'),
      append: (owner, path) => t.append(bert, { owner, path }, message(9)),
      copy: (owner, path) => own.copy(UidSet.of(1), { owner, path }),
      move: (owner, path) => own.move(UidSet.of(1), { owner, path }),
      quotaRoots: (owner, path) => bert.quotaRoots({ owner, path }),
      quota: (owner, path) => bert.quota({ owner, path }),
      setQuota: (owner, path) => bert.setQuota({ owner, path }, { storage: 1, messages: 1 }),
      subscribe: (owner, path) => bert.subscribe({ owner, path }, true),
    };
    const hidden = [['anna', ''], ['anna', 'Hidden'], ['anna', 'Hidden/below']] as const;
    const absent = [['nobody', ''], ['nobody', 'Hidden'], ['anna', 'Absent/below']] as const;
    for (const [name, operation] of Object.entries(operations)) {
      for (const [at, [owner, path]] of hidden.entries()) {
        const [otherOwner, otherPath] = absent[at] as readonly [string, string];
        const there = await answer(() => operation(owner, path));
        const not = await answer(() => operation(otherOwner, otherPath));
        expect(`${name} ${path}: ${there}`).toBe(`${name} ${path}: ${not}`);
      }
    }
    expect(bert.list().map(({ name }) => name.owner)).toEqual(['bert']);
    expect(bert.info(inbox('bert')).exists).toBe(1);
  });

  test('a child that is hidden is none', async () => {
    await t.deliver(message(1), 'anna', 'bert');
    await t.as('anna').create(box('anna', 'Shared/secret'));
    await t.as('anna').setAcl(box('anna', 'Shared'), 'bert', 'lr');
    expect(t.as('bert').list().find(({ name }) => name.owner === 'anna')?.hasChildren).toBe(false);
    expect(t.as('bert').info(box('anna', 'Shared')).hasChildren).toBe(false);
    expect(t.as('anna').info(box('anna', 'Shared')).hasChildren).toBe(true);
  });

  test('an administrator of one domain has nothing to say in another', async () => {
    await t.close();
    folders.remove();
    folders = new TestFolders({ virtdomains: 'userid', defaultdomain: 'example.org' });
    t = new TestStore(folders);
    await t.deliver(message(1), 'anna@a.example', 'bert@b.example');
    const admin = t.as('admin@a.example', { admin: true });
    const there = inbox('bert@b.example');
    expect(await codeOf(admin.create(box('bert@b.example', 'x')))).not.toBe('ok');
    expect(await codeOf(admin.setQuota(there, { storage: 1, messages: 1 }))).not.toBe('ok');
    expect(await codeOf(admin.delete(there))).toBe('nonexistent');
    expect(await codeOf(admin.setAcl(there, 'admin@a.example', 'lr'))).toBe('nonexistent');
    expect(() => admin.quota(there)).toThrow(expect.objectContaining({ code: 'nonexistent' }));
    expect(admin.list().map(({ name }) => name.owner)).toEqual(['anna@a.example']);
    expect(await codeOf(admin.setQuota(inbox('anna@a.example'), { storage: 1 << 20, messages: null }))).toBe(
      'ok',
    );
  });
});
