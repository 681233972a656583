/** Bounds on the connections of a user, over all workers of a running store and over IMAP, POP3 and ManageSieve together. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { run, succeed } from '../harness/command.ts';
import type { ImapClient } from '../harness/imap.ts';
import { processTree } from '../harness/processes.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';

let store: TestStore;

beforeAll(async () => {
  store = await TestStore.start({
    users: ['anna', 'bert'],
    config: { login: { maxlogins_per_user: '4' }, server: { workers: '2' } },
  });
});

afterAll(() => store?.dispose());

/** The connection, or what the store said instead. */
async function login(user: string): Promise<ImapClient | string> {
  try {
    return await store.login(user);
  } catch (error) {
    return String(error);
  }
}

/** The supervisor hears of an end a moment after the client has seen it: asked until there is a place. */
async function place(user: string): Promise<ImapClient> {
  for (const begun = performance.now();;) {
    const client = await login(user);
    if (typeof client !== 'string') return client;
    if (performance.now() - begun > 20_000) throw new Error(client);
    await sleep(10);
  }
}

const POP = `
import poplib, ssl, sys
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
client = poplib.POP3_SSL('127.0.0.1', int(sys.argv[1]), context=context)
try:
    client.user('anna')
    client.pass_(sys.argv[2])
    print('in')
except poplib.error_proto as error:
    print(error)
`;

test('the one too many is refused whichever worker has it, others are not; who leaves makes place', async () => {
  const clients: ImapClient[] = [];
  for (let n = 0; n < 4; n++) clients.push(await store.login('anna'));
  for (let n = 0; n < 4; n++) expect(await login('anna')).toContain('[LIMIT]');
  const pop = await succeed('python3', ['-c', POP, String(store.ports.pop3s), PASSWORD]);
  expect(pop.stdout).toContain('too many open connections');
  const sieve = await run('/usr/lib/cyrus/bin/sivtest', [
    ...['-p', String(store.ports.sieve), '-m', 'PLAIN', '-a', 'anna', '-w', PASSWORD, 'localhost'],
  ], { input: 'LOGOUT\r\n' });
  expect(sieve.stdout).toContain('S: NO "too many open connections of this user"');
  await (await store.login('bert')).logout();
  await clients.pop()?.logout();
  clients.push(await place('anna'));
  for (const client of clients) client.destroy();
});

test('a worker that is killed takes its connections out of the count', async () => {
  for (let n = 0; n < 4; n++) await place('anna');
  expect(await login('anna')).toContain('[LIMIT]');
  for (const pid of processTree(store.pid)) {
    if (readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('--role=worker')) {
      process.kill(pid, 'SIGKILL');
    }
  }
  await store.greets();
  for (let n = 0; n < 4; n++) await place('anna');
  expect(await login('anna')).toContain('[LIMIT]');
});
