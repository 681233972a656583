/**
 * Several sessions change one mailbox at the same time, each seeing it through what it was told. In the end every
 * client's own picture must be the mailbox: no message missed, no sequence number skipped or used twice.
 */

import { expect, test } from 'bun:test';
import { Random } from '../harness/random.ts';
import { ModelClient } from './client.ts';
import { ImapServer } from './imapserver.ts';

const FLAGS = ['\\Seen', '\\Flagged', '\\Answered', '\\Draft', '\\Deleted', '$Forwarded', 'Work'];
const MESSAGE = 'Subject: a message\r\n\r\nwith a body\r\n';

/** Some sequence numbers, or null where the mailbox is empty as far as the client knows. */
function someNumbers(random: Random, client: ModelClient): string | null {
  const count = client.messages.length;
  if (count === 0) return null;
  const from = 1 + random.below(count);
  return `${from}:${Math.min(count, from + random.below(4))}`;
}

async function act(random: Random, client: ModelClient): Promise<void> {
  const numbers = someNumbers(random, client);
  const flag = random.pick(FLAGS);
  let text: string;
  switch (random.below(13)) {
    case 0:
    case 1:
    case 2:
      text = 'APPEND INBOX';
      break;
    case 3:
      text = numbers === null ? 'NOOP' : `STORE ${numbers} ${random.pick(['+', '-', ''])}FLAGS (${flag})`;
      break;
    case 4:
      text = numbers === null ? 'NOOP' : `FETCH ${numbers} (UID FLAGS)`;
      break;
    case 5:
      text = `UID FETCH 1:* (FLAGS)`;
      break;
    case 6:
      text = 'EXPUNGE';
      break;
    case 7:
      text = numbers === null ? 'NOOP' : `MOVE ${numbers} INBOX/Other`;
      break;
    case 8:
      text = numbers === null ? 'SEARCH ALL' : `COPY ${numbers} INBOX`;
      break;
    case 9:
      text = `UID STORE ${1 + random.below(60)} +FLAGS (${flag})`;
      break;
    case 10:
      text = numbers === null ? 'NOOP' : `FETCH ${numbers} (UID BODY[TEXT])`;
      break;
    case 11:
      text = `UID SEARCH RETURN (SAVE) ${random.pick(['SEEN', 'DELETED', 'KEYWORD Work'])}`;
      break;
    default:
      text = random.oneIn(2) ? 'UID STORE $ -FLAGS (\\Deleted)' : 'NOOP';
  }
  const { result } = await client.command(text, text === 'APPEND INBOX' ? MESSAGE : undefined);
  if (!result.startsWith('OK')) throw new Error(`${text}: ${result}`);
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`sessions that change one mailbox at once agree in the end (seed ${seed})`, async () => {
    const server = await ImapServer.open();
    try {
      const owner = await server.session('django');
      await owner.create({ owner: 'django', path: 'Other' });
      for (let i = 0; i < 10; i++) await server.append(owner, '', MESSAGE);
      const clients = Array.from({ length: 4 }, () => new ModelClient(server.connect()));
      for (const [index, client] of clients.entries()) {
        await client.greeting();
        await client.command('LOGIN django secret');
        await client.command(['NOOP', 'ENABLE CONDSTORE', 'ENABLE IMAP4rev2', 'NOOP'][index] as string);
        await client.command('SELECT INBOX');
      }
      // The first only listens (IDLE) while the others act, each at its own pace.
      const [listener, ...actors] = clients as [ModelClient, ...ModelClient[]];
      const acting = Promise.all(actors.map(async (client, index) => {
        const random = new Random(100 * seed + index);
        for (let round = 0; round < 60; round++) await act(random, client);
      })).then(() => {});
      await Promise.all([acting, listener.idle(acting)]);

      const truth = (await owner.select({ owner: 'django', path: '' }, true, () => {})).uids();
      for (const client of clients) {
        await client.command('NOOP');
        const believed = client.messages.map((message) => ({ ...message }));
        await client.command('FETCH 1:* (UID FLAGS)');
        expect(client.messages.map(({ uid }) => uid)).toEqual([...truth]);
        for (const [index, { uid, flags }] of believed.entries()) {
          const now = client.messages[index];
          if (uid !== null) expect(now?.uid).toBe(uid);
          if (flags !== null) expect(now?.flags).toBe(flags);
        }
      }
    } finally {
      await server.close();
    }
  });
}
