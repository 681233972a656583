/** SEARCH, SORT and THREAD over a mailbox: each once to warm up, then measured. */

import type { FigureName } from '../figures.ts';
import { costOf, type Workload } from '../workload.ts';
import { READER } from './fill.ts';

/** [figure, command, rounds of a repetition, how many numbers the answer has for 10,000 messages] */
const COMMANDS: readonly (readonly [FigureName, string, number, (count: number) => number])[] = [
  ['searchText', 'SEARCH TEXT "quick brown dodo"', 1, () => 0],
  ['searchHeader', 'SEARCH SUBJECT "number 77 "', 5, () => 1],
  ['searchFlags', 'SEARCH UNSEEN SINCE 1-Jan-2020', 10, (count) => count / 5],
  ['sort', 'SORT (DATE) UTF-8 ALL', 5, (count) => count],
  ['thread', 'THREAD REFERENCES UTF-8 ALL', 5, (count) => count],
];

export const search: Workload = {
  name: 'search',
  filled: true,
  users: () => [READER],

  async run(server, sizes, take) {
    const client = await server.login(READER);
    await client.command('SELECT INBOX');
    for (const [figure, command, rounds, expected] of COMMANDS) {
      verify(command, await client.command(command), expected(sizes.fetched));
      const cost = await costOf(server, async () => {
        for (let round = 0; round < rounds; round++) await client.count(command);
      });
      take.time(figure, rounds, cost, sizes.fetched);
    }
    client.close();
  },
};

function verify(command: string, answer: Buffer, expected: number): void {
  const line =
    answer.toString('latin1').split('\r\n').find((text) => /^\* (SEARCH|SORT|THREAD)/.test(text)) ?? '';
  const found = line.match(/\d+/g)?.length ?? 0;
  if (found !== expected) throw new Error(`${command}: ${found} messages, expected ${expected}`);
}
