/** The restart after the death of the process: what it looks at, and each way in which looking at the last batch is not enough. */
import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readLog } from '../../../src/store/log/redo.ts';
import { listSegments, readHeaderOf } from '../../../src/store/log/segment.ts';
import { readSummary } from '../../../src/store/log/summary.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import { isCommitted } from '../../../src/store/writer/committed.ts';
import { box, damage, dump, inbox, message, messageFiles, TestFolders, TestStore } from '../teststore.ts';

// Other work may share the machine.
setDefaultTimeout(60_000);

const all = UidSet.range(1, 1000);

let folders: TestFolders;
let t: TestStore;

beforeEach(() => {
  folders = new TestFolders({ log_segment_size: 1 << 20 });
  t = new TestStore(folders);
});
afterEach(async () => {
  await t.close().catch(() => {});
  folders.remove();
});

/** kill -9 and the next start, in the same boot of the machine. */
function killed(): void {
  t.abandon();
  t = new TestStore(folders);
}

/** Users whose index the writer has open. */
function opened(): string[] {
  return [...t.writer.state.owners.opened()].map(({ userid }) => userid).sort();
}

function recordsOf(): number {
  let records = 0;
  readLog(folders.log, 0, () => records++);
  return records;
}

function claimed(): boolean {
  return isCommitted(t.writer.layout);
}

function folderOf(userid: string): string {
  const owner = t.writer.state.directory.owner(userid);
  if (owner === null) throw new Error(`no ${userid}`);
  return t.writer.layout.userFolder(owner.folder);
}

/** The next batch is durable, and the process dies before it is committed. */
async function dieBeforeCommit(change: () => Promise<unknown>): Promise<void> {
  const { redo } = t.writer;
  const append = redo.append.bind(redo);
  const durable = Promise.withResolvers<void>();
  redo.append = async (records) => {
    await append(records);
    durable.resolve();
    await new Promise(() => {});
  };
  change().catch(() => {});
  await durable.promise;
}

