/** A part of the log that is lost for good: what the administrator gives up, what comes back, and that no UID means two messages. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { layoutOf } from '../../src/store/layout.ts';
import { readLosses, writeLosses } from '../../src/store/log/losses.ts';
import { decodeBatch } from '../../src/store/log/batch.ts';
import { firstLsnOf, listSegments, SEGMENT_HEADER, segmentFile } from '../../src/store/log/segment.ts';
import { acceptLogLoss } from '../../src/store/reconstruct/acceptloss.ts';
import { makeSnapshot, snapshotPath } from '../../src/store/snapshot.ts';
import { box, damage, dump, inbox, Lines, message, TestFolders, TestStore } from './teststore.ts';

setDefaultTimeout(60_000);

let folders: TestFolders;
let t: TestStore;

beforeEach(async () => {
  folders = new TestFolders({ log_segment_size: 4000 });
  t = new TestStore(folders);
  for (let n = 0; n < 3; n++) await t.deliver(message(n), 'anna', 'bert', 'cora');
  await t.as('anna').create(box('anna', 'Work'));
  await t.checkpoint();
});
afterEach(async () => {
  await t.close().catch(() => {});
  folders.remove();
});

const databases = (): string => join(folders.root, 'databases');

/** Keeps the databases as they are now: a loss of power may leave no more of them. */
function keepDatabases(): void {
  const { configdirectory, directory } = layoutOf(folders.settings);
  cpSync(configdirectory, databases(), { recursive: true, filter: (path) => !path.includes('/log') });
  expect(existsSync(directory)).toBe(true);
}

/** Ends like a machine that loses its power: databases as they were kept, everything else there. */
function loseLater(): void {
  t.abandon();
  const { configdirectory } = layoutOf(folders.settings);
  for (const name of readdirSync(configdirectory)) {
    if (name !== 'log') rmSync(join(configdirectory, name), { recursive: true });
  }
  cpSync(databases(), configdirectory, { recursive: true });
  for (const name of readdirSync(configdirectory, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('-shm')) rmSync(join(configdirectory, name));
  }
}

/** Flips a bit in the record that has this text. Returns the segment. */
function flipRecord(text: string): string {
  for (const path of listSegments(folders.log)) {
    const bytes = readFileSync(path);
    const at = bytes.indexOf(text);
    if (at === -1) continue;
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(path, bytes);
    return path;
  }
  throw new Error(`no record has ${text}`);
}

/** UIDs and subjects of an INBOX. */
async function subjects(userid: string): Promise<[number, string][]> {
  const handle = await t.as(userid).select(inbox(userid), true, () => {});
  const rows = [...handle.wide(handle.uids(), 0, 100, ['envelope'])];
  handle.close();
  return rows.map((row) => [row[0], /message \w+/.exec(JSON.stringify(row))?.[0] ?? '']);
}

async function uidnext(userid: string): Promise<number> {
  const handle = await t.as(userid).select(inbox(userid), true, () => {});
  handle.close();
  return handle.snapshot.uidnext;
}

const accept = () => acceptLogLoss(folders.settings, new Lines());

