/** The server as a process: memory of idle connections, time to start, time to come back after kill -9. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchClient } from '../client.ts';
import type { Measured, Sizes } from '../figures.ts';
import type { RunningServer } from '../servers/server.ts';
import { memoryOf } from '../../../tests/harness/processes.ts';

/** Connections of one user; Dovecot's default limit is ten per user and address. */
const PER_USER = 10;
/** Two looks at the memory that differ by less than this share count as settled. */
const SETTLED = 0.005;

export function idleUsers(sizes: Sizes): string[] {
  return Array.from({ length: Math.ceil(sizes.idle / PER_USER) }, (_, index) => `idle${index}`);
}

/** Memory of the whole process tree per connection that is logged in, has selected INBOX and idles. */
export async function measureIdle(server: RunningServer, sizes: Sizes, measured: Measured): Promise<void> {
  const users = idleUsers(sizes);
  // Mailboxes exist and caches are warm before the first look, so that only connections make the difference.
  for (const user of users) {
    const client = await server.login(user);
    await client.command('SELECT INBOX');
    client.close();
  }
  await server.stop();
  await server.start();
  const before = await settledMemory(server);
  const clients: BenchClient[] = [];
  for (let index = 0; index < sizes.idle; index++) {
    const client = await server.login(users[Math.floor(index / PER_USER)] ?? '');
    await client.command('SELECT INBOX');
    await client.idle();
    clients.push(client);
  }
  const after = await settledMemory(server);
  for (const client of clients) client.close();
  measured.base = [before];
  measured.idle = [(after - before) / sizes.idle];
}

async function settledMemory(server: RunningServer): Promise<number> {
  let last = memoryOf(server.pid);
  for (let look = 0; look < 20; look++) {
    await sleep(500);
    const now = memoryOf(server.pid);
    if (Math.abs(now - last) < now * SETTLED) return now;
    last = now;
  }
  return last;
}

export async function measureStarts(server: RunningServer, sizes: Sizes, measured: Measured): Promise<void> {
  const start: number[] = [];
  const restart: number[] = [];
  for (let round = 0; round < sizes.repetitions; round++) {
    await server.stop();
    start.push(await server.start());
  }
  for (let round = 0; round < sizes.repetitions; round++) {
    const begun = performance.now();
    await server.kill();
    await server.start();
    restart.push(performance.now() - begun);
  }
  measured.start = start;
  measured.restart = restart;
}
