/** Clients are greeted while the store still recovers; nothing of it is told before (DESIGN rule 2). */

import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { tryLock } from '../../src/store/lock.ts';
import { ImapClient } from '../harness/imap.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';

test('the greeting does not wait for the writer, a login does', async () => {
  const store = await TestStore.start({ users: ['anna'] });
  try {
    await store.stop();
    // Whoever holds the lock keeps the writer from recovering, as an old writer that is not gone yet would.
    const lock = tryLock(join(store.dir, 'state', 'log'));
    expect(lock).not.toBeNull();
    await store.run();
    const client = await ImapClient.connect({ port: store.ports.imap });
    let answered = false;
    const login = client.login('anna', PASSWORD).then(() => answered = true);
    const other = await ImapClient.connect({ port: store.ports.imap });
    await other.ok('NOOP');
    await other.ok('CAPABILITY');
    expect(answered).toBe(false);
    lock?.release();
    await login;
    expect((await client.ok('SELECT INBOX')).text).toContain('READ-WRITE');
    client.destroy();
    other.destroy();
  } finally {
    await store.dispose();
  }
}, 30_000);
