/** Losing whole kinds of files: what is rebuilt, what is refused, and what the administrator is told. */
import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, spyOn, test } from 'bun:test';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readScrub, Scrub } from '../../src/store/janitor/scrub.ts';
import { layoutOf } from '../../src/store/layout.ts';
import { listSegments } from '../../src/store/log/segment.ts';
import {
  directorySnapshot,
  isSnapshot,
  makeDirectorySnapshot,
  makeSnapshot,
  snapshotLsn,
  snapshotPath,
} from '../../src/store/snapshot.ts';
import { UidSet } from '../../src/store/uidset.ts';
import { mend } from '../../src/store/writer/mend.ts';
import { box, damage, dump, inbox, message, messageFiles, TestFolders, TestStore } from './teststore.ts';

setDefaultTimeout(60_000);

let folders: TestFolders;
let t: TestStore;

const index = (userid: string): string => layoutOf(folders.settings).index(`${userid[0]}/user/${userid}`);
const snapshot = (userid: string): string => snapshotPath(folders.spool, `${userid[0]}/user/${userid}`);
const remove = (path: string): void => {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
};

/** Flips a bit wherever a text stands in a file: a database may hold remains of it in unused space. */
function flipAt(path: string, text: string): void {
  const bytes = readFileSync(path);
  if (!bytes.includes(text)) throw new Error(`${path} does not hold ${text}`);
  for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text)) {
    bytes[at] = (bytes[at] as number) ^ 1;
  }
  writeFileSync(path, bytes);
}

/** What the janitor does before segments go. */
async function snapshots(): Promise<void> {
  await t.checkpoint();
  for (const { id, folder } of t.writer.state.directory.owners()) {
    makeSnapshot(layoutOf(folders.settings).index(folder), snapshotPath(folders.spool, folder), id);
  }
  makeDirectorySnapshot(layoutOf(folders.settings).directory, directorySnapshot(folders.settings));
  t.writer.redo.removeThrough(t.writer.durableLsn);
}

async function some(from: number, count: number): Promise<void> {
  for (let n = from; n < from + count; n++) await t.deliver(message(n), 'anna', 'bert');
  const handle = await t.as('anna').select(inbox('anna'), false, () => {});
  await handle.store(UidSet.range(from + 1, from + 3), 'add', ['\\Flagged', 'word']);
  handle.close();
  await t.writer.idle();
}

beforeEach(async () => {
  folders = new TestFolders({ log_segment_size: 4000 });
  t = new TestStore(folders);
  await some(0, 10);
  await t.as('anna').create(box('anna', 'Work'));
  await t.as('anna').setAcl(box('anna', 'Work'), 'bert', 'lrswi');
  await t.store.secrets.set('anna', 'a secret');
  await snapshots();
  await some(10, 5);
});
afterEach(async () => {
  await t.close().catch(() => {});
  folders.remove();
});

/** directory.db's own numbers go on with a distance when it was derived. */
const withoutNumbers = (text: string): string => text.replace(/^state .*$/m, '');

