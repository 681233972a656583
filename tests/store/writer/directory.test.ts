/** directory.db made anew: whatever ends it, nothing that can be read is lost, and no index is taken for more than it is. */
import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Directory } from '../../../src/store/index/directory.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import {
  directorySnapshot,
  makeDirectorySnapshot,
  makeSnapshot,
  snapshotPath,
} from '../../../src/store/snapshot.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import { noteDirectoryDamage, putDirectoryAside } from '../../../src/store/writer/directorynote.ts';
import { box, damage, dump, inbox, message, TestFolders, TestStore } from '../teststore.ts';

setDefaultTimeout(60_000);

let folders: TestFolders;
let t: TestStore;

const index = (userid: string): string => layoutOf(folders.settings).index(`${userid[0]}/user/${userid}`);
const remove = (path: string): void => {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
};

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

describe('making directory.db anew', () => {
  /** What a crash or a loss of power may leave of it, by the step it was at. */
  const moments: readonly (readonly [string, () => void])[] = [
    ['before anything was moved', () => {
      noteDirectoryDamage(layout(), 'found');
    }],
    ['with the note and nothing moved', () => {
      writeFileSync(note(), JSON.stringify({ reason: 'found', kept: [], moving: 'directory.db.damaged-1' }));
    }],
    ['with the database moved and the journal not', () => {
      writeFileSync(note(), JSON.stringify({ reason: 'found', kept: [], moving: 'directory.db.damaged-1' }));
      renameSync(layout().directory, `${layout().directory}.damaged-1`);
    }],
    ['with all moved', () => putDirectoryAside(layout(), 'found')],
    ['with an empty one', () => {
      putDirectoryAside(layout(), 'found');
      writeFileSync(layout().directory, '');
    }],
    ['with half of the new one', () => {
      putDirectoryAside(layout(), 'found');
      new Directory(layout().directory, true).close();
      truncateSync(layout().directory, 5000);
      writeFileSync(`${layout().directory}-wal`, Buffer.alloc(3000, 7));
    }],
    ['with a new one that knows nobody', () => {
      putDirectoryAside(layout(), 'found');
      new Directory(layout().directory, true).close();
    }],
    ['for the second time', () => {
      putDirectoryAside(layout(), 'found');
      writeFileSync(layout().directory, 'half');
      noteDirectoryDamage(layout(), 'found again');
      writeFileSync(layout().directory, 'half of the next');
    }],
  ];
  const layout = () => layoutOf(folders.settings);
  const note = () => join(folders.settings.configdirectory, 'directory.damaged');

  for (const [moment, leave] of moments) {
    for (const exact of [true, false]) {
      test(`ended ${moment}: ${exact ? 'exact from its snapshot' : 'derived'} the next time, passwords included`, async () => {
        const before = dump(folders.settings);
        t.abandon();
        if (!exact) rmSync(directorySnapshot(folders.settings));
        // A mailbox's row, so that the others can be read.
        const db = new Database(layout().directory, { readwrite: true, create: false });
        db.run(`UPDATE mailbox SET path = 'Wrok' WHERE path = 'Work'`);
        db.close();
        leave();
        t = new TestStore(folders);
        expect(t.lines.lines.join('\n')).toMatch(
          exact ? /rebuilt from snapshot and log/ : /directory.db derived/,
        );
        expect(t.store.secrets.get('anna')?.secret).toBe('a secret');
        expect(withoutNumbers(dump(folders.settings))).toBe(withoutNumbers(before));
        expect(existsSync(note())).toBe(false);
        const found = damage(folders.settings);
        expect(found.length).toBe(exact ? 0 : 1);
        await t.store.secrets.set('anna', 'another');
        t.abandon();
        t = new TestStore(folders);
        expect(t.store.secrets.get('anna')?.secret).toBe('another');
        expect(damage(folders.settings)).toEqual(found);
      });
    }
  }
  for (const [what, others] of [['its snapshot', true], ['no snapshot of its own', false]] as const) {
    test(`directory.db and the journal of an index at once, with ${what}: the index is not taken for whole`, async () => {
      for (const open of t.writer.state.owners.opened()) open.emptyJournal();
      await some(15, 2);
      await t.checkpoint();
      const before = dump(folders.settings);
      t.abandon();
      // As another process finds it: this one may have the index open still.
      const killed = folders;
      folders = killed.copy();
      killed.remove();
      remove(layoutOf(folders.settings).directory);
      if (!others) rmSync(directorySnapshot(folders.settings));
      for (const suffix of ['-wal', '-shm']) rmSync(index('anna') + suffix);
      t = new TestStore(folders);
      await t.as('anna').select(inbox('anna'), true, () => {}).catch(() => {});
      await t.writer.idle();
      const mine = (text: string) => text.split('\n').filter((line) => line.startsWith('a/user')).join('\n');
      expect(t.lines.lines.join('\n')).toMatch(/anna.*its journal was lost/);
      expect(mine(dump(folders.settings))).toBe(mine(before));
    });
  }
});