describe('after kill -9', () => {
  test('only the owners of the last batch are looked at', async () => {
    for (const userid of ['anna', 'bert', 'cora']) await t.deliver(message(1), userid);
    const before = dump(folders.settings);
    killed();
    expect(opened()).toEqual(['cora']);
    expect(t.writer.recovery).toMatchObject({ applied: 0, quarantined: 0 });
    expect(dump(folders.settings)).toBe(before);
    // All of them are needed until a checkpoint has them.
    expect([...t.writer.dirty.keys()].length).toBe(3);
    const [result] = await t.deliver(message(2), 'anna');
    expect(result?.uid).toBe(2);
    expect(t.lines.lines).toEqual([]);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('a batch that was durable and not committed is applied', async () => {
    await t.deliver(message(1), 'anna', 'bert');
    await dieBeforeCommit(() => t.deliver(message(2), 'anna', 'nora'));
    killed();
    expect(t.writer.recovery.applied).toBeGreaterThan(0);
    expect(t.as('anna').info(inbox('anna')).exists).toBe(2);
    expect(t.as('nora').info(inbox('nora')).exists).toBe(1);
    expect(t.as('bert').info(inbox('bert')).exists).toBe(1);
    expect(damage(folders.settings)).toEqual([]);
    // And again, when nothing came after it.
    killed();
    expect(t.writer.recovery.applied).toBe(0);
  });

  test('segments before the last ones are not read, and what they say is known all the same', async () => {
    const before = t.writer.redo.next;
    for (let round = 0; round < 40; round++) {
      await Promise.all(
        Array.from({ length: 16 }, (_, n) => t.deliver(message(round * 16 + n, 62_000), `user${n}`)),
      );
    }
    const handle = await t.as('user1').select(inbox('user1'), false, () => {});
    await handle.store(all, 'add', ['\\Deleted']);
    await handle.expunge(null);
    handle.close();
    await t.store.admin.expire({ expungeDays: 0, deleteDays: 0 });
    await t.deliver(message('last'), 'user2');
    killed();
    // Of the last batch the answers are known at once, of the last segments when somebody asks.
    const { results } = t.writer as unknown as { results: { kept: Map<string, unknown> } };
    expect(results.kept.size).toBeLessThan(40);
    t.writer.loadResults();
    expect(results.kept.size).toBeLessThan(recordsOf());
    expect(results.kept.size).toBeGreaterThan(400);
    expect(t.writer.dirty.size).toBe(16);
    for (const lsn of t.writer.dirty.values()) expect(lsn).toBeGreaterThanOrEqual(before);
    // Files that were purged in a segment that was not read go with the checkpoint.
    const files = messageFiles(folders.spool).length;
    expect(await t.checkpoint()).toBeGreaterThan(0);
    expect(messageFiles(folders.spool).length).toBeLessThan(files);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('what was answered in earlier batches can be asked for', async () => {
    const submit = t.writer.submit.bind(t.writer);
    const ids: string[] = [];
    t.writer.submit = (request, blobs) => {
      ids.push(request.id);
      return submit(request, blobs);
    };
    for (let n = 0; n < 30; n++) await t.deliver(message(n, 60_000), 'anna');
    const answers = ids.map((id) => t.writer.resultOf(id));
    expect(answers.every((answer) => answer !== undefined)).toBe(true);
    killed();
    expect(ids.map((id) => t.writer.resultOf(id))).toEqual(answers);
  });

  test('also when the newest segment has only just begun and the one before is large', async () => {
    await t.close();
    folders.remove();
    folders = new TestFolders({ log_segment_size: 40 << 20 });
    t = new TestStore(folders);
    const submit = t.writer.submit.bind(t.writer);
    const ids: string[] = [];
    t.writer.submit = (request, blobs) => {
      ids.push(request.id);
      return submit(request, blobs);
    };
    for (let n = 0; t.writer.redo.segments.length === 0; n += 32) {
      expect(n).toBeLessThan(2000);
      await Promise.all(Array.from({ length: 32 }, (_, k) => t.deliver(message(n + k, 62_000), 'anna')));
    }
    const answers = ids.map((id) => t.writer.resultOf(id));
    killed();
    expect(ids.map((id) => t.writer.resultOf(id))).toEqual(answers);
  });

  test('a summary that was cut off, changed or lost is made anew', async () => {
    for (let n = 0; n < 40; n++) await t.deliver(message(n, 60_000), `user${n % 3}`);
    killed();
    const owners = [...t.writer.dirty];
    const summaries = readdirSync(folders.log).filter((name) => name.endsWith('.sum')).sort();
    expect(summaries.length).toBeGreaterThan(2);
    const [first, second, third] = summaries.map((name) => join(folders.log, name)) as [
      string,
      string,
      string,
    ];
    rmSync(first);
    const text = readFileSync(second, 'latin1');
    writeFileSync(second, text.slice(0, -10));
    writeFileSync(third, text);
    killed();
    expect([...t.writer.dirty]).toEqual(owners);
    for (const segment of listSegments(folders.log).slice(0, 3)) {
      const header = readHeaderOf(segment);
      const next = readHeaderOf(
        listSegments(folders.log)[listSegments(folders.log).indexOf(segment) + 1] as string,
      );
      expect(readSummary(segment, header?.id ?? 0n, next?.predecessorLast ?? 0)).not.toBeNull();
    }
  });
});

describe('everything is replayed', () => {
  /** A change of anna's that her index lacks, and others behind it. */
  async function annaLacks(): Promise<void> {
    const db = new Database(join(folderOf('anna'), 'index.db'), { readwrite: true, create: false });
    db.run(
      "CREATE TRIGGER broken BEFORE UPDATE ON mailbox BEGIN SELECT RAISE(ABORT, 'the disk is gone'); END",
    );
    await t.deliver(message('lost?'), 'anna');
    for (let n = 0; n < 3; n++) await t.deliver(message(n), 'bert');
    db.run('DROP TRIGGER broken');
    db.close();
  }

  test('after a commit that failed', async () => {
    await t.deliver(message(1), 'anna', 'bert');
    expect(claimed()).toBe(true);
    await annaLacks();
    expect(claimed()).toBe(false);
    killed();
    expect(t.as('anna').info(inbox('anna')).exists).toBe(2);
    expect(t.writer.recovery.records).toBe(recordsOf());
    expect(damage(folders.settings)).toEqual([]);
    // That was a complete recovery.
    expect(claimed()).toBe(true);
  });

  test('while an owner is closed; a checkpoint, when none is, says so again', async () => {
    await t.deliver(message(1), 'anna', 'bert');
    const { owners } = t.writer.state;
    const anna = t.writer.state.directory.owner('anna')?.id as number;
    owners.quarantine(anna, 'for a test');
    expect(claimed()).toBe(false);
    await t.deliver(message(2), 'bert');
    expect(await t.checkpoint()).toBeGreaterThan(0);
    expect(claimed()).toBe(false);
    owners.release(anna);
    expect(claimed()).toBe(false);
    await t.deliver(message(3), 'bert');
    await t.checkpoint();
    expect(claimed()).toBe(true);
  });

  test('after a rebuild that did not come to its end', async () => {
    await t.deliver(message(1), 'anna', 'bert');
    await t.deliver(message(2), 'anna', 'bert');
    await t.deliver(message(3), 'bert');
    const anna = t.writer.state.directory.owner('anna')?.id as number;
    writeFileSync(join(folders.log, `rebuilding.${anna}`), '');
    for (const suffix of ['', '-wal', '-shm']) {
      rmSync(join(folderOf('anna'), `index.db${suffix}`), { force: true });
    }
    killed();
    expect(t.as('anna').info(inbox('anna')).exists).toBe(2);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('after another boot of the machine, in a copy, and with databases from elsewhere', async () => {
    await t.deliver(message(1), 'anna');
    await t.deliver(message(2), 'bert');
    await t.deliver(message(3), 'cora');
    const before = dump(folders.settings);
    const copy = folders.copy();
    const copied = new TestStore(copy);
    expect(copied.writer.recovery.records).toBe(recordsOf());
    await copied.close();
    copy.remove();

    t.abandon();
    const claim = join(folders.log, 'committed');
    writeFileSync(claim, readFileSync(claim, 'latin1').replace(/^./, 'x'));
    t = new TestStore(folders);
    expect(opened()).toEqual(['anna', 'bert', 'cora']);

    t.abandon();
    const { directory } = t.writer.layout;
    cpSync(directory, `${directory}.copy`);
    rmSync(directory);
    cpSync(`${directory}.copy`, directory);
    t = new TestStore(folders);
    expect(opened()).toEqual(['anna', 'bert', 'cora']);
    expect(dump(folders.settings)).toBe(before);
  });

  test('when directory.db or an index of the last batch turns out to be older', async () => {
    await t.deliver(message(1), 'anna', 'bert');
    const { directory } = t.writer.layout;
    const old = (path: string): [string, Buffer][] =>
      [path, `${path}-wal`].map((name) => [name, readFileSync(name)]);
    const again = (kept: readonly [string, Buffer][]): void => {
      for (const [name, bytes] of kept) writeFileSync(name, bytes);
      rmSync(`${kept[0]?.[0]}-shm`, { force: true });
    };
    const index = old(join(folderOf('bert'), 'index.db'));
    const names = old(directory);
    await t.as('anna').create(box('anna', 'Archive'));
    await t.deliver(message(2), 'bert');
    await t.deliver(message(3), 'bert');
    const before = dump(folders.settings);
    for (const kept of [index, names]) {
      await t.close();
      again(kept);
      t = new TestStore(folders);
      expect(t.lines.lines).toEqual([expect.stringContaining('databases are behind')]);
      expect(dump(folders.settings)).toBe(before);
      expect(claimed()).toBe(true);
    }
  });
});

describe('an owner nobody looked at', () => {
  test('whose index is older than it was gets his records when it is opened', async () => {
    await t.deliver(message(1), 'anna', 'bert');
    const path = join(folderOf('anna'), 'index.db');
    const old = ['', '-wal'].map((suffix) => [path + suffix, readFileSync(path + suffix)] as const);
    await t.deliver(message(2), 'anna');
    await t.deliver(message(3), 'anna');
    await t.deliver(message(4), 'bert');
    await t.close();
    for (const [name, bytes] of old) writeFileSync(name, bytes);
    rmSync(`${path}-shm`, { force: true });
    t = new TestStore(folders);
    const [result] = await t.deliver(message(5), 'anna');
    expect(result?.uid).toBe(4);
    expect(t.as('anna').info(inbox('anna')).exists).toBe(4);
    expect(t.lines.lines).toEqual([expect.stringContaining('index is behind')]);
    expect(damage(folders.settings)).toEqual([]);
  });

  test('whose index is gone is healed by the start', async () => {
    await t.deliver(message(1), 'anna', 'bert');
    await t.deliver(message(2), 'bert');
    const path = join(folderOf('anna'), 'index.db');
    t.abandon();
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix);
    t = new TestStore(folders);
    expect(existsSync(path)).toBe(true);
    expect(t.as('anna').info(inbox('anna')).exists).toBe(1);
    expect(damage(folders.settings)).toEqual([]);
  });
});
