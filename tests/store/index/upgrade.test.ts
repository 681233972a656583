/** Stores of older formats keep loading (DESIGN rule 18). */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test';
import { Database } from 'bun:sqlite';
import { cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkStore } from '../../../src/store/check/store.ts';
import { openForReading } from '../../../src/store/index/database.ts';
import { OwnerReader } from '../../../src/store/index/reader.ts';
import { STORE_FORMAT } from '../../../src/store/index/schema.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import { makeSnapshot, snapshotPath } from '../../../src/store/snapshot.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import { box, damage, dump, inbox, message, TestFolders, TestStore } from '../teststore.ts';
import { toFormat1 } from './format1.ts';
import { toFormat2 } from './format2.ts';

setDefaultTimeout(60_000);

let folders: TestFolders;
let t: TestStore;

beforeEach(async () => {
  folders = new TestFolders();
  t = new TestStore(folders);
  for (let n = 0; n < 30; n++) await t.deliver(message(n), 'anna', 'bert');
  const anna = t.as('anna');
  await anna.create(box('anna', 'Work'));
  await anna.setAcl(box('anna', 'Work'), 'bert', 'lrswi');
  const handle = await anna.select(inbox('anna'), false, () => {});
  await handle.store(UidSet.range(3, 20), 'add', ['\\Flagged', '\\Deleted', '$Important']);
  await handle.copy(UidSet.range(1, 12), box('anna', 'Work'));
  await handle.expunge(null);
  await handle.close();
  const other = await t.as('bert').select(box('anna', 'Work'), false, () => {});
  await other.store(UidSet.range(2, 4), 'add', ['\\Seen']);
  await t.close();
});
afterEach(async () => {
  await t.close().catch(() => {});
  folders.remove();
});

const index = (userid: string): string => layoutOf(folders.settings).index(`${userid[0]}/user/${userid}`);

const FORMATS: [number, typeof toFormat1][] = [[1, toFormat1], [2, toFormat2]];

function downgrade(convert: typeof toFormat1): void {
  convert(layoutOf(folders.settings).directory, 'directory');
  for (const userid of ['anna', 'bert']) convert(index(userid), 'owner');
}

test.each(FORMATS)(
  'a store of format %d is upgraded as a whole when the writer opens it, and stays what it was',
  async (format, convert) => {
    const before = dump(folders.settings);
    downgrade(convert);
    expect(
      checkStore(folders.settings, { users: [], deep: false }).findings.map(({ severity, text }) =>
        `${severity} ${text}`
      ),
    ).toEqual([
      `notice has store format ${format}; "mailstore serve" brings it to ${STORE_FORMAT} when it starts`,
    ]);
    expect(() => new OwnerReader(index('bert'))).toThrow(
      `has store format ${format}; "mailstore serve" brings it to`,
    );
    t = new TestStore(folders);
    expect(dump(folders.settings)).toBe(before);
    expect(damage(folders.settings)).toEqual([]);
    // Nobody asked for these owners: workers could not upgrade them.
    for (const userid of ['anna', 'bert']) {
      const db = openForReading(index(userid));
      expect(db.query('SELECT format FROM state').values()).toEqual([[STORE_FORMAT]]);
      db.close();
    }
    await t.deliver(message(100), 'anna');
    const handle = await t.as('anna').select(inbox('anna'), false, () => {});
    await handle.store(handle.uids(), 'add', ['\\Seen']);
    await t.as('anna').scripts.put('main', Buffer.from('keep;'), { maxScripts: 5 });
    await t.as('anna').scripts.setActive('main');
    expect(damage(folders.settings)).toEqual([]);
  },
);

test.each(FORMATS)('a snapshot of format %d still stands for its index', async (_, convert) => {
  const { settings } = folders;
  const snapshot = snapshotPath(settings.partition.default as string, 'anna'[0] + '/user/anna');
  makeSnapshot(index('anna'), snapshot, 1);
  const before = dump(settings);
  downgrade(convert);
  convert(snapshot, 'owner');
  cpSync(snapshot, join(dirname(snapshot), 'unused'));
  await Bun.write(index('anna'), 'not a database');
  t = new TestStore(folders);
  expect(dump(settings)).toBe(before);
  expect(damage(settings)).toEqual([]);
});

test('a row of directory.db that was damaged in format 2 does not pass for a right one afterwards', async () => {
  const { settings } = folders;
  const before = dump(settings);
  downgrade(toFormat2);
  const db = new Database(layoutOf(settings).directory);
  db.run("UPDATE owner SET folder = 'x' WHERE userid = 'bert'");
  db.close();
  t = new TestStore(folders);
  // Made anew from the log.
  expect(dump(settings)).toEqual(before);
  expect(damage(settings)).toEqual([]);
});
