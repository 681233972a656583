/** What one user lost beside messages, brought back into the store as it is. */
import { afterEach, expect, test } from 'bun:test';
import { DirectoryTarget } from '../../../src/store/backup/directory.ts';
import { restorePartly, type Wanted } from '../../../src/store/backup/restore/partial.ts';
import { restorePoint } from '../../../src/store/backup/restore/point.ts';
import { silentLog } from '../../../src/telemetry/log.ts';
import { box, damage, message, type TestFolders, type TestStore } from '../teststore.ts';
import { backup, cleanUp, folders, targetFolder, withStore } from './saved.ts';

afterEach(cleanUp);

const names = (t: TestStore) =>
  t.as('anna').scripts.list().map(({ name, active }) => active ? `*${name}` : name);

async function put(t: TestStore, name: string, text: string): Promise<void> {
  await t.as('anna').scripts.put(name, Buffer.from(text), { maxScripts: 10 });
}

async function saved(): Promise<{ from: TestFolders; restore: (wanted: Partial<Wanted>) => Promise<void> }> {
  const from = folders();
  await withStore(from, async (t) => {
    await t.deliver(message(1), 'anna', 'bert');
    await put(t, 'a', 'keep; # a');
    await put(t, 'b', 'keep; # b');
    await t.as('anna').scripts.setActive('b');
    await t.as('anna').create(box('anna', 'Work'));
    await t.as('anna').metadata.set(
      box('anna', 'Work'),
      new Map([['/shared/comment', Buffer.from('both')], ['/private/comment', Buffer.from('mine')]]),
    );
    await t.as('anna').metadata.set(null, new Map([['/private/x', Buffer.from('server')]]));
  });
  const path = targetFolder();
  const target = new DirectoryTarget(path);
  await backup(from, path);
  const restore = async (wanted: Partial<Wanted>): Promise<void> => {
    const all = { userid: 'anna', replace: true, ...wanted };
    await restorePartly(from.settings, target, await restorePoint(target, {}), all, silentLog);
  };
  return { from, restore };
}

test('scripts of a user who was purged come back with the active one', async () => {
  const { from, restore } = await saved();
  await withStore(from, (t) => t.store.admin.purgeUser('anna'));
  await restore({});
  await withStore(from, async (t) => {
    expect(names(t)).toEqual(['a', '*b']);
    expect((await t.store.recipient({ userid: 'anna', detail: null, poster: null, size: null })).script)
      .toBe(t.store.activeScript('anna')?.hash as string);
  });
  expect(damage(from.settings)).toEqual([]);
});

test('those that are there stay as they are, and so does the active one', async () => {
  const { from, restore } = await saved();
  await withStore(from, async (t) => {
    await t.as('anna').scripts.setActive(null);
    await t.as('anna').scripts.delete('a');
    await put(t, 'b', 'newer');
    await put(t, 'c', 'new');
    await t.as('anna').scripts.setActive('c');
  });
  for (const wanted of [{ replace: false }, { path: '' }, { messageId: '<1@example.org>' }]) {
    await restore(wanted);
    expect(await withStore(from, (t) => Promise.resolve(names(t)))).toEqual(['b', '*c']);
  }
  await restore({});
  await withStore(from, async (t) => {
    expect(names(t)).toEqual(['a', 'b', '*c']);
    expect(Buffer.from(t.as('anna').scripts.get('b') as Uint8Array).toString()).toBe('newer');
    await t.as('anna').scripts.setActive(null);
  });
  await restore({});
  expect(await withStore(from, (t) => Promise.resolve(names(t)))).toEqual(['a', '*b', 'c']);
});

test('metadata of a mailbox comes back with it, that of the server with the user', async () => {
  const { from, restore } = await saved();
  const entries = (t: TestStore, mailbox: ReturnType<typeof box> | null) =>
    t.as('anna').metadata.list(mailbox).map(({ name, value }) => `${name}=${Buffer.from(value)}`);
  await withStore(from, (t) => t.as('anna').delete(box('anna', 'Work')));
  await restore({ path: 'Work' });
  await withStore(from, async (t) => {
    expect(entries(t, box('anna', 'Work'))).toEqual(['/private/comment=mine', '/shared/comment=both']);
    await t.store.admin.purgeUser('anna');
  });
  await restore({});
  await withStore(from, (t) => {
    expect(entries(t, box('anna', 'Work'))).toEqual(['/private/comment=mine', '/shared/comment=both']);
    expect(entries(t, null)).toEqual(['/private/x=server']);
    return Promise.resolve();
  });
  expect(damage(from.settings)).toEqual([]);
});
