/** Changing many messages at once and one at a time: STORE, COPY, MOVE, EXPUNGE. */

import { costOf, type Workload } from '../workload.ts';
import { expectCount, READER } from './fill.ts';

export const store: Workload = {
  name: 'store',
  filled: true,
  users: () => [READER],

  async run(server, sizes, take) {
    const client = await server.login(READER);
    await client.command('SELECT INBOX');
    const count = sizes.fetched;
    const answered = await costOf(server, async () => {
      expectCount(await client.command('STORE 1:* +FLAGS (\\Flagged)'), ' FETCH (', count);
      expectCount(await client.command('STORE 1:* -FLAGS (\\Flagged)'), ' FETCH (', count);
    });
    take.time('storeAnswered', 2, answered, count);
    const silent = await costOf(server, async () => {
      await client.command('STORE 1:* +FLAGS.SILENT (\\Flagged)');
      await client.command('STORE 1:* -FLAGS.SILENT (\\Flagged)');
    });
    take.time('storeSilent', 2, silent, count);
    const one = await costOf(server, async () => {
      for (let round = 0; round < sizes.rounds; round++) {
        const sign = round % 2 === 0 ? '+' : '-';
        await client.command(`STORE ${1 + (round >> 1) * 13 % count} ${sign}FLAGS (\\Answered)`);
      }
    });
    take.time('storeOne', sizes.rounds, one);
    client.close();
  },
};

export const transfer: Workload = {
  name: 'copy',
  filled: true,
  users: () => [READER],

  async run(server, sizes, take) {
    const client = await server.login(READER);
    const count = sizes.fetched;
    await client.command('CREATE Copied');
    await client.command('CREATE Moved');
    await client.command('SELECT INBOX');
    const copied = await costOf(server, async () => void await client.command('COPY 1:* Copied'));
    take.time('copy', 1, copied, count);
    await client.command('SELECT Copied');
    const moved = await costOf(server, async () => void await client.command('MOVE 1:* Moved'));
    take.time('move', 1, moved, count);
    await client.command('SELECT Moved');
    await client.command('STORE 1:* +FLAGS.SILENT (\\Deleted)');
    const expunged = await costOf(server, async () => {
      expectCount(await client.command('EXPUNGE'), ' EXPUNGE\r\n', count);
    });
    take.time('expunge', 1, expunged, count);
    await client.command('UNSELECT');
    await client.command('DELETE Copied');
    await client.command('DELETE Moved');
    client.close();
  },
};
