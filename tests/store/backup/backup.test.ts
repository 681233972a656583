/** A backup and a restore of everything, in one process: what comes out is what was there. */

import { afterAll, describe, expect, setSystemTime, test } from 'bun:test';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DirectoryTarget } from '../../../src/store/backup/directory.ts';
import { runNames } from '../../../src/store/backup/manifest.ts';
import { damage, inbox, message, type TestFolders } from '../teststore.ts';
import { backup, cleanUp, contents, folders, populate, restore, targetFolder, withStore } from './saved.ts';

afterAll(cleanUp);

function files(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(path, name)).isFile()).sort();
}

describe('a whole store', () => {
  test('comes back as it was', async () => {
    const from = folders();
    const to = folders();
    const path = targetFolder();
    await withStore(from, populate);
    const manifest = await backup(from, path);
    expect(manifest.unsaved).toEqual([]);
    expect(manifest.owners.map(({ userid }) => userid)).toEqual(['anna', 'bert', 'cora']);
    const report = await restore(to, path);
    expect(report.unsaved).toEqual([]);
    expect(contents(to)).toBe(contents(from));
    expect(damage(to.settings)).toEqual([]);
    await withStore(to, async (store) => {
      expect(store.store.secrets.get('anna')?.secret).toBe('{"secret":"anna"}');
      // UIDs go on far above those a client may have seen after the backup.
      const [delivered] = await store.deliver(message('after'), 'anna');
      expect(delivered?.uid).toBeGreaterThan(2 ** 20);
    });
    expect(damage(to.settings)).toEqual([]);
  });

  test('recipients of one message share one object', async () => {
    const from = folders();
    const path = targetFolder();
    const users = Array.from({ length: 20 }, (_, n) => `user${n}`);
    await withStore(from, (store) => store.deliver(message('to all', 5_000), ...users));
    const { figures, owners } = await backup(from, path);
    expect(owners.length).toBe(20);
    expect(figures.objects).toBe(1);
    expect(files(path).filter((name) => name.startsWith('objects/')).length).toBe(1);
  });

  test('a second run sends only what is new', async () => {
    const from = folders();
    const path = targetFolder();
    await withStore(from, populate);
    const first = await backup(from, path);
    const idle = await backup(from, path);
    expect(idle.head.previous).toBe(first.name.slice('runs/'.length));
    // Without a server each run is a start of the store, which directory.db counts.
    expect(idle.figures).toMatchObject({ objects: 0, objectBytes: 0, indexes: 1, logBytes: 0 });
    await withStore(from, (store) => store.deliver(message('new', 3_000), 'cora'));
    const { figures } = await backup(from, path);
    expect(figures).toMatchObject({ objects: 1, indexes: 2 });
    expect(figures.objectBytes).toBe(message('new', 3_000).length);
    const to = folders();
    await restore(to, path);
    expect(contents(to)).toBe(contents(from));
  });

  test('the run made last is the newest: within a second, and when the clock was set back', async () => {
    const from = folders();
    const path = targetFolder();
    const names: string[] = [];
    try {
      for (const second of [1_800_000_000, 1_800_000_000, 1_800_000_000, 1_700_000_000, 1_800_000_000]) {
        setSystemTime(new Date(second * 1000));
        // The second one of them finds nothing new.
        if (names.length !== 1) {
          await withStore(from, (store) => store.deliver(message(names.length), 'anna'));
        }
        names.push((await backup(from, path)).name);
        const to = folders();
        await restore(to, path);
        expect(contents(to)).toBe(contents(from));
      }
    } finally {
      setSystemTime();
    }
    expect(await runNames(new DirectoryTarget(path))).toEqual(names);
  });

  test('files of a target are for their owner alone', async () => {
    const from = folders();
    const path = targetFolder();
    await withStore(from, populate);
    await backup(from, path);
    for (const name of files(path)) {
      expect([name, statSync(join(path, name)).mode & 0o077]).toEqual([name, 0]);
    }
  });

  test('an earlier run can be named', async () => {
    const from = folders();
    const path = targetFolder();
    await withStore(from, populate);
    const before = contents(from);
    const first = await backup(from, path);
    await withStore(from, (store) => store.deliver(message('later'), 'anna'));
    await backup(from, path);
    const to = folders();
    const report = await restore(to, path, { run: first.name.slice('runs/'.length) });
    expect(report.run).toBe(first.name.slice('runs/'.length));
    expect(contents(to)).toBe(before);
  });

  test('is not restored over another, and with force puts it aside', async () => {
    const from = folders();
    const to = folders();
    const path = targetFolder();
    await withStore(from, populate);
    await backup(from, path);
    await withStore(to, (store) => store.deliver(message('precious'), 'dora'));
    await expect(restore(to, path)).rejects.toThrow('--force');
    const report = await restore(to, path, {}, { force: true, newUidvalidity: false });
    expect(contents(to)).toBe(contents(from));
    expect(damage(to.settings)).toEqual([]);
    expect(report.aside).not.toBeNull();
    const aside = readdirSync(report.aside as string);
    expect(aside).toEqual(expect.arrayContaining(['directory.db', 'log', 'user']));
    const kept = readdirSync(to.spool, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.startsWith('before-restore-') && /\/[0-9a-f]{4}\/[0-9a-f]{40}/.test(name)
    );
    expect(kept.map((name) => readFileSync(join(to.spool, name), 'latin1'))).toEqual([message('precious')]);
  });

  test('goes on in backups after a restore', async () => {
    const from = folders();
    const to = folders();
    const path = targetFolder();
    await withStore(from, populate);
    await backup(from, path);
    // The lost store went on and was saved again; the restore goes back to before that.
    const [first] = await runNames(new DirectoryTarget(path));
    await withStore(from, (store) => store.deliver(message('lost', 9_000), 'anna', 'bert'));
    await backup(from, path);
    await restore(to, path, { run: (first as string).slice('runs/'.length) });
    await withStore(to, (store) => store.deliver(message('new life'), 'anna'));
    const again = await backup(to, path);
    expect(again.unsaved).toEqual([]);
    const third = folders();
    await restore(third, path);
    expect(contents(third)).toBe(contents(to));
    expect(damage(third.settings)).toEqual([]);
  });

  test('new UIDVALIDITYs where they are asked for', async () => {
    const from = folders();
    const to = folders();
    const path = targetFolder();
    await withStore(from, populate);
    await backup(from, path);
    await restore(to, path, {}, { force: false, newUidvalidity: true });
    const of = (where: TestFolders) =>
      withStore(where, (store) => Promise.resolve(store.admin.info(inbox('anna')).uidvalidity));
    expect(await of(to)).toBeGreaterThan(await of(from));
    expect(damage(to.settings)).toEqual([]);
  });
});
