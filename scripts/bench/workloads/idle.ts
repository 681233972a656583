/** How soon a delivery is seen by those who wait for it in IDLE (RFC 2177). */

import type { BenchClient } from '../client.ts';
import { percentile } from '../figures.ts';
import { LmtpSession, Mail } from '../lmtp_client.ts';
import { sampleMessage } from '../message.ts';
import type { RunningServer } from '../servers/server.ts';
import type { Workload } from '../workload.ts';
import { makeInbox } from './delivery.ts';

const ONE = 'waiter';
const MANY = 'crowd';
const CROWD = 100;
const CROWD_ROUNDS = 3;
const MAIL = new Mail(sampleMessage(1));

export const idle: Workload = {
  name: 'idle',
  users: () => [ONE, MANY],

  async prepare(server) {
    await makeInbox(server, ONE);
    await makeInbox(server, MANY);
  },

  async run(server, sizes, take) {
    const lmtp = await LmtpSession.open(server.lmtp);
    const [alone] = await waiting(server, ONE, 1);
    if (alone === undefined) return;
    const delays: number[] = [];
    // The first delivery warms up.
    for (let round = 0; round <= sizes.notified; round++) {
      const delay = await notified(lmtp, ONE, [alone]);
      if (round > 0) delays.push(delay);
    }
    alone.close();
    take.value('idleMedian', percentile(delays, 50));
    take.value('idleSlow', percentile(delays, 99));
    const crowd = await waiting(server, MANY, CROWD);
    const all: number[] = [];
    for (let round = 0; round < CROWD_ROUNDS; round++) all.push(await notified(lmtp, MANY, crowd));
    take.value('fanout', percentile(all, 50));
    for (const client of crowd) client.close();
    lmtp.close();
  },
};

async function waiting(server: RunningServer, user: string, count: number): Promise<BenchClient[]> {
  const clients: BenchClient[] = [];
  for (let index = 0; index < count; index++) {
    const client = await server.login(user);
    await client.command('SELECT INBOX');
    await client.idle();
    clients.push(client);
  }
  return clients;
}

/** Milliseconds from the last byte of a message until the last of the clients was told of it. */
async function notified(lmtp: LmtpSession, user: string, clients: readonly BenchClient[]): Promise<number> {
  const told = Promise.all(clients.map((client) => client.told(' EXISTS\r\n')));
  let begun = 0;
  await lmtp.deliver(MAIL.copy(), [user], () => begun = performance.now());
  await told;
  return performance.now() - begun;
}
