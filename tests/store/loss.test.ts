/** A part of the log that is lost for good: what the administrator gives up, what comes back, and that no UID means two messages. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layoutOf } from '../../src/store/layout.ts';
import { readLosses, writeLosses } from '../../src/store/log/loss.ts';
import { listSegments } from '../../src/store/log/segment.ts';
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
