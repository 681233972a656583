/** Connections that do nothing but log in and out, as those of a webmail. */

import { BenchClient } from '../client.ts';
import { PASSWORD } from '../servers/server.ts';
import { costOf, type Workload } from '../workload.ts';
import { makeInbox } from './delivery.ts';

const PARALLEL = 8;
const names = Array.from({ length: PARALLEL }, (_, index) => `login${index}`);

export const logins: Workload = {
  name: 'logins',
  users: () => names,

  async prepare(server) {
    for (const name of names) await makeInbox(server, name);
  },

  async run(server, sizes, take) {
    const each = Math.ceil(sizes.logins / PARALLEL);
    const cost = await costOf(server, async () => {
      await Promise.all(names.map(async (name) => {
        for (let round = 0; round < each; round++) {
          const client = await BenchClient.open(server.ports.imap);
          await client.login(name, PASSWORD);
          await client.command('LOGOUT');
          client.close();
        }
      }));
    });
    take.rate('logins', each * PARALLEL, cost);
  },
};
