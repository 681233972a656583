/** The power goes while a store is restored: doing the restore again makes it whole, and nothing of an earlier one is lost. */
import { afterEach, expect, test } from 'bun:test';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { layoutOf } from '../../../src/store/layout.ts';
import { restoreMark } from '../../../src/store/writer/mark.ts';
import { damage, message, messageFiles, TestStore } from '../teststore.ts';
import { backup, cleanUp, contents, folders, populate, restore, targetFolder, withStore } from './saved.ts';

afterEach(cleanUp);

test('message files that have their size and not their bytes are fetched again', async () => {
  const from = folders();
  const path = targetFolder();
  await withStore(from, populate);
  await backup(from, path);
  const to = folders();
  await restore(to, path);
  // As in the middle of it: the mark stands, nothing was synced yet.
  writeFileSync(restoreMark(to.log), 'some run\n');
  const files = messageFiles(to.spool);
  expect(files.length).toBeGreaterThan(10);
  const seen = new Set<number>();
  for (const [n, file] of files.entries()) {
    const { ino, size } = statSync(file);
    if (n % 2 === 0 && !seen.has(ino)) writeFileSync(file, Buffer.alloc(size));
    seen.add(ino);
  }
  const report = await restore(to, path);
  expect(report.unsaved).toEqual([]);
  expect(contents(to)).toBe(contents(from));
  expect(damage(to.settings)).toEqual([]);
});

test('half of a store that was put aside is not opened; the other half follows it', async () => {
  const from = folders();
  const path = targetFolder();
  await withStore(from, populate);
  await backup(from, path);
  const to = folders();
  await withStore(to, (store) => store.deliver(message('precious'), 'dora'));
  // The mark, and the first of what is moved behind it.
  const aside = join(to.settings.configdirectory, 'before-restore-1.');
  writeFileSync(restoreMark(to.log), 'aside before-restore-1.\n');
  mkdirSync(join(aside, 'log'), { recursive: true });
  const segments = readdirSync(to.log).filter((name) => name.endsWith('.log'));
  for (const name of segments) renameSync(join(to.log, name), join(aside, 'log', name));
  expect(() => new TestStore(to)).toThrow('was not completed');
  const report = await restore(to, path);
  expect(report.aside).toBe(aside);
  expect(contents(to)).toBe(contents(from));
  expect(damage(to.settings)).toEqual([]);
  // Put back, the earlier store is what it was.
  const back = folders();
  const layout = layoutOf(back.settings);
  for (const name of readdirSync(join(aside, 'log'))) {
    copyFileSync(join(aside, 'log', name), join(layout.log, name));
  }
  renameSync(join(aside, 'directory.db'), layout.directory);
  renameSync(join(aside, 'user'), layout.userFolder(''));
  for (const name of readdirSync(join(to.spool, 'before-restore-1.'))) {
    renameSync(join(to.spool, 'before-restore-1.', name), join(back.spool, name));
  }
  await withStore(back, (store) => {
    expect(store.lines.lines).toEqual([]);
    return Promise.resolve();
  });
  expect(messageFiles(back.spool).map((file) => readFileSync(file, 'latin1'))).toEqual([message('precious')]);
  expect(damage(back.settings)).toEqual([]);
});