describe('a damaged batch above the checkpoint', () => {
  test('refuses the start with file and remedy; accepted, costs nothing where the databases have it', async () => {
    for (let n = 3; n < 6; n++) await t.deliver(message(n), 'anna', 'bert');
    const before = dump(folders.settings);
    t.abandon();
    const path = flipRecord('body 3');
    const damaged = readFileSync(path);
    expect(() => new TestStore(folders)).toThrow(
      /redo log .* is damaged at offset .*reconstruct --accept-log-loss/,
    );
    const report = await accept();
    expect(report.losses.map(({ kept }) => kept)).toEqual([`${path}.damaged`]);
    expect(readFileSync(`${path}.damaged`).equals(damaged)).toBe(true);
    // Whose last change is before the loss may have had one in it.
    expect(report.users).toEqual([{ userid: 'cora', certain: false, adopted: 0, skipped: 0, problem: null }]);
    t = new TestStore(folders);
    const mine = (text: string) => text.split('\n').filter((line) => /^[ab]\/user/.test(line)).join('\n');
    expect(mine(dump(folders.settings))).toBe(mine(before));
    expect(damage(folders.settings)).toEqual([]);
    t.abandon();
    await expect(accept()).rejects.toThrow(/Nothing of the log is missing/);
    t = new TestStore(folders);
  });

  test('after a loss of power: later mail keeps its UIDs, lost mail comes from its files, numbers go on with a distance', async () => {
    keepDatabases();
    for (let n = 3; n < 7; n++) await t.deliver(message(n), 'anna', 'bert');
    const next = await uidnext('anna');
    loseLater();
    flipRecord('body 4');
    const { users, losses } = await accept();
    expect(losses.length).toBe(1);
    expect(users.map(({ userid, certain, adopted }) => [userid, certain, adopted])).toEqual([
      ['anna', true, 1],
      ['bert', true, 1],
      ['cora', false, 0],
    ]);
    t = new TestStore(folders);
    for (const userid of ['anna', 'bert']) {
      const [found, ...rest] = (await subjects(userid)).toReversed();
      expect(rest.toReversed()).toEqual([1, 2, 3, 4, 6, 7].map((uid) => [uid, `message ${uid - 1}`]));
      expect(found?.[1]).toBe('message 4');
      expect(found?.[0]).toBeGreaterThan(2 ** 24);
    }
    expect(await uidnext('anna')).toBeGreaterThan(next + 2 ** 24);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('what later changes need of it is left out and counted: a mailbox that was made in it', async () => {
    keepDatabases();
    await t.as('anna').create(box('anna', 'Lost'));
    await t.append(t.as('anna'), box('anna', 'Lost'), message('in it'));
    await t.deliver(message(9), 'anna');
    loseLater();
    flipRecord('Lost');
    const { users } = await accept();
    expect(users.find(({ userid }) => userid === 'anna')).toEqual({
      userid: 'anna',
      certain: true,
      adopted: 0,
      skipped: 1,
      problem: null,
    });
    t = new TestStore(folders);
    expect((await subjects('anna')).map(([, text]) => text)).toContain('message 9');
    expect(t.as('anna').list().map(({ name }) => name.path)).not.toContain('Lost');
    expect(damage(folders.settings)).toEqual([]);
  });

  test('nobody opens the store while it is not complete; done again it goes on', async () => {
    keepDatabases();
    for (let n = 3; n < 7; n++) await t.deliver(message(n), 'anna');
    loseLater();
    flipRecord('body 4');
    await accept();
    const all = readLosses(folders.log);
    const concerned = all[0]?.owners;
    writeLosses(folders.log, all.map((one) => ({ ...one, done: false })));
    expect(() => new TestStore(folders)).toThrow(
      /not completed: run "mailstore reconstruct --accept-log-loss" again/,
    );
    const { users } = await accept();
    expect(users.length).toBe(concerned?.length as number);
    t = new TestStore(folders);
    expect((await subjects('anna')).filter(([, text]) => text === 'message 4').length).toBe(1);
  });

  test('a rebuild from the snapshot before it bridges it for those it was accepted for', async () => {
    for (const { id, folder } of t.writer.state.directory.owners()) {
      makeSnapshot(layoutOf(folders.settings).index(folder), snapshotPath(folders.spool, folder), id);
    }
    keepDatabases();
    for (let n = 3; n < 7; n++) await t.deliver(message(n), 'anna');
    loseLater();
    flipRecord('body 4');
    await accept();
    t = new TestStore(folders);
    const before = await subjects('anna');
    await t.store.admin.reconstruct('anna', 'log');
    expect(await subjects('anna')).toEqual(before);
    expect(damage(folders.settings)).toEqual([]);
  });
});

describe('a segment', () => {
  async function someSegments(): Promise<string[]> {
    const before = listSegments(folders.log);
    for (let n = 3; n < 40; n++) await t.deliver(message(n), 'anna');
    return listSegments(folders.log).filter((path) => !before.includes(path));
  }

  test('that is missing: those behind it are joined, its mail is found in the spool', async () => {
    keepDatabases();
    const [, gone] = await someSegments();
    loseLater();
    renameSync(gone as string, join(folders.root, 'gone'));
    expect(() => new TestStore(folders)).toThrow(/continues from .*--accept-log-loss/);
    const { users, losses } = await accept();
    expect(losses.map(({ kept }) => kept)).toEqual([null]);
    t = new TestStore(folders);
    expect(users.find(({ userid }) => userid === 'anna')?.adopted).toBeGreaterThan(2);
    expect(new Set((await subjects('anna')).map(([, text]) => text)).size).toBe(40);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('whose header is damaged: nothing is lost where its batches are whole', async () => {
    keepDatabases();
    const [, path] = await someSegments();
    const before = await subjects('anna');
    loseLater();
    const bytes = readFileSync(path as string);
    bytes[35] = (bytes[35] as number) ^ 4;
    writeFileSync(path as string, bytes);
    expect(() => new TestStore(folders)).toThrow(/damaged header.*--accept-log-loss/);
    expect((await accept()).losses).toEqual([]);
    t = new TestStore(folders);
    expect(await subjects('anna')).toEqual(before);
    expect(damage(folders.settings)).toEqual([]);
  });
});

describe('the newest segment', () => {
  test('whose header was never synced and is what stood there before, that of another: it was never made', async () => {
    for (let n = 3; n < 6; n++) await t.deliver(message(n), 'anna');
    const before = await subjects('anna');
    t.abandon();
    const newest = listSegments(folders.log).at(-1) as string;
    const unmade = join(folders.log, segmentFile(firstLsnOf(newest) + 2 ** 32));
    writeFileSync(unmade, readFileSync(newest).subarray(0, SEGMENT_HEADER));
    t = new TestStore(folders);
    expect(await subjects('anna')).toEqual(before);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('of which nothing can be read: everybody may have lost something, mail comes from its files, LSNs go on', async () => {
    keepDatabases();
    for (let n = 3; n < 6; n++) await t.deliver(message(n), 'anna');
    const lsn = t.writer.durableLsn;
    loseLater();
    const newest = listSegments(folders.log).at(-1) as string;
    writeFileSync(newest, readFileSync(newest).fill(0, 0, 100));
    expect(() => new TestStore(folders)).toThrow(/damaged header.*--accept-log-loss/);
    const { users } = await accept();
    expect(users.map(({ userid, adopted }) => [userid, adopted > 0])).toEqual([
      ['anna', true],
      ['bert', false],
      ['cora', false],
    ]);
    t = new TestStore(folders);
    expect(t.writer.durableLsn).toBeGreaterThan(lsn);
    expect((await subjects('anna')).map(([, text]) => text).sort()).toEqual(
      [0, 1, 2, 3, 4, 5].map((n) => `message ${n}`),
    );
    expect(damage(folders.settings)).toEqual([]);
  });
});

/** Offsets behind each batch of a segment. */
function batches(path: string): number[] {
  const bytes = readFileSync(path);
  const ends = [SEGMENT_HEADER];
  for (;;) {
    const batch = decodeBatch(bytes, ends.at(-1) as number, bytes.readBigUInt64LE(8));
    if (batch === null) return ends;
    ends.push(batch.end);
  }
}

describe('an end of the log that lies before what was synced', () => {
  const newest = (): string => listSegments(folders.log).at(-1) as string;
  const harms: readonly (readonly [string, (path: string) => void])[] = [
    ['cut short between two batches', (path) => truncateSync(path, batches(path).at(-3))],
    ['cut short in a batch', (path) => truncateSync(path, (batches(path).at(-2) as number) - 7)],
    ['cut short behind its header', (path) => truncateSync(path, SEGMENT_HEADER)],
    ['cut short in its header', (path) => truncateSync(path, 20)],
    ['empty', (path) => truncateSync(path, 0)],
    ['zeroed to its end', (path) => writeFileSync(path, readFileSync(path).fill(0, batches(path).at(-3)))],
    ['missing', (path) => rmSync(path)],
  ];
  for (const [what, harm] of harms) {
    test(`${what}: named with segment, place and users, nothing lost with the file put back`, async () => {
      for (let n = 3; n < 8; n++) await t.deliver(message(n), 'anna');
      const before = dump(folders.settings);
      t.abandon();
      const path = newest();
      cpSync(path, join(folders.root, 'kept'));
      harm(path);
      expect(() => new TestStore(folders)).toThrow(/redo log .*--accept-log-loss/);
      // Refusing changed nothing.
      expect(() => new TestStore(folders, true)).toThrow(/redo log .*--accept-log-loss/);
      expect(damage(folders.settings).join('\n')).toMatch(/redo log .*--accept-log-loss/);
      cpSync(join(folders.root, 'kept'), path);
      t = new TestStore(folders);
      expect(dump(folders.settings)).toBe(before);
      expect(damage(folders.settings)).toEqual([]);
    });

    test(`${what}, and an index gone: accepted, the user is named, mail comes from its files, no UID again`, async () => {
      for (let n = 3; n < 8; n++) await t.deliver(message(n), 'anna');
      const next = await uidnext('anna');
      const anna = t.writer.state.directory.owner('anna');
      t.abandon();
      harm(newest());
      const index = layoutOf(folders.settings).index(anna?.folder as string);
      for (const suffix of ['', '-wal', '-shm']) rmSync(index + suffix, { force: true });
      expect(() => new TestStore(folders)).toThrow(/--accept-log-loss/);
      expect((await accept()).users.map(({ userid }) => userid)).toContain('anna');
      t = new TestStore(folders);
      expect((await subjects('anna')).map(([, text]) => text).sort()).toEqual(
        [0, 1, 2, 3, 4, 5, 6, 7].map((n) => `message ${n}`),
      );
      const [answer] = await t.deliver(message('after'), 'anna');
      expect(answer?.uid).toBeGreaterThanOrEqual(next);
      expect(damage(folders.settings)).toEqual([]);
      t.abandon();
      t = new TestStore(folders);
      expect(damage(folders.settings)).toEqual([]);
    });
  }

  test('check names the segment, the offset, and those whose changes may have been in it', async () => {
    for (let n = 3; n < 8; n++) await t.deliver(message(n), 'anna');
    t.abandon();
    const path = newest();
    const end = batches(path).at(-3) as number;
    truncateSync(path, end);
    const found = damage(folders.settings).join('\n');
    expect(found).toContain(`${path} ends at `);
    expect(found).toContain(`offset ${end},`);
    expect(found).toContain('changes of 2 users may be among the missing ones: bert, cora');
    await accept();
    expect(damage(folders.settings)).toEqual([]);
    t = new TestStore(folders);
  });

  test('is no alarm where the mark is behind, gone or damaged', async () => {
    const marks: ((path: string) => void)[] = [
      (path) => rmSync(path),
      (path) => truncateSync(path, 12),
      (path) => writeFileSync(path, readFileSync(path).fill(0)),
      (path) => writeFileSync(path, readFileSync(path).fill(255, 9, 14)),
    ];
    for (const [n, harm] of marks.entries()) {
      const mark = join(folders.log, 'synced');
      const behind = readFileSync(mark);
      await t.deliver(message(`early ${n}`), 'anna');
      const before = dump(folders.settings);
      t.abandon();
      writeFileSync(mark, behind);
      if (n > 0) harm(mark);
      t = new TestStore(folders);
      expect(dump(folders.settings)).toBe(before);
      expect(damage(folders.settings)).toEqual([]);
    }
  });

  test('in a segment that is complete is found when an index is to be built from it', async () => {
    for (const { id, folder } of t.writer.state.directory.owners()) {
      makeSnapshot(layoutOf(folders.settings).index(folder), snapshotPath(folders.spool, folder), id);
    }
    const known = listSegments(folders.log);
    for (let n = 3; n < 30; n++) await t.deliver(message(n), n < 14 ? 'anna' : 'bert');
    const path = listSegments(folders.log).find((one) => !known.includes(one)) as string;
    const anna = t.writer.state.directory.owner('anna');
    await t.checkpoint();
    t.abandon();
    truncateSync(path, batches(path).at(-2));
    const index = layoutOf(folders.settings).index(anna?.folder as string);
    for (const suffix of ['', '-wal', '-shm']) rmSync(index + suffix, { force: true });
    // Below the checkpoint a start reads nothing.
    t = new TestStore(folders);
    const [refused] = await t.deliver(message('new'), 'anna').catch(() => []);
    expect(refused?.uid).toBeUndefined();
    await t.writer.idle();
    expect(t.lines.lines.join('\n')).toMatch(/owner stays closed .*continues from .*--accept-log-loss/);
    expect(damage(folders.settings).join('\n')).toMatch(/redo log .* continues from/);
    const [answer] = await t.deliver(message('new'), 'bert');
    expect(answer?.uid).toBeDefined();
  });
});

describe('the first segment', () => {
  test('that is missing: refused; accepted, mail comes from its files, and everybody in it is named', async () => {
    t.abandon();
    folders.remove();
    folders = new TestFolders({ log_segment_size: 4000 });
    t = new TestStore(folders);
    await t.deliver(message(0), 'anna', 'bert');
    keepDatabases();
    for (let n = 1; n < 20; n++) await t.deliver(message(n), 'anna');
    const next = await uidnext('anna');
    loseLater();
    const [first = '', second] = listSegments(folders.log);
    expect(second).toBeDefined();
    rmSync(first);
    expect(() => new TestStore(folders)).toThrow(/are missing before .*--accept-log-loss/);
    const { losses, users } = await accept();
    expect(losses.map(({ from, kept }) => [from, kept])).toEqual([[1, null]]);
    expect(users.map(({ userid, certain }) => [userid, certain])).toEqual([['anna', true], ['bert', false]]);
    t = new TestStore(folders);
    expect((await subjects('anna')).map(([, text]) => text).sort()).toEqual(
      Array.from({ length: 20 }, (_, n) => `message ${n}`).sort(),
    );
    expect(await uidnext('anna')).toBeGreaterThan(next);
    expect(damage(folders.settings)).toEqual([]);
  });
});

describe('log and index', () => {
  test('lost both: from the snapshot, with what the spool has, and UIDs that mean nothing else', async () => {
    const anna = t.writer.state.directory.owner('anna');
    if (anna === null) throw new Error('no anna');
    const index = layoutOf(folders.settings).index(anna.folder);
    makeSnapshot(index, snapshotPath(folders.spool, anna.folder), anna.id);
    await t.deliver(message('later'), 'anna');
    const next = await uidnext('anna');
    t.abandon();
    rmSync(folders.log, { recursive: true });
    for (const suffix of ['', '-wal', '-shm']) rmSync(index + suffix, { force: true });
    folders = new TestFolders({ ...folders.settings }, folders.root);
    t = new TestStore(folders);
    await expect(t.store.admin.reconstruct('anna', 'log')).rejects.toThrow(/--from-snapshot/);
    const report = await t.store.admin.reconstruct('anna', 'snapshot');
    expect(report).toMatchObject({ messages: 4, adopted: 1, damaged: [] });
    const found = await subjects('anna');
    expect(found.map(([, text]) => text)).toEqual(['message 0', 'message 1', 'message 2', 'message later']);
    expect(found.at(-1)?.[0]).toBeGreaterThanOrEqual(next);
    expect(t.as('anna').list().map(({ name }) => name.path)).toContain('Work');
    expect(damage(folders.settings)).toEqual([]);
  });

  test('both whole: --from-snapshot gives nothing up', async () => {
    const next = await uidnext('anna');
    await t.store.admin.reconstruct('anna', 'snapshot');
    expect(await uidnext('anna')).toBe(next);
  });
});
