/**
 * A loss of power: the databases come back as of some earlier moment, each for itself, files that were not synced come back
 * missing, empty or with the wrong bytes, and the log ends somewhere in its last batch.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { readLog } from '../../../src/store/log/redo.ts';
import { listSegments } from '../../../src/store/log/segment.ts';
import { SyncedMark } from '../../../src/store/log/synced.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import { Random } from '../../harness/random.ts';
import { box, damage, dump, inbox, message, messageFiles, TestFolders, TestStore } from '../teststore.ts';

// Other work may share the machine.
setDefaultTimeout(60_000);

/** What was on disk after one operation. */
interface Moment {
  lsn: number;
  dump: string;
  /** A copy of configdirectory without the log. */
  databases: string;
  files: Set<string>;
}

const all = UidSet.range(1, 1000);

/** Operations of every kind over two users, one durable batch each; some make several records in one. */
const WORKLOAD: readonly ((t: TestStore) => Promise<unknown>)[] = [
  (t) => t.deliver(message('both'), 'anna', 'bert'),
  (t) => t.as('anna').create(box('anna', 'Archive/2026')),
  (t) => t.deliver(message('large', 150_000), 'anna', 'bert'),
  (t) => t.append(t.as('anna'), box('anna', 'Archive/2026'), message('appended'), ['\\Seen', 'work']),
  (t) => t.as('anna').setAcl(inbox('anna'), 'bert', 'lrswipte'),
  async (t) => {
    const bert = t.as('bert');
    const texts = [message('m1'), message('m2', 90_000), message('m1'), message('m2', 90_000), message('m3')];
    const messages = await Promise.all(texts.map(async (text, at) => {
      // The last one is small and on disk all the same.
      const stage = bert.stage(0, at === 4);
      stage.write(Buffer.from(text));
      return { message: await stage.finish(), flags: ['\\Seen', `k${at}`], internaldate: at };
    }));
    return await bert.append(inbox('anna'), messages);
  },
  (t) => t.as('bert').subscribe(inbox('anna'), true),
  async (t) =>
    (await t.as('anna').select(inbox('anna'), false, () => {})).store(all, 'add', ['\\Flagged', 'later']),
  async (t) => (await t.as('bert').select(inbox('anna'), false, () => {})).copy(all, inbox('bert')),
  async (t) =>
    (await t.as('bert').select(inbox('anna'), false, () => {})).store(UidSet.of(1), 'add', ['\\Seen']),
  async (t) => (await t.as('anna').select(inbox('anna'), false, () => {})).copy(all, box('anna', 'Archive')),
  (t) =>
    Promise.all([
      t.deliver(message('p1'), 'bert'),
      t.deliver(message('p2'), 'anna'),
      t.deliver(message('p3'), 'bert'),
    ]),
  async (t) =>
    (await t.as('bert').select(inbox('anna'), false, () => {})).move(UidSet.of(1, 3), inbox('bert')),
  (t) => t.as('anna').rename(box('anna', 'Archive'), box('anna', 'Old')),
  (t) => t.admin.setQuota(box('anna', 'Old'), { storage: 1 << 20, messages: 50 }),
  (t) => t.as('anna').rename(inbox('anna'), box('anna', 'Moved')),
  async (t) =>
    (await t.as('bert').select(inbox('bert'), false, () => {})).store(UidSet.of(1, 2), 'add', ['\\Deleted']),
  async (t) => (await t.as('bert').select(inbox('bert'), false, () => {})).expunge(null),
  (t) => t.as('anna').delete(box('anna', 'Old/2026')),
  (t) => t.store.secrets.set('anna', '{"scram":1}'),
  (t) => t.store.admin.expire({ expungeDays: 0, deleteDays: 0 }),
  (t) => t.deliver(message('late', 90_000), 'anna', 'bert'),
  (t) => t.deliver(message('last'), 'bert', 'anna'),
];

