import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { succeed } from '../harness/command.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.start({ users: ['python'] });
});
afterAll(() => store.dispose());

test("Python's imaplib uploads, flags, searches, copies, moves, idles and deletes", async () => {
  const script = join(import.meta.dir, 'imaplib_client.py');
  const args = [String(store.ports.imap), 'python', PASSWORD, String(store.ports.imaps)];
  const ended = await succeed('python3', [script, ...args]);
  expect(ended.stdout).toBe('done\n');
});
