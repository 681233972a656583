/**
 * Memory: proportional set size of the server's whole process tree, and how far it grows by a connection that is
 * logged in, has selected INBOX and is in IDLE.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchClient } from '../client.ts';
import type { FigureName } from '../figures.ts';
import type { RunningServer } from '../servers/server.ts';
import type { Workload } from '../workload.ts';
import { makeInbox } from './delivery.ts';
import { memoryOf } from '../../../tests/harness/processes.ts';

/** Connections of one user; Dovecot's default limit is ten per user and address. */
const PER_USER = 10;
const USERS = 100;
/** Memory that falls by less than this share counts as settled, */
const SETTLED = 0.005;
/** when it does so for so many looks, two in a second: a runtime collects what is left of logins some seconds behind them. */
const LOOKS = 24;
/** Connections that log in at the same time. */
const PARALLEL = 16;

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `idle${index}`);
const ofTen = (index: number): string => `idle${Math.floor(index / PER_USER)}`;
const usersOf = (connections: number): number => Math.ceil(connections / PER_USER);

/** What the servers of a process per connection can hold on this machine, too. */
export const memory: Workload = {
  name: 'memory',
  users: (sizes) => names(Math.max(USERS, usersOf(sizes.idle))),

  async prepare(server, sizes) {
    await makeInboxes(server, Math.max(USERS, usersOf(Math.min(sizes.idle, server.idleAtMost))));
  },

  async run(server, sizes, take) {
    const count = Math.min(sizes.idle, server.idleAtMost);
    await server.stop();
    await server.start();
    take.value('base', await settledMemory(server));
    const clients = await connected(server, USERS, (index) => `idle${index}`, false);
    const users = await settledMemory(server);
    take.value('users', users);
    clients.push(...await connected(server, count, ofTen, false));
    take.value('idle', (await settledMemory(server) - users) / count);
    for (const client of clients) client.close();
    take.value('idleTls', await growth(server, count, true));
  },
};

/** More connections than a process for each would fit into memory. */
export const manyConnections: Workload = {
  name: 'connections',
  own: true,
  users: (sizes) => names(usersOf(sizes.idleMany)),

  async prepare(server, sizes) {
    await makeInboxes(server, usersOf(sizes.idleMany));
  },

  async run(server, sizes, take) {
    for (const [figure, tls] of [['idleMany', false], ['idleManyTls', true]] as [FigureName, boolean][]) {
      take.value(figure, await growth(server, sizes.idleMany, tls));
    }
  },
};

/** Mailboxes exist and caches are warm before the first look, so that only connections make the difference. */
async function makeInboxes(server: RunningServer, count: number): Promise<void> {
  const left = names(count);
  await Promise.all(Array.from({ length: PARALLEL }, async () => {
    for (let user = left.pop(); user !== undefined; user = left.pop()) await makeInbox(server, user);
  }));
}

/** KB per connection by which a server that was just started grows. */
async function growth(server: RunningServer, count: number, tls: boolean): Promise<number> {
  await server.stop();
  await server.start();
  // The first connections make the processes that a server always has once it was used.
  const first = await connected(server, PARALLEL, ofTen, tls);
  const before = await settledMemory(server);
  const clients = await connected(server, count, ofTen, tls);
  const after = await settledMemory(server);
  for (const client of [...first, ...clients]) client.close();
  return (after - before) / count;
}

async function connected(
  server: RunningServer,
  count: number,
  user: (index: number) => string,
  tls: boolean,
): Promise<BenchClient[]> {
  const clients: BenchClient[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: PARALLEL }, async () => {
    while (next < count) {
      const client = await server.login(user(next++), tls);
      await client.command('SELECT INBOX');
      await client.idle();
      clients.push(client);
    }
  }));
  return clients;
}

async function settledMemory(server: RunningServer): Promise<number> {
  let least = memoryOf(server.pid);
  for (let quiet = 0; quiet < LOOKS; quiet++) {
    await sleep(500);
    const now = memoryOf(server.pid);
    if (now >= least * (1 - SETTLED)) continue;
    least = now;
    quiet = 0;
  }
  return memoryOf(server.pid);
}
