/** Rules 7 and 16, promise 4: the log gets shorter, and what is left rebuilds any index exactly. */
import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Mailbox, StoreSession } from '../../../src/store/border.ts';
import { SocketLink } from '../../../src/store/client/socketlink.ts';
import { MailStore } from '../../../src/store/client/store.ts';
import { DirectoryReader } from '../../../src/store/index/directoryreader.ts';
import { type CheckpointReport, runCheckpoint } from '../../../src/store/janitor/checkpoint.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import { readCheckpoint, readLog } from '../../../src/store/log/redo.ts';
import { listSegments } from '../../../src/store/log/segment.ts';
import { Spool } from '../../../src/store/spool/spool.ts';
import { snapshotLsn, snapshotPath } from '../../../src/store/snapshot.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import { type RunningWriter, runWriter } from '../../../src/store/writer/run.ts';
import { damage, dump, inbox, Lines, message, TestFolders } from '../teststore.ts';

// Other work may share the machine.
setDefaultTimeout(60_000);

let folders: TestFolders;
let writer: RunningWriter;
let link: SocketLink;
let store: MailStore;
let anna: StoreSession;

async function start(): Promise<void> {
  const layout = layoutOf(folders.settings);
  writer = await runWriter(folders.settings, new Lines(), {
    ready: () => {},
    fatal: (error) => {
      throw error;
    },
  });
  link = new SocketLink(layout.writerSocket, new Lines());
  await link.connected();
  store = new MailStore(folders.settings, layout, new Spool(folders.settings.partition), link);
  anna = store.session({ userid: 'anna', admin: false, groups: [] });
}

async function stop(): Promise<void> {
  await store.close();
  await writer.close();
}

async function checkpoint(): Promise<CheckpointReport> {
  const directory = new DirectoryReader(layoutOf(folders.settings).directory);
  try {
    return await runCheckpoint(folders.settings, link, directory);
  } finally {
    directory.close();
  }
}

async function append(n: number, size = 3000): Promise<void> {
  const stage = anna.stage(0);
  stage.write(Buffer.from(message(n, size)));
  const flags = ['\\Flagged', 'word'];
  await anna.append(inbox('anna'), [{ message: await stage.finish(), flags, internaldate: null }]);
}

beforeEach(async () => {
  folders = new TestFolders({ log_segment_size: 8000, log_retention: 0 });
  await start();
  await anna.login();
});
afterEach(async () => {
  await stop();
  folders.remove();
});

const indexPath = () => layoutOf(folders.settings).index('a/user/anna');