describe('lost', () => {
  test('every index: rebuilt from snapshots and log when the store starts', async () => {
    const before = dump(folders.settings);
    t.abandon();
    for (const userid of ['anna', 'bert']) remove(index(userid));
    expect(damage(folders.settings).join()).toMatch(
      /index.db: the index is missing; run "mailstore reconstruct"/,
    );
    t = new TestStore(folders);
    expect(t.store.admin.owners().length).toBe(2);
    for (const userid of ['anna', 'bert']) {
      await t.as(userid).select(inbox(userid), true, () => {}).catch(() => {});
      await t.writer.idle();
    }
    expect(dump(folders.settings)).toBe(before);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('directory.db: exactly, from its snapshot and the log', async () => {
    await t.as('bert').create(box('bert', 'Later'));
    const before = dump(folders.settings);
    t.abandon();
    remove(layoutOf(folders.settings).directory);
    expect(damage(folders.settings).join()).toContain('directory.db is missing');
    t = new TestStore(folders);
    expect(t.lines.lines.join('\n')).toMatch(/error directory.db is damaged and made anew .*it is missing/);
    expect(dump(folders.settings)).toBe(before);
    expect(t.store.secrets.get('anna')?.secret).toBe('a secret');
    expect(damage(folders.settings)).toEqual([]);
  });

  test('directory.db and its snapshot: derived from the owners; numbers that never repeat go on with a distance', async () => {
    await t.as('bert').create(box('bert', 'Later'));
    const before = dump(folders.settings);
    const { nextOwner, uidvalidity } = t.writer.state.directory;
    t.abandon();
    remove(layoutOf(folders.settings).directory);
    rmSync(directorySnapshot(folders.settings));
    t = new TestStore(folders);
    expect(
      withoutNumbers(dump(folders.settings)).replace(/^secret .*\n/m, '').replace(
        /"[^"]*",\d+,null,\d+\]$/gm,
        '',
      ),
    )
      .toBe(withoutNumbers(before).replace(/^secret .*\n/m, '').replace(/"[^"]*",\d+,null,\d+\]$/gm, ''));
    expect(t.writer.state.directory.nextOwner).toBeGreaterThan(nextOwner);
    expect(t.writer.state.directory.uidvalidity).toBeGreaterThan(uidvalidity);
    expect(t.as('bert').list().map(({ name }) => `${name.owner}/${name.path}`)).toContain('anna/Work');
    // The administrator is told of the passwords until he says that it is enough.
    const [derived, ...others] = damage(folders.settings);
    expect(others).toEqual([]);
    expect(derived).toMatch(/directory.derived: .*passwords .* may be missing.* users have none \(.*bert/);
    await t.store.secrets.set('bert', 'a new secret');
    expect(damage(folders.settings).join()).not.toContain('bert');
    rmSync(join(folders.settings.configdirectory, 'directory.derived'));
    expect(damage(folders.settings)).toEqual([]);
  });

  test('every index and every directory file: both from snapshots and log', async () => {
    const before = dump(folders.settings);
    t.abandon();
    for (const userid of ['anna', 'bert']) remove(index(userid));
    remove(layoutOf(folders.settings).directory);
    rmSync(directorySnapshot(folders.settings));
    t = new TestStore(folders);
    const after = dump(folders.settings);
    for (const table of ['mailbox', 'msg', 'expunged', 'part']) {
      const rows = (text: string) => text.split('\n').filter((line) => line.includes(`user/anna ${table} `));
      expect(rows(after)).toEqual(rows(before));
    }
    expect(damage(folders.settings).map((text) => text.replace(/^.*\//, '').slice(0, 17))).toEqual([
      'directory.derived',
    ]);
  });

  test('everything but the message files: adopted by name into new mailboxes', async () => {
    const files = messageFiles(folders.spool).filter((path) => path.includes('anna')).length;
    t.abandon();
    rmSync(folders.settings.configdirectory, { recursive: true });
    for (const userid of ['anna', 'bert']) rmSync(snapshot(userid));
    rmSync(directorySnapshot(folders.settings));
    folders = new TestFolders(
      { ...folders.settings, configdirectory: folders.settings.configdirectory },
      folders.root,
    );
    t = new TestStore(folders);
    await expect(t.store.admin.reconstruct('anna', 'log')).rejects.toThrow(/no user anna/);
    await expect(t.store.admin.reconstruct('nobody', 'spool')).rejects.toThrow(
      /no user nobody.*no message files/,
    );
    const report = await t.store.admin.reconstruct('anna', 'spool');
    expect(report.messages).toBe(files);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('the whole log and an index: the snapshot alone is not the truth, and the log says what can be done', async () => {
    t.abandon();
    rmSync(folders.log, { recursive: true });
    remove(index('anna'));
    folders = new TestFolders({ ...folders.settings }, folders.root);
    t = new TestStore(folders);
    await t.deliver(message('new'), 'bert');
    const [answer] = await t.deliver(message('new'), 'anna').catch(() => [undefined]);
    expect(answer?.uid).toBeUndefined();
    await t.writer.idle();
    expect(t.lines.lines.join('\n')).toMatch(/owner stays closed .*anna.*--from-spool/);
    expect((await t.store.admin.reconstruct('anna', 'spool')).messages).toBe(15);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('a checkpoint file: its copy stands; both: the whole log is replayed', async () => {
    const before = dump(folders.settings);
    t.abandon();
    rmSync(join(folders.log, 'checkpoint'));
    t = new TestStore(folders);
    expect(dump(folders.settings)).toBe(before);
    t.abandon();
    writeFileSync(join(folders.log, 'checkpoint'), '');
    rmSync(join(folders.log, 'checkpoint.copy'));
    t = new TestStore(folders);
    expect(dump(folders.settings)).toBe(before);
    expect(damage(folders.settings)).toEqual([]);
  });
});

describe('a flipped bit', () => {
  test('in a part row is never copied to another owner: the index is closed, healed, and the copy then right', async () => {
    await t.close();
    // Closed: the journal was folded back.
    const db = new Database(index('anna'), { readwrite: true, create: false });
    db.run("UPDATE part SET envelope = replace(envelope, 'message 3', 'massage 3')");
    db.close();
    t = new TestStore(folders);
    await t.as('bert').create(box('bert', 'Shared'));
    await t.as('bert').setAcl(box('bert', 'Shared'), 'anna', 'lrswi');
    const handle = await t.as('anna').select(inbox('anna'), false, () => {});
    await expect(handle.copy(UidSet.range(1, 15), box('bert', 'Shared'))).rejects.toThrow(/damaged/);
    await t.writer.idle();
    expect(t.lines.lines.join('\n')).toMatch(/error index damaged, owner closed .*anna/);
    expect(t.lines.lines.join('\n')).toMatch(/warn index rebuilt .*anna/);
    await handle.copy(UidSet.range(1, 15), box('bert', 'Shared'));
    expect(damage(folders.settings)).toEqual([]);
    const shared = await t.as('bert').select(box('bert', 'Shared'), true, () => {});
    expect(JSON.stringify(shared.wide(shared.uids(), 0, 20, ['envelope']))).not.toContain('massage');
  });

  test('in an index never gets into its snapshot', async () => {
    await t.close();
    const db = new Database(index('anna'), { readwrite: true, create: false });
    db.run('UPDATE msg SET flags = (flags | 1) - (flags & 1) WHERE uid = 5');
    db.close();
    const before = readFileSync(snapshot('anna'));
    expect(() => makeSnapshot(index('anna'), snapshot('anna'), 1)).toThrow(
      /index.db is damaged: msg: .*UID 5/,
    );
    expect(readFileSync(snapshot('anna')).equals(before)).toBe(true);
    t = new TestStore(folders);
  });

  test('an index or a directory.db that lost its journal replaces no snapshot', () => {
    const anna = t.writer.state.directory.owner('anna');
    const lsn = t.writer.state.owners.peek(anna?.id ?? 0)?.lsn ?? 0;
    expect(lsn).toBeGreaterThan(0);
    makeSnapshot(index('anna'), snapshot('anna'), anna?.id ?? 0, lsn);
    const before = readFileSync(snapshot('anna'));
    expect(() => makeSnapshot(index('anna'), snapshot('anna'), anna?.id ?? 0, lsn + 1)).toThrow(/has had/);
    expect(readFileSync(snapshot('anna')).equals(before)).toBe(true);
    const { directory } = layoutOf(folders.settings);
    const path = directorySnapshot(folders.settings);
    const made = makeDirectorySnapshot(directory, path);
    const whole = readFileSync(path);
    expect(() => makeDirectorySnapshot(directory, path, made + 1)).toThrow(/has had/);
    expect(readFileSync(path).equals(whole)).toBe(true);
  });

  test('in a message file: named, put back from another recipient, or from the log, else said with its message', async () => {
    const path = messageFiles(folders.spool).find((file) =>
      file.includes('anna') && readFileSync(file).includes('body 3')
    ) as string;
    const twin = messageFiles(folders.spool).find((file) =>
      file.includes('bert') && readFileSync(file).includes('body 3')
    ) as string;
    expect(statSync(path).ino).toBe(statSync(twin).ino);
    // A file of its own, as where the file system cannot link.
    const bytes = readFileSync(path);
    rmSync(path);
    writeFileSync(path, bytes);
    flipAt(path, 'body 3');
    expect(damage(folders.settings).join()).toMatch(/the bytes of the file are not those that were stored/);
    expect(await t.store.admin.reconstruct('anna', 'log')).toMatchObject({ mended: [path], damaged: [] });
    expect(readFileSync(path).equals(bytes)).toBe(true);
    // The log still has message 12, whoever's file is gone.
    for (const file of messageFiles(folders.spool)) if (readFileSync(file).includes('body 12')) rmSync(file);
    for (const userid of ['anna', 'bert']) {
      expect((await t.store.admin.reconstruct(userid, 'log')).damaged).toEqual([]);
    }
    expect(damage(folders.settings)).toEqual([]);
    for (const file of [path, twin]) flipAt(file, 'body 3');
    const { damaged } = await t.store.admin.reconstruct('anna', 'log');
    expect(damaged).toEqual([
      `${path}: the bytes of the file are not those that were stored; anna: UID 4 of INBOX (<3@example.org>)`,
    ]);
  });

  test('a file that is too short or missing is an alarm, never garbage', async () => {
    const path = messageFiles(folders.spool).find((file) => file.includes('anna')) as string;
    const handle = await t.as('anna').select(inbox('anna'), false, () => {});
    rmSync(path);
    let told = '';
    for (const row of handle.narrow(handle.uids(), 0, 100)) {
      try {
        handle.content(row).close();
      } catch (error) {
        told += `${row[0]} ${error instanceof Error ? error.message : error}`;
      }
    }
    expect(told).toMatch(/^\d+ \/.*, the file of a message, is missing; run "mailstore reconstruct anna"$/);
  });
});

describe('a user whom a damaged directory.db does not find', () => {
  /** Flips a bit of the key in SQLite's index of the userids: rows stay as they are, only this way to them is gone. */
  function hide(userid: string): void {
    const path = layoutOf(folders.settings).directory;
    const db = new Database(path, { readwrite: true, create: false });
    db.run('PRAGMA wal_checkpoint(TRUNCATE)');
    db.close();
    const bytes = readFileSync(path);
    // An index record: length of its header, a text of four bytes, the constant 1 for the rowid.
    const at = bytes.indexOf(`\x03\x15\x09${userid}`, 0, 'latin1');
    expect(at).toBeGreaterThan(0);
    bytes[at + 6] = (bytes[at + 6] as number) ^ 2;
    writeFileSync(path, bytes);
  }

  test('is not made anew over what he has', async () => {
    // Replay would make the writer remember him.
    await t.checkpoint();
    const before = dump(folders.settings);
    await t.close();
    hide('anna');
    t = new TestStore(folders);
    const [answer] = await t.deliver(message('new'), 'anna');
    expect(answer?.error?.kind).toBe('server');
    await t.writer.idle();
    expect(t.fatal?.message).toMatch(/directory.db/);
    t.abandon();
    t = new TestStore(folders);
    expect(dump(folders.settings)).toBe(before);
  });

  test('is not told to be unknown', async () => {
    await t.close();
    hide('anna');
    folders = new TestFolders({ ...folders.settings, createonpost: false }, folders.root);
    t = new TestStore(folders);
    const later = spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000);
    try {
      await expect(t.deliver(message('new'), 'anna')).rejects.toThrow(/cannot be opened now/);
      await expect(t.deliver(message('new'), 'nobody')).rejects.toThrow(/User unknown/);
    } finally {
      later.mockRestore();
    }
    expect(t.fatal?.message).toMatch(/directory.db/);
  });
});

describe('a user whose making did not come to its end', () => {
  const leftovers: readonly (readonly [string, () => void])[] = [
    ['rolled back', () => {}],
    ['killed before anything was committed', () => {
      remove(index('rolf'));
      writeFileSync(index('rolf'), '');
    }],
    ['killed with the file made', () => {
      remove(index('rolf'));
      new Database(index('rolf'), { create: true, readwrite: true }).close();
    }],
  ];
  for (const [how, leave] of leftovers) {
    test(`is made by later mail: ${how}`, async () => {
      // Where the folder of the message files should be lies a file.
      mkdirSync(join(folders.spool, 'r/user'), { recursive: true });
      writeFileSync(join(folders.spool, 'r/user/rolf'), '');
      const [refused] = await t.deliver(message('first'), 'rolf');
      expect(refused?.error?.kind).toBe('server');
      expect(existsSync(index('rolf'))).toBe(true);
      rmSync(join(folders.spool, 'r/user/rolf'));
      t.abandon();
      leave();
      t = new TestStore(folders);
      const later = spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000);
      try {
        const [answer] = await t.deliver(message('again'), 'rolf');
        expect(answer?.uid).toBe(1);
      } finally {
        later.mockRestore();
      }
      expect(damage(folders.settings)).toEqual([]);
    });
  }
});

describe('the scrub', () => {
  test('names what it finds, mends it, and remembers how far it came', async () => {
    // A complete segment that nothing needs, a message file.
    const segment = listSegments(folders.log)[0] as string;
    await t.checkpoint();
    flipAt(segment, '@example.org');
    const path = messageFiles(folders.spool).find((file) =>
      file.includes('bert') && readFileSync(file).includes('body 12')
    ) as string;
    rmSync(path);
    const link = {
      suspect: (owner: number, reason: string) => t.writer.suspect(owner, reason),
      mend: (mending: Parameters<typeof mend>[1]) => mend(t.writer, mending),
    };
    const report = await new Scrub(folders.settings, t.lines, link).run();
    expect(report.findings.map(({ place }) => place).sort()).toEqual(
      [segment, path].sort(),
    );
    expect(report.finished).toBeGreaterThan(0);
    expect(readScrub(folders.settings)).toEqual(report);
    expect(existsSync(path)).toBe(true);
    // Nobody needs the segment any more.
    for (const [userid, id] of [['anna', 1], ['bert', 2]] as const) {
      expect(snapshotLsn(snapshot(userid), id)).toBe(t.writer.state.owners.peek(id)?.lsn as number);
    }
    expect(t.lines.lines.filter((line) => line.startsWith('error scrub found damage')).length).toBe(2);
    const scrub = new Scrub(folders.settings, t.lines, link);
    expect(scrub.due(report.finished + 86_400)).toBe(false);
    expect(scrub.due(report.finished + 8 * 86_400)).toBe(true);
    expect((await scrub.run()).findings.map(({ place }) => place)).toEqual([segment]);
  });

  test('makes damaged snapshots anew', async () => {
    flipAt(snapshot('bert'), 'message 4');
    flipAt(directorySnapshot(folders.settings), 'a secret');
    expect(isSnapshot(snapshot('bert'), 2)).toBe(false);
    const link = { suspect: () => {}, mend: () => Promise.resolve(false) };
    const report = await new Scrub(folders.settings, t.lines, link).run();
    expect(report.findings.map(({ place }) => place)).toEqual([
      directorySnapshot(folders.settings),
      snapshot('bert'),
    ]);
    expect(isSnapshot(snapshot('bert'), 2)).toBe(true);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('hands a damaged index to the writer, which heals it', async () => {
    const before = dump(folders.settings);
    await t.close();
    const db = new Database(index('bert'), { readwrite: true, create: false });
    db.run('UPDATE msg SET internaldate = internaldate + 64 WHERE uid = 7');
    db.close();
    t = new TestStore(folders);
    const link = {
      suspect: (owner: number, reason: string) => t.writer.suspect(owner, reason),
      mend: (mending: Parameters<typeof mend>[1]) => mend(t.writer, mending),
    };
    await new Scrub(folders.settings, t.lines, link).run();
    expect(readdirSync(join(index('bert'), '..')).some((name) => name.startsWith('index.db.damaged-'))).toBe(
      true,
    );
    expect(dump(folders.settings)).toBe(before);
  });
});
