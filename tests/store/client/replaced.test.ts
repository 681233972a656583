/** A worker that did not hear of a replaced index reads the new one all the same. */
import { afterAll, afterEach, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { openStore } from '../../../src/store/open.ts';
import { MailStore } from '../../../src/store/client/store.ts';
import { SocketLink } from '../../../src/store/client/socketlink.ts';
import { layoutOf } from '../../../src/store/layout.ts';
import { Spool } from '../../../src/store/spool/spool.ts';
import { type RunningWriter, runWriter } from '../../../src/store/writer/run.ts';
import { inbox, Lines, message, TestFolders } from '../teststore.ts';

const folders = new TestFolders();
const layout = layoutOf(folders.settings);
let writer: RunningWriter;
afterEach(() => writer.close());
afterAll(() => folders.remove());

const start = () => runWriter(folders.settings, new Lines(), { ready: () => {}, fatal: () => {} });

async function connect(): Promise<MailStore> {
  const link = new SocketLink(layout.writerSocket, new Lines());
  await link.connected();
  return new MailStore(folders.settings, layout, new Spool(folders.settings.partition), link);
}

async function append(store: MailStore, n: number): Promise<void> {
  const anna = store.session({ userid: 'anna', admin: false, groups: [] });
  const stage = anna.stage(0);
  stage.write(Buffer.from(message(n)));
  await anna.append(inbox('anna'), [{ message: await stage.finish(), flags: [], internaldate: null }]);
}

test('an index that the next writer made anew in its recovery', async () => {
  writer = await start();
  const store = await connect();
  const anna = store.session({ userid: 'anna', admin: false, groups: [] });
  await anna.login();
  await append(store, 1);
  expect(anna.info(inbox('anna')).exists).toBe(1);
  // The worker has it open, nobody else; the log still has everything.
  await writer.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(layout.index('a/user/anna') + suffix, { force: true });
  writer = await start();
  const other = await connect();
  await append(other, 2);
  expect(other.session({ userid: 'anna', admin: false, groups: [] }).info(inbox('anna')).exists).toBe(2);
  await append(store, 3);
  expect(anna.info(inbox('anna')).exists).toBe(3);
  await other.close();
  await store.close();
});

test('a user who is removed while the worker has no connection to the writer is gone at once', async () => {
  writer = await start();
  const store = await connect();
  const anna = store.session({ userid: 'anna', admin: false, groups: [] });
  await anna.login();
  await append(store, 1);
  expect(anna.info(inbox('anna')).exists).toBeGreaterThan(0);
  await writer.close();
  const tool = await openStore(folders.settings, new Lines(), 'direct');
  await tool.admin.purgeUser('anna');
  await tool.close();
  expect(() => anna.info(inbox('anna'))).toThrow(expect.objectContaining({ code: 'nonexistent' }));
  writer = await start();
  await store.close();
});

test('a directory.db that the next writer made anew: later users, names and passwords are seen', async () => {
  writer = await start();
  const store = await connect();
  const bert = store.session({ userid: 'bert', admin: false, groups: [] });
  await bert.login();
  await store.session({ userid: 'anna', admin: false, groups: [] }).login();
  await store.secrets.set('bert', 'before');
  expect(store.secrets.get('bert')?.secret).toBe('before');
  await writer.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(layout.directory + suffix, { force: true });
  writer = await start();
  const other = await connect();
  await other.secrets.set('bert', 'after');
  await other.session({ userid: 'cora', admin: false, groups: [] }).login();
  await other.session({ userid: 'bert', admin: false, groups: [] }).create({ owner: 'bert', path: 'New' });
  // Only now does the worker hear of the new writer.
  await append(store, 9);
  expect(store.secrets.get('bert')?.secret).toBe('after');
  expect(bert.list().map(({ name }) => name.path)).toContain('New');
  expect(store.admin.owners().map(({ userid }) => userid)).toContain('cora');
  await other.close();
  await store.close();
});
