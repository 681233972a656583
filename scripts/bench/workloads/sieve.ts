/** Deliveries of 4 KB over LMTP to users whose script has 60 rules; all of them are looked at, and the message is kept. */

import type { FigureName } from '../figures.ts';
import { SIEVE_USERS } from '../script.ts';
import { costOf, type Workload } from '../workload.ts';
import { generate, makeInbox } from './delivery.ts';

const SESSIONS: readonly (readonly [FigureName, number])[] = [['sieve1', 1], ['sieve8', 8], ['sieve32', 32]];

export const sieve: Workload = {
  name: 'sieve',
  users: () => SIEVE_USERS,

  async prepare(server, sizes) {
    for (const user of SIEVE_USERS) {
      await makeInbox(server, user);
      await generate(server, user, 8, Math.ceil(sizes.deliveries / 4), false);
    }
  },

  async run(server, sizes, take) {
    for (const [index, [figure, sessions]] of SESSIONS.entries()) {
      const count = sessions === 1 ? sizes.deliveries : sizes.deliveries * 3;
      const user = SIEVE_USERS[index] ?? '';
      const cost = await costOf(server, () => generate(server, user, sessions, count, false));
      take.rate(figure, count, cost);
      if (figure === 'sieve32') take.value('sieveCpu', cost.server / count * 1000);
    }
  },
};