let folders: TestFolders;
const moments: Moment[] = [];
/** Bytes of the one segment, and where its last batch begins. */
let segment: Buffer;
let lastBatch: number;

beforeAll(async () => {
  folders = new TestFolders({ duplicatesuppression: true });
  const t = new TestStore(folders);
  const path = listSegments(folders.log).at(-1) as string;
  for (const [at, step] of WORKLOAD.entries()) {
    lastBatch = statSync(path).size;
    await step(t);
    const databases = join(folders.root, `moment${at}`);
    cpSync(folders.settings.configdirectory, databases, {
      recursive: true,
      filter: (source) => source !== folders.log,
    });
    moments.push({
      lsn: t.writer.durableLsn,
      dump: dump(folders.settings),
      databases,
      files: new Set(messageFiles(folders.spool).map((file) => file.slice(folders.spool.length))),
    });
  }
  segment = readFileSync(path);
  t.abandon();
});
afterAll(() => folders.remove());

type Loss = 'kept' | 'removed' | 'emptied' | 'zeroed';

/** What comes back: databases of some moments, the log up to `cut`, the spool with what was written since harmed. */
function afterPowerCut(
  moment: { of(database: string): Moment },
  cut: number,
  loss: (file: string) => Loss,
): TestFolders {
  const lost = new TestFolders({ duplicatesuppression: true });
  const { configdirectory } = lost.settings;
  for (const name of ['directory.db', ...ownerFolders()]) {
    const { databases } = moment.of(name);
    const from = join(databases, name);
    if (!existsSync(from)) continue;
    for (const suffix of name === 'directory.db' ? ['', '-wal'] : ['']) {
      if (existsSync(from + suffix)) {
        mkdirSync(join(configdirectory, name, '..'), { recursive: true });
        cpSync(from + suffix, join(configdirectory, name) + suffix, { recursive: true });
      }
    }
  }
  cpSync(folders.log, lost.log, { recursive: true });
  truncateSync(listSegments(lost.log).at(-1) as string, cut);
  // A batch that is not whole was not synced.
  new SyncedMark(lost.log).note((moments.at(cut < segment.length ? -2 : -1) as Moment).lsn);
  cpSync(folders.spool, lost.spool, { recursive: true, preserveTimestamps: true });
  for (const path of messageFiles(lost.spool)) {
    const bytes = statSync(path).size;
    switch (loss(path.slice(lost.spool.length))) {
      case 'removed':
        rmSync(path);
        break;
      case 'emptied':
        truncateSync(path, 0);
        break;
      case 'zeroed':
        writeFileSync(path, Buffer.alloc(bytes));
        break;
      case 'kept':
    }
  }
  return lost;
}

