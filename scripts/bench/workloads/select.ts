/** Opening mailboxes and asking about them: SELECT, STATUS, LIST. */

import type { BenchClient } from '../client.ts';
import type { Sizes } from '../figures.ts';
import { costOf, type Workload } from '../workload.ts';
import { expectCount, LARGE, READER } from './fill.ts';

const LISTER = 'lister';

export const select: Workload = {
  name: 'select',
  filled: true,
  users: () => [READER],

  async run(server, sizes, take) {
    await server.stop();
    await server.start();
    const first = await server.login(READER);
    take.time('selectCold', 1, await costOf(server, () => opened(first, sizes)));
    first.close();
    // New connections are logged in beforehand: it is SELECT that is measured.
    const clients: BenchClient[] = [];
    for (let round = 0; round < sizes.rounds / 2; round++) clients.push(await server.login(READER));
    const fresh = await costOf(server, async () => {
      for (const client of clients) await opened(client, sizes);
    });
    take.time('select', clients.length, fresh);
    for (const client of clients.slice(1)) client.close();
    const [client] = clients;
    if (client === undefined) return;
    const again = await costOf(server, async () => {
      for (let round = 0; round < sizes.rounds; round++) await opened(client, sizes);
    });
    take.time('selectAgain', sizes.rounds, again);
    await client.command('UNSELECT');
    const status = await costOf(server, async () => {
      for (let round = 0; round < sizes.rounds; round++) {
        await client.command(`STATUS ${LARGE} (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)`);
      }
    });
    take.time('status', sizes.rounds, status);
    client.close();
  },
};

async function opened(client: BenchClient, sizes: Sizes): Promise<void> {
  const answer = await client.command(`SELECT ${LARGE}`);
  if (!answer.includes(`* ${sizes.large} EXISTS`)) throw new Error(`SELECT: ${answer.toString('latin1')}`);
}

export const list: Workload = {
  name: 'list',
  users: () => [LISTER],

  async prepare(server, sizes) {
    const client = await server.login(LISTER);
    await client.command('SELECT INBOX');
    for (let index = 0; index < sizes.mailboxes; index++) await client.command(`CREATE folder${index}`);
    client.close();
  },

  async run(server, sizes, take) {
    const client = await server.login(LISTER);
    expectCount(await client.command('LIST "" "*"'), '* LIST ', sizes.mailboxes + 1);
    const rounds = Math.ceil(sizes.rounds / 5);
    const cost = await costOf(server, async () => {
      for (let round = 0; round < rounds; round++) await client.count('LIST "" "*"');
    });
    take.time('list', rounds, cost, sizes.mailboxes);
    client.close();
  },
};
