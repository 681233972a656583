/** FETCH of what a client's list of messages needs, and of bodies. */

import type { BenchClient } from '../client.ts';
import { costOf, type Workload } from '../workload.ts';
import { expectCount, READER } from './fill.ts';

/** Rounds of one repetition, so that the kernel's account of processor time has something to count. */
const ROUNDS = 3;

export const fetchEnvelopes: Workload = {
  name: 'fetch',
  filled: true,
  users: () => [READER],

  async run(server, sizes, take) {
    const count = sizes.fetched;
    const command = `FETCH 1:${count} (FLAGS ENVELOPE BODYSTRUCTURE)`;
    if (take.measured.fetchFirst === undefined) {
      const client = await opened(await server.login(READER));
      const first = await costOf(server, async () => verify(await client.command(command), count));
      take.rate('fetchFirst', count, first);
      client.close();
    }
    await server.stop();
    await server.start();
    const client = await opened(await server.login(READER));
    take.rate('fetchCold', count, await costOf(server, async () => void await client.count(command)));
    const warm = await costOf(server, async () => {
      for (let round = 0; round < ROUNDS; round++) await client.count(command);
    });
    take.rate('fetch', count * ROUNDS, warm);
    client.close();
  },
};

/** The answer must hold a line with everything asked for per message, or the figure would mean nothing. */
function verify(answer: Buffer, count: number): void {
  for (const item of [' FETCH (', 'FLAGS (', 'ENVELOPE (', 'BODYSTRUCTURE (']) {
    expectCount(answer, item, count);
  }
}

export const fetchBodies: Workload = {
  name: 'bodies',
  filled: true,
  users: () => [READER],

  async run(server, sizes, take) {
    const client = await opened(await server.login(READER));
    const command = `FETCH 1:${sizes.fetched} BODY.PEEK[]`;
    await client.count(command);
    let bytes = 0;
    const all = await costOf(server, async () => {
      for (let round = 0; round < ROUNDS; round++) bytes += await client.count(command);
    });
    if (bytes < sizes.fetched * ROUNDS * 3000) throw new Error(`bodies of ${bytes} bytes`);
    take.rate('bodies', bytes / 1e6, all);
    const rounds = sizes.rounds * 2;
    const one = await costOf(server, async () => {
      for (let round = 0; round < rounds; round++) {
        await client.count(`FETCH ${1 + round * 7 % sizes.fetched} BODY.PEEK[]`);
      }
    });
    take.time('fetchOne', rounds, one);
    client.close();
  },
};

async function opened(client: BenchClient): Promise<BenchClient> {
  await client.command('SELECT INBOX');
  return client;
}
