/** FETCH of many messages, whose lines the store puts together, says what FETCH of each by itself says, row by row. */

import { afterEach, beforeEach, expect, test } from 'bun:test';
import { ModelClient } from './client.ts';
import { ImapServer } from './imapserver.ts';
import { MemoryConnection } from './memory_connection.ts';

const COUNT = 60;

let server: ImapServer;
let client: ModelClient;

beforeEach(async () => {
  server = await ImapServer.open();
  const owner = await server.session('django');
  for (let i = 1; i <= COUNT; i++) {
    // A subject with bytes beyond ASCII, as old programs send it; every seventh.
    const subject = i % 7 === 0 ? 'Gr\xfc\xdfe \x80\xff' : `number ${i}`;
    const message = `From: a@b.example\nSubject: ${subject}\nMessage-ID: <${i}@x>\n\n${'y'.repeat(i)}\n`;
    await server.append(owner, '', message);
  }
  client = await opened('django');
});

afterEach(async () => await server.close());

async function opened(user: string, mailbox = 'INBOX'): Promise<ModelClient> {
  const made = new ModelClient(server.connect());
  await made.greeting();
  await made.command(`LOGIN ${user} secret`);
  await made.command(`SELECT ${mailbox}`);
  return made;
}

async function lines(asker: ModelClient, command: string): Promise<string[]> {
  const { untagged, result } = await asker.command(command);
  expect(result).toStartWith('OK');
  return untagged.filter((line) => line.includes(' FETCH ('));
}

/** The answer for all at once, and those for one after the other. */
async function expectSame(asker: ModelClient, items: string, count: number): Promise<void> {
  const together = await lines(asker, `FETCH 1:* (${items})`);
  expect(together).toHaveLength(count);
  for (let i = 1; i <= count; i++) {
    expect(await lines(asker, `FETCH ${i} (${items})`)).toEqual([together[i - 1] ?? '']);
  }
}

const ITEMS = [
  'FLAGS',
  'UID FLAGS',
  'UID FLAGS MODSEQ RFC822.SIZE',
  'ENVELOPE',
  'FLAGS ENVELOPE BODYSTRUCTURE',
  'UID RFC822.SIZE INTERNALDATE',
  'BODY UID',
];

test('of messages with all kinds of flags, some of which went', async () => {
  // The first session is told of them as \\Recent.
  await expectSame(client, 'UID FLAGS', COUNT);
  client = await opened('django');
  const keywords = Array.from({ length: 40 }, (_, i) => `word${i}`);
  const flags = ['\\Seen', '\\Flagged', '\\Answered', '\\Draft', ...keywords];
  for (const [at, flag] of flags.entries()) {
    await client.command(`STORE ${1 + at}:${Math.min(COUNT, 20 + 2 * at)} +FLAGS.SILENT (${flag})`);
  }
  for (const items of ITEMS) await expectSame(client, items, COUNT);
  await client.command('STORE 5,7:9,31 +FLAGS.SILENT (\\Deleted)');
  for (const items of ITEMS) await expectSame(client, items, COUNT);
  await client.command('EXPUNGE');
  for (const items of ITEMS) await expectSame(client, items, COUNT - 5);
});

test('of messages that another session expunged and this one was not told of', async () => {
  const other = await opened('django');
  await other.command('STORE 10:30 +FLAGS.SILENT (\\Deleted)');
  await other.command('EXPUNGE');
  for (const items of ITEMS) await expectSame(client, items, COUNT);
  await client.command('NOOP');
  for (const items of ITEMS) await expectSame(client, items, COUNT - 21);
});

test('in a mailbox of somebody else, with the \\Seen of who asks', async () => {
  await client.command('SETACL INBOX guest lrsw');
  await client.command('STORE 1:20 +FLAGS.SILENT (\\Seen)');
  const guest = await opened('guest', 'user/django');
  await guest.command('STORE 15:40 +FLAGS.SILENT (\\Seen)');
  for (const items of ITEMS) await expectSame(guest, items, COUNT);
  expect(guest.messages.filter(({ flags }) => flags?.includes('\\Seen'))).toHaveLength(26);
});

test('what STORE and changes of others tell is the same', async () => {
  const other = await opened('django');
  const told = await lines(other, 'STORE 1:50 +FLAGS (\\Flagged new)');
  expect(told).toEqual(await lines(other, 'FETCH 1:50 (FLAGS)'));
  await client.command('NOOP');
  expect(client.messages.slice(0, 50).every(({ flags }) => flags === '\\Flagged new')).toBe(true);
});

test('the memory of what was sent is given back at once, not when it is collected', async () => {
  const connection = server.connect();
  const asker = new ModelClient(connection);
  await asker.greeting();
  await asker.command('LOGIN django secret');
  await asker.command('EXAMINE INBOX');
  const sent: Uint8Array[] = [];
  connection.write = (data) => {
    if (typeof data !== 'string') sent.push(data);
    return MemoryConnection.prototype.write.call(connection, data);
  };
  expect(await lines(asker, 'FETCH 1:* (UID RFC822.SIZE ENVELOPE BODYSTRUCTURE)')).toHaveLength(COUNT);
  expect(sent.length).toBeGreaterThan(0);
  for (const bytes of sent) expect(bytes.length).toBe(0);
});