describe('rule 7: a checkpoint', () => {
  test('lets old segments go once every owner in them has a verified snapshot', async () => {
    for (let n = 0; n < 30; n++) await append(n);
    const before = listSegments(folders.log).length;
    expect(before).toBeGreaterThan(6);
    const { checkpoint: lsn, removed } = await checkpoint();
    expect(lsn).toBe(readCheckpoint(folders.log)?.lsn ?? 0);
    expect(removed).toBeGreaterThan(0);
    expect(listSegments(folders.log).length).toBe(before - removed);
    const first: number[] = [];
    readLog(folders.log, 0, (record) => first.push(record.l));
    expect(snapshotLsn(snapshotPath(folders.spool, 'a/user/anna'), 1)).toBeGreaterThanOrEqual(
      (first[0] as number) - 1,
    );
    // Nothing is replayed that the checkpoint covers, and everything is there.
    const state = dump(folders.settings);
    await stop();
    await start();
    expect(dump(folders.settings)).toBe(state);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('the index is rebuilt from snapshot and log, exactly: lost, and damaged', async () => {
    for (let n = 0; n < 30; n++) await append(n);
    await checkpoint();
    const handle: Mailbox = await anna.select(inbox('anna'), false, () => {});
    await handle.store(UidSet.range(3, 9), 'add', ['\\Deleted']);
    await handle.expunge(null);
    await stop();
    const state = dump(folders.settings);
    for (const suffix of ['', '-wal', '-shm']) rmSync(indexPath() + suffix, { force: true });
    await start();
    expect(dump(folders.settings)).toBe(state);
    await append(99);
    const again = dump(folders.settings);
    await stop();
    const bytes = readFileSync(indexPath());
    for (const suffix of ['-wal', '-shm']) rmSync(indexPath() + suffix, { force: true });
    bytes.fill(0x55, 0, 4096);
    writeFileSync(indexPath(), bytes);
    await start();
    expect(dump(folders.settings)).toBe(again);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('keeps the stage’s file of a large body as long as its segment', async () => {
    await append(0, 100_000);
    const source: string[] = [];
    readLog(folders.log, 0, (record) => {
      for (const { e } of record.s) {
        for (const event of e) {
          if (event.k === 'add') {
            for (const part of event.parts) if ('stage' in part.source) source.push(part.source.stage);
          }
        }
      }
    });
    const [stage] = source;
    expect(existsSync(stage as string)).toBe(true);
    await checkpoint();
    expect(existsSync(stage as string)).toBe(true);
    for (let n = 1; n < 30; n++) await append(n);
    await checkpoint();
    expect(existsSync(stage as string)).toBe(false);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('asked for by two at once never goes back', async () => {
    for (let n = 0; n < 10; n++) await append(n);
    const late = await link.ask((n) => ({ t: 'dirty', n })) as { lsn: number };
    for (let n = 10; n < 20; n++) await append(n);
    const { checkpoint: lsn } = await checkpoint();
    await link.ask((n) => ({ t: 'checkpointed', n, lsn: late.lsn }));
    expect(readCheckpoint(folders.log)?.lsn ?? 0).toBe(lsn);
  });

  test('beyond what is durable is refused', async () => {
    await append(1);
    const { lsn } = await link.ask((n) => ({ t: 'dirty', n })) as { lsn: number };
    await link.ask((n) => ({ t: 'checkpointed', n, lsn: lsn + 1 }));
    expect(readCheckpoint(folders.log)?.lsn ?? 0).toBeLessThanOrEqual(lsn);
  });
});

describe('an owner that is closed for repair', () => {
  const bertPath = () => layoutOf(folders.settings).index('b/user/bert');

  /** From now on no change of bert's mailboxes can be committed; returns how to end it. */
  function breakCommits(): () => void {
    const run = (statement: string) => {
      const db = new Database(bertPath(), { readwrite: true, create: false });
      db.run(statement);
      db.close();
    };
    run("CREATE TRIGGER broken BEFORE UPDATE ON mailbox BEGIN SELECT RAISE(ABORT, 'the disk is gone'); END");
    return () => run('DROP TRIGGER broken');
  }

  async function appendTo(userid: string, ...numbers: number[]): Promise<void> {
    const session = store.session({ userid, admin: false, groups: [] });
    const messages = [];
    for (const n of numbers) {
      const stage = session.stage(0);
      stage.write(Buffer.from(message(n, 3000)));
      messages.push({ message: await stage.finish(), flags: ['\\Flagged'], internaldate: null });
    }
    await session.append(inbox(userid), messages);
  }

  const exists = (userid: string) =>
    store.session({ userid, admin: false, groups: [] }).info(inbox(userid)).exists;
  const names = () => readdirSync(folders.log).filter((name) => name.startsWith('closed.')).sort();

  test('holds back neither the checkpoint nor the log, is never read as it is, and heals exactly', async () => {
    await store.session({ userid: 'bert', admin: false, groups: [] }).login();
    await appendTo('bert', 1, 2);
    const mend = breakCommits();
    await appendTo('bert', 3, 4, 5);
    expect(() => exists('bert')).toThrow(expect.objectContaining({ code: 'unavailable' }));

    let before = 0;
    for (let n = 0; n < 80; n++) {
      await append(n);
      if (n % 10 < 9) continue;
      const { checkpoint: lsn } = await checkpoint();
      expect(lsn).toBeGreaterThan(before);
      before = lsn;
      expect(listSegments(folders.log).length).toBeLessThan(8 + 6);
    }
    const [, id] = /^closed\.(\d+)$/.exec(names()[0] ?? '') ?? [];
    expect(names()).toEqual([`closed.${id}`, `closed.${id}.records`]);
    const left: number[] = [];
    readLog(folders.log, 0, ({ s, l }) => s.some(({ o }) => o === Number(id)) && left.push(l));
    expect(left).toEqual([]);

    // A new writer does not show the index either, whether it can mend it or not.
    await stop();
    await start();
    expect(() => exists('bert')).toThrow(expect.objectContaining({ code: 'unavailable' }));
    expect(appendTo('bert', 6)).rejects.toThrow(expect.objectContaining({ code: 'unavailable' }));
    await stop();

    mend();
    const copy = folders.copy();
    await start();
    expect(exists('bert')).toBe(5);
    expect(damage(folders.settings)).toEqual([]);
    const healed = dump(folders.settings);
    await appendTo('bert', 6);
    expect((await checkpoint()).checkpoint).toBeGreaterThan(before);
    expect(names()).toEqual([]);
    await append(80);
    await stop();

    // The same without the index: from what was kept apart.
    const first = folders;
    folders = copy;
    for (const suffix of ['', '-wal', '-shm']) rmSync(bertPath() + suffix, { force: true });
    await start();
    expect(exists('bert')).toBe(5);
    expect(dump(folders.settings)).toBe(healed);
    expect(damage(folders.settings)).toEqual([]);
    first.remove();
  });

  test('gets its snapshot, and its records go, although the checkpoint after its repair is the first', async () => {
    await store.session({ userid: 'bert', admin: false, groups: [] }).login();
    const mend = breakCommits();
    await appendTo('bert', 1);
    for (let n = 0; n < 50; n++) await append(n);
    await checkpoint();
    expect(names().length).toBe(2);
    mend();
    await stop();
    await start();
    expect(exists('bert')).toBe(1);
    // Power lost before the next checkpoint: the note still says that the index is not to be trusted.
    expect(names().length).toBe(2);
    await append(50);
    await checkpoint();
    expect(names()).toEqual([]);
    expect(damage(folders.settings)).toEqual([]);
  });
});

describe('rule 16: journals', () => {
  test('are folded back by the janitor when they are long', async () => {
    for (let n = 0; n < 20; n++) await append(n);
    const handle = await anna.select(inbox('anna'), false, () => {});
    for (let round = 0; round < 120; round++) {
      await handle.store(UidSet.range(1, 20), round % 2 === 0 ? 'remove' : 'add', ['\\Flagged']);
    }
    expect(statSync(`${indexPath()}-wal`).size).toBeGreaterThan(1 << 20);
    const { folded } = await checkpoint();
    expect(folded).toBeGreaterThan(0);
    const { size } = statSync(`${indexPath()}-wal`);
    // The next change begins at the front again.
    for (let round = 0; round < 5; round++) await append(100 + round);
    expect(statSync(`${indexPath()}-wal`).size).toBeLessThanOrEqual(size);
    expect(damage(folders.settings)).toEqual([]);
  });
});
