/** Checksums of rows: what SQL computes for thousands of rows is what the columns say, and damage stays recognizable. */
import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { digestOf, EXPUNGED_CHK, messageChk, MSG_CHK } from '../../../src/store/index/digest.ts';
import { verifyOwner } from '../../../src/store/index/verify.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import { box, damage, inbox, message, TestFolders, TestStore } from '../teststore.ts';

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

const index = (userid: string): string => layoutOf(folders.settings).index(`${userid[0]}/user/${userid}`);

/** Opens an index beside the writer. */
function beside<Result>(userid: string, work: (db: Database) => Result): Result {
  const db = new Database(index(userid), { readwrite: true, create: false });
  try {
    return work(db);
  } finally {
    db.close();
  }
}

/** Small generator of numbers, the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

describe('digest', () => {
  test('tells columns, types and tables apart', () => {
    const rows: [string, (string | number | null | Uint8Array)[]][] = [
      ['part', ['a', 'b']],
      ['part', ['ab', '']],
      ['part', ['', 'ab']],
      ['part', ['a\u0000s1:b']],
      ['part', ['a', null]],
      ['part', ['a', 0]],
      ['part', ['a', '0']],
      ['part', [new Uint8Array([97]), 'b']],
      ['part', ['a', new Uint8Array([98])]],
      ['seen', ['a', 'b']],
    ];
    const digests = rows.map(([table, columns]) => digestOf(table, columns));
    expect(new Set(digests).size).toBe(rows.length);
    for (const digest of digests) expect(Number.isSafeInteger(digest)).toBe(true);
  });
});

describe('chk', () => {
  test('is the same in SQL and here, and each single change of a column shows', () => {
    const db = new Database(':memory:');
    db.run(
      'CREATE TABLE msg (mailbox INTEGER, uid INTEGER, flags INTEGER, modseq INTEGER, size INTEGER, ' +
        'internaldate INTEGER, savedate INTEGER, part INTEGER) STRICT',
    );
    const random = numbers(7);
    type Row = [number, number, number, number, number, number, number, number, number];
    const limits: Row = [2 ** 31, 2 ** 32, 2 ** 32, 2 ** 30, 2 ** 38, 2 ** 33, 2 ** 38, 2 ** 34, 2 ** 34];
    for (let round = 0; round < 2000; round++) {
      const row = limits.map((limit) => random(random(2) === 0 ? limit : 1000)) as Row;
      if (random(5) === 0) row[6] = -row[6];
      const [mailbox, uid, lo, hi, ...rest] = row;
      db.run('DELETE FROM msg');
      db.run('INSERT INTO msg VALUES (?, ?, (? << 32) | ?, ?, ?, ?, ?, ?)', [mailbox, uid, hi, lo, ...rest]);
      const chk = messageChk(...row);
      expect(db.query(`SELECT ${MSG_CHK} FROM msg`).values()).toEqual([[chk]]);
      const at = random(row.length);
      const flipped = [...row] as Row;
      const bit = 2 ** random(32);
      flipped[at] = (row[at] as number) +
        (Math.floor(Math.abs(row[at] as number) / bit) % 2 === 0 ? bit : -bit);
      expect(messageChk(...flipped)).not.toBe(chk);
    }
    db.close();
  });

  test('follows every change of the rows', async () => {
    const random = numbers(3);
    for (let n = 0; n < 60; n++) await t.deliver(message(n), 'anna');
    const anna = t.as('anna');
    await anna.create(box('anna', 'Work'));
    const keywords = Array.from({ length: 40 }, (_, at) => `word${at}`);
    for (let round = 0; round < 120; round++) {
      const from = random(2) === 0 ? inbox('anna') : box('anna', 'Work');
      const to = from.path === '' ? box('anna', 'Work') : inbox('anna');
      const handle = await anna.select(from, false, () => {});
      const lo = 1 + random(80);
      const uids = UidSet.range(lo, lo + random(40));
      const words = [keywords[random(40)] as string, keywords[random(40)] as string];
      const flags = [...words, ['\\Seen', '\\Deleted', '\\Flagged'][random(3)] as string];
      await [
        () => handle.store(uids, 'add', flags),
        () => handle.store(uids, 'remove', flags),
        () => handle.store(uids, 'replace', flags),
        () => handle.copy(uids, to),
        () => handle.move(uids, to),
        () => handle.expunge(null),
      ][random(6)]?.();
      await handle.close();
    }
    beside('anna', (db) => {
      const [wide] = db.query('SELECT count(*) FROM msg WHERE flags >> 32 > 0').values();
      expect(wide?.[0]).toBeGreaterThan(0);
      expect(db.query(`SELECT uid FROM msg WHERE chk <> ${MSG_CHK}`).values()).toEqual([]);
      expect(db.query(`SELECT uid FROM expunged WHERE chk <> ${EXPUNGED_CHK}`).values()).toEqual([]);
    });
    await t.store.admin.expire({ expungeDays: 0, deleteDays: 0 });
    expect(damage(folders.settings)).toEqual([]);
  });

  test('a damaged row stays recognizable through STORE, COPY, MOVE and EXPUNGE', async () => {
    for (let n = 0; n < 10; n++) await t.deliver(message(n), 'anna');
    const anna = t.as('anna');
    await anna.create(box('anna', 'Work'));
    beside(
      'anna',
      (db) =>
        db.run('UPDATE msg SET internaldate = (internaldate | 4096) - (internaldate & 4096) WHERE uid = 4'),
    );
    const handle = await anna.select(inbox('anna'), false, () => {});
    await handle.store(UidSet.range(1, 10), 'add', ['\\Flagged', 'word']);
    await handle.copy(UidSet.range(3, 5), box('anna', 'Work'));
    await handle.move(UidSet.range(4, 4), box('anna', 'Work'));
    const found: string[] = [];
    beside('anna', (db) => verifyOwner(db, (table, text) => found.push(`${table}: ${text}`)));
    expect(found).toEqual([
      'msg: the row of UID 2 in mailbox 2 is damaged',
      'msg: the row of UID 4 in mailbox 2 is damaged',
      'expunged: the row of UID 4 in mailbox 1 is damaged',
    ]);
  });
});

describe('rows that are lost or came from nowhere', () => {
  test('are counted', async () => {
    await t.deliver(message(1), 'anna');
    await t.deliver(message(2), 'anna');
    const anna = t.as('anna');
    await anna.subscribe(inbox('anna'), true);
    const handle = await anna.select(inbox('anna'), false, () => {});
    await handle.store(UidSet.of(1), 'add', ['\\Deleted']);
    await handle.expunge(null);
    expect(damage(folders.settings)).toEqual([]);
    for (const table of ['expunged', 'subscription', 'quotaroot', 'delivered', 'part', 'mailbox']) {
      beside('anna', (db) => {
        db.run('BEGIN');
        db.run(`DELETE FROM ${table}`);
        const found: string[] = [];
        verifyOwner(db, (name, text) => found.push(`${name} ${text}`));
        expect(found.join()).toMatch(new RegExp(`^${table} has 0 rows instead of [12]$`));
        db.run('ROLLBACK');
      });
    }
  });
});
