/** What a session costs while it waits, and that it costs nothing once it is over: counted in objects, not in time. */

import { expect, test } from 'bun:test';
import { heapStats } from 'bun:jsc';
import { ImapServer } from './imapserver.ts';
import { MemoryConnection } from './memory_connection.ts';

/** Living objects by class. */
function living(): { all: number; of: Record<string, number> } {
  Bun.gc(true);
  const { objectCount, objectTypeCounts } = heapStats();
  return { all: objectCount, of: objectTypeCounts };
}

/** Clients in IDLE on their INBOX. */
async function idlers(server: ImapServer, count: number): Promise<MemoryConnection[]> {
  const service = server.settings.services.find(({ protocol }) => protocol === 'imap')!;
  const clients: MemoryConnection[] = [];
  for (let index = 0; index < count; index++) {
    const client = new MemoryConnection();
    server.protocol.accept(client, service);
    client.send('a LOGIN django secret\r\nb SELECT INBOX\r\nc IDLE\r\n');
    while (await client.line() !== '+ idling');
    clients.push(client);
  }
  // What is told when IDLE begins is told.
  await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
  return clients;
}

/** Clients that come, idle and go. */
async function comeAndGo(server: ImapServer, count: number): Promise<void> {
  for (let index = 0; index < count; index += 50) {
    for (const client of await idlers(server, 50)) client.hangUp();
  }
  // The last ones are on nobody's stack any more.
  await new Promise<void>((resolve) => setTimeout(resolve, 1));
}

test('sessions that are over leave nothing behind', async () => {
  const server = await ImapServer.open();
  try {
    const count = 300;
    // For what is made for all sessions, and what remembers the last few hundred things.
    for (let round = 0; round < 3; round++) await comeAndGo(server, count);
    const before = living();
    // What is on its way out now and then lingers until a later collection; what leaks is there after every one, and after
    // three rounds and four it is three and four times as much.
    const more: number[] = [];
    for (let round = 0; round < 4; round++) {
      await comeAndGo(server, count);
      more.push(living().all - before.all);
    }
    expect(Math.min(...more.slice(2))).toBeLessThan(count);
  } finally {
    await server.close();
  }
});

test('a session in IDLE holds no promise, no timer and no buffer', async () => {
  const server = await ImapServer.open();
  try {
    for (const client of await idlers(server, 20)) client.hangUp();
    const before = living();
    const count = 200;
    const clients = await idlers(server, count);
    for (const client of clients) client.take();
    const now = living();
    for (const kind of ['Promise', 'AsyncFunctionGenerator', 'Timeout', 'AbortSignal']) {
      expect([kind, (now.of[kind] ?? 0) - (before.of[kind] ?? 0) < count / 2]).toEqual([kind, true]);
    }
    // Those of the connection of this test included.
    expect((now.all - before.all) / count).toBeLessThan(36);
    for (const client of clients) client.hangUp();
  } finally {
    await server.close();
  }
});