function ownerFolders(): string[] {
  return readdirSync(join(folders.settings.configdirectory, 'user'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('/index.db')).map((name) => join('user', name, '..'));
}

/** Recovers and compares; the paths of stage files in records are those of the store the log was written in. */
async function expectState(lost: TestFolders, expected: Moment): Promise<void> {
  try {
    const t = new TestStore(lost, true);
    expect(t.lines.lines).toEqual([]);
    expect(dump(lost.settings)).toBe(expected.dump);
    expect(damage(lost.settings)).toEqual([]);
    await t.close();
  } finally {
    lost.remove();
  }
}

describe('after a loss of power', () => {
  test('the log cut at every byte of the last batch: everything before it is there, nothing of it', async () => {
    const before = moments.at(-2) as Moment;
    const last = moments.at(-1) as Moment;
    const synced = moments[9] as Moment;
    const loss = (file: string): Loss => synced.files.has(file) ? 'kept' : 'emptied';
    for (
      let cut = lastBatch;
      cut <= segment.length;
      cut += cut < lastBatch + 40 || cut > segment.length - 8 ? 1 : 37
    ) {
      // Files of the torn batch are there, and nobody's.
      await expectState(
        afterPowerCut({ of: () => synced }, cut, loss),
        cut === segment.length ? last : before,
      );
    }
  });

  test('databases as of any moment, with all of the log behind it', async () => {
    const last = moments.at(-1) as Moment;
    const losses: Loss[] = ['removed', 'emptied', 'zeroed'];
    for (const [at, moment] of moments.entries()) {
      const loss = (file: string): Loss => moment.files.has(file) ? 'kept' : losses[at % 3] as Loss;
      await expectState(afterPowerCut({ of: () => moment }, segment.length, loss), last);
    }
  });

  test('rule 8: each database as of another moment: a change to several is applied where it is missing', async () => {
    const last = moments.at(-1) as Moment;
    for (let seed = 1; seed <= 12; seed++) {
      const random = new Random(seed);
      const chosen = new Map<string, Moment>();
      const of = (name: string): Moment => {
        const moment = chosen.get(name) ?? random.pick(moments);
        chosen.set(name, moment);
        return moment;
      };
      const oldest = random.pick(moments.slice(0, 3)).files;
      const loss = (file: string): Loss => {
        // Files not older than every database: each may have been lost in its own way.
        return oldest.has(file) ? 'kept' : random.pick<Loss>(['kept', 'removed', 'emptied', 'zeroed']);
      };
      await expectState(afterPowerCut({ of }, segment.length, loss), last);
    }
  });

  test('rule 2: nothing can be read before the replay, a second recovery finds nothing to do', async () => {
    const lost = afterPowerCut({ of: () => moments[0] as Moment }, segment.length, () => 'kept');
    const first = new TestStore(lost, true);
    expect(first.writer.recovery.applied).toBeGreaterThan(10);
    const state = dump(lost.settings);
    first.abandon();
    const second = new TestStore(lost, true);
    expect(second.writer.recovery.applied).toBe(0);
    expect(second.writer.recovery.filesRemade).toBe(0);
    expect(dump(lost.settings)).toBe(state);
    await second.close();
    lost.remove();
  });

  test('a recovery that is killed half-way is done again', async () => {
    const lost = afterPowerCut(
      { of: () => moments[2] as Moment },
      segment.length,
      (file) => (moments[2] as Moment).files.has(file) ? 'kept' : 'removed',
    );
    // As of a moment in the middle of a replay: one database has some records, files of later ones are there.
    const half = new TestStore(lost, true);
    half.abandon();
    for (const name of ownerFolders().slice(0, 1)) {
      rmSync(join(lost.settings.configdirectory, name), { recursive: true });
      cpSync(join((moments[8] as Moment).databases, name), join(lost.settings.configdirectory, name), {
        recursive: true,
      });
    }
    await expectState(lost, moments.at(-1) as Moment);
  });

  test('rule 3: a gap in the chain of an owner closes that owner and nobody else', async () => {
    const lost = afterPowerCut({ of: () => moments.at(-1) as Moment }, segment.length, () => 'kept');
    const bert = ownerFolders().find((name) => name.includes('bert')) as string;
    // The checkpoint says that everything before the 11th moment is in the databases; bert's is older.
    writeFileSync(join(lost.log, 'checkpoint'), `${(moments[11] as Moment).lsn}\n`);
    rmSync(join(lost.settings.configdirectory, bert), { recursive: true });
    cpSync(join((moments[5] as Moment).databases, bert), join(lost.settings.configdirectory, bert), {
      recursive: true,
    });
    // Nor does the log reach back far enough to rebuild it.
    const records: number[] = [];
    readLog(lost.log, 0, (record) => records.push(record.l));
    expect(records.length).toBeGreaterThan(15);
    const t = new TestStore(lost, true);
    expect(t.writer.recovery.quarantined).toBe(1);
    const [toAnna] = await t.deliver(message('anna still gets mail'), 'anna');
    expect(toAnna?.uid).toBeGreaterThan(0);
    await t.close();
    lost.remove();
  });
});
