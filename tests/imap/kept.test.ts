/** What is kept of messages is what a look at them gives, whatever happened meanwhile, and it is bounded. */

import { expect, test } from 'bun:test';
import { Kept } from '../../src/imap/kept.ts';
import { limits } from '../../src/limits.ts';
import type { Mailbox } from '../../src/store/border.ts';
import { UidSet } from '../../src/store/uidset.ts';
import { Random } from '../harness/random.ts';
import { ModelClient } from './client.ts';
import { ImapServer } from './imapserver.ts';

const COMMANDS = [
  'UID SORT (DATE) UTF-8 ALL',
  'UID SORT (REVERSE DATE) UTF-8 UNFLAGGED',
  'SORT (DATE) UTF-8 FLAGGED',
  'UID THREAD REFERENCES UTF-8 ALL',
  'UID THREAD ORDEREDSUBJECT UTF-8 UNFLAGGED',
];

function message(random: Random, index: number): string {
  const date = random.oneIn(5)
    ? []
    : [`Date: ${1 + random.below(28)} Jan ${1969 + random.below(60)} 10:00:00 +0100`];
  const references = random.oneIn(2) ? [`References: <${random.below(index + 1)}@x>`] : [];
  const subject = `Subject: ${random.pick(['', 'Re: '])}${random.pick(['one', 'two', 'three'])}`;
  return [...date, ...references, subject, `Message-ID: <${index}@x>`, '', 'body', ''].join('\n');
}

test('SORT and THREAD answer as a process does that remembers nothing', async () => {
  const server = await ImapServer.open();
  try {
    const owner = await server.session('django');
    const random = new Random(5);
    const connect = async (): Promise<ModelClient> => {
      const client = new ModelClient(server.connect());
      await client.greeting();
      await client.command('LOGIN django secret');
      await client.command('SELECT INBOX');
      return client;
    };
    const lasting = await connect();
    let index = 0;
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 15; i++) {
        await server.append(owner, '', message(random, index++), [], 1e9 + random.below(1e8));
      }
      await lasting.command('NOOP');
      const uids = () => Array.from({ length: 5 }, () => 1 + random.below(index)).join();
      await lasting.command(`UID STORE ${uids()} +FLAGS.SILENT (\\Flagged)`);
      await lasting.command(`UID STORE ${uids()} +FLAGS.SILENT (\\Deleted)`);
      await lasting.command('EXPUNGE');
      const command = random.pick(COMMANDS);
      const kept = (await lasting.command(command)).untagged;
      server.forget();
      const fresh = await connect();
      for (const each of COMMANDS) {
        const answer = (await fresh.command(each)).untagged;
        if (each === command) expect(kept).toEqual(answer);
        expect((await lasting.command(each)).untagged).toEqual(answer);
      }
    }
  } finally {
    await server.close();
  }
});

test('it is kept up to imap_kept, and what was used last stays', async () => {
  const looked: [id: string, count: number][] = [];
  const kept = new Kept<number>({
    read: (mailbox, uids) => {
      looked.push([mailbox.mailboxid, uids.size]);
      return [...uids].map((uid) => [uid, uid] as const);
    },
    weigh: () => 100,
  });
  const session = { closed: false, due: false, breathe: () => Promise.resolve() };
  const look = async (id: string, count: number): Promise<number> => {
    let sum = 0;
    const mailbox = { mailboxid: id, snapshot: { uidvalidity: 1 } } as Partial<Mailbox> as Mailbox;
    await kept.each(session, mailbox, UidSet.range(1, count), (_uid, value) => sum += value);
    expect(sum).toBe(count * (count + 1) / 2);
    expect(kept.weight).toBeLessThanOrEqual(limits.imap_kept.value);
    return looked.splice(0).reduce((all, [, size]) => all + size, 0);
  };
  const third = Math.floor(limits.imap_kept.value / 300);
  for (const id of ['a', 'b', 'c']) expect(await look(id, third)).toBe(third);
  for (const id of ['a', 'b', 'c', 'a']) expect(await look(id, third)).toBe(0);
  expect(await look('d', third)).toBe(third);
  expect(await look('a', third)).toBe(0);
  expect(await look('b', third)).toBe(third);
  // More than may be kept is handed out all the same.
  expect(await look('large', 4 * third)).toBeGreaterThanOrEqual(4 * third);
});
