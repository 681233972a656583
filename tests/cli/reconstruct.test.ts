/** `mailstore reconstruct`: ways that exclude each other, and what is printed of a loss that is accepted. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { listSegments } from '../../src/store/log/segment.ts';
import { TestStore } from './administration.ts';

let store: TestStore;
beforeEach(() => {
  store = new TestStore();
});
afterEach(() => store.remove());

test('ways that exclude each other are wrong command lines', async () => {
  for (const line of [[], ['--accept-log-loss', 'django'], ['--from-spool', '--from-snapshot', 'django']]) {
    const { result, error } = await store.run(['reconstruct', ...line]);
    expect([result, error]).toEqual(['badsyntax', expect.stringMatching(/^name |--accept-log-loss is for/)]);
  }
  expect(store.opened).toBe(0);
});

test('a lost file of the log: refused with the remedy, then given up, and said what is gone', async () => {
  const log = join(store.folder, 'conf', 'log');
  await store.ok('user add django', { stdin: 'pencil\n' });
  const before = listSegments(log);
  await store.ok('user add eve', { stdin: 'pencil\n' });
  const [gone = ''] = listSegments(log).filter((path) => !before.includes(path));
  await store.ok('user add max', { stdin: 'pencil\n' });
  rmSync(gone);
  const refused = await store.run(['user', 'list']);
  expect(refused.result).toBe('corruption');
  expect(refused.error).toMatch(/acknowledged changes are missing.*mailstore reconstruct --accept-log-loss/);
  expect(await store.ok('reconstruct --accept-log-loss')).toMatch(
    /^lost: log records \d+ to \d+\n(\w+: changes (may be|are) lost; 0 messages found and added to INBOX\n)*Passwords, /,
  );
  expect(await store.ok('user list')).toContain('django');
  expect((await store.run(['reconstruct', '--accept-log-loss'])).error).toMatch(
    /Nothing of the log is missing/,
  );
});
