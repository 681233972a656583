/** NOOP tells of all that anybody was answered before, on whichever worker the two connections are. */

import { expect, test } from 'bun:test';
import type { ImapClient } from '../harness/imap.ts';
import { TestStore } from '../harness/server.ts';

const ROUNDS = 40;
const MESSAGE = Buffer.from('Subject: a message\r\n\r\nwith a body\r\n');

test('NOOP is not overtaken by the news between processes', async () => {
  const store = await TestStore.start({ users: ['django'] });
  const clients: ImapClient[] = [];
  try {
    for (let i = 0; i < 6; i++) clients.push(await store.login('django'));
    const [writer, ...others] = clients as [ImapClient, ...ImapClient[]];
    await writer.ok('SELECT INBOX');
    for (let round = 1; round <= ROUNDS; round++) {
      // Selected a moment ago, and long ago.
      for (const other of round % 2 === 1 ? others : []) await other.ok('SELECT INBOX');
      await writer.ok('APPEND INBOX', MESSAGE);
      const told = await Promise.all(others.map((other) => other.ok('NOOP')));
      for (const answer of told) {
        expect(answer.untagged.map(({ text }) => text)).toContain(`* ${round} EXISTS`);
      }
      await writer.ok(`STORE ${round} +FLAGS.SILENT (\\Answered)`);
      const checked = await Promise.all(others.map((other) => other.ok('CHECK')));
      for (const answer of checked) {
        expect(answer.untagged.map(({ text }) => text).join()).toContain(
          `* ${round} FETCH (FLAGS (\\Answered`,
        );
      }
    }
  } finally {
    for (const client of clients) client.destroy();
    await store.dispose();
  }
}, 30_000);
