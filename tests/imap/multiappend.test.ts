/** APPEND of several messages (RFC 3502): all of them or none, whatever happens between the first and the last. */

import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '../../src/limits.ts';
import { UidSet } from '../../src/store/uidset.ts';
import { ImapServer } from './imapserver.ts';
import type { MemoryConnection } from './memory_connection.ts';
import { Random } from '../harness/random.ts';

const INBOX = { owner: 'django', path: '' };

let server: ImapServer;

beforeEach(async () => {
  server = await ImapServer.open();
  await server.session('django');
});
afterEach(() => server.close());

async function login(): Promise<MemoryConnection> {
  const client = server.connect();
  await client.line();
  client.send('a LOGIN django secret\r\n');
  await client.line();
  return client;
}

function message(n: number, size = 100): string {
  return `Subject: ${n}\r\n\r\n`.padEnd(size, 'x');
}

/** ` {n+}` and the message. */
function literal(text: string, plus = '+'): string {
  return ` {${text.length}${plus}}\r\n${text}`;
}

/** The first tagged line; continuation requests are passed over. */
async function tagged(client: MemoryConnection): Promise<string> {
  for (;;) {
    const line = await client.line();
    if (line === null) throw new Error('connection closed');
    if (!/^[+*] /.test(line)) return line;
  }
}

async function stored(): Promise<string[]> {
  const mailbox = await (await server.session('django')).select(INBOX, true, () => {});
  const rows = mailbox.narrow(mailbox.uids(), 0, 10_000);
  const bodies = rows.map((row) => {
    const content = mailbox.content(row);
    const text = Buffer.from(content.read(0, content.size)).toString('latin1');
    content.close();
    return text;
  });
  mailbox.close();
  return bodies;
}

/** Sends a message as a synchronizing literal: once it is asked for, all before it are complete. */
async function sendAsked(client: MemoryConnection, before: string, text: string): Promise<void> {
  client.send(`${before} {${text.length}}\r\n`);
  expect(await client.line()).toBe('+ go ahead');
  client.send(text);
}

async function forEachSeed(count: number, property: (random: Random) => Promise<void>): Promise<void> {
  for (let seed = 1; seed <= count; seed++) {
    try {
      await property(new Random(seed));
    } catch (thrown) {
      throw new Error(`seed ${seed}: ${thrown instanceof Error ? thrown.stack : String(thrown)}`, {
        cause: thrown,
      });
    }
  }
}

/** Stage files. */
function staged(): string[] {
  const folder = join(server.settings.partition.default as string, 'stage.');
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Nothing was kept, and the connection is still in step. */
async function nothingKept(client: MemoryConnection): Promise<void> {
  expect(await stored()).toEqual([]);
  expect(staged()).toEqual([]);
  client.send('z NOOP\r\n');
  expect(await tagged(client)).toBe('z OK Completed');
}

describe('all of them', () => {
  test('small and large ones, in order, as one change', async () => {
    const client = await login();
    const texts = [message(1), message(2, 200_000), message(3), message(4, 65_537), message(5, 65_536)];
    const changes: string[] = [];
    const watch = await (await server.session('django')).select(INBOX, true, (change) => {
      if (change.kind === 'exists') changes.push(`${change.uids}`);
    });
    client.send(`b APPEND INBOX${texts.map((text) => literal(text)).join('')}\r\n`);
    expect(await tagged(client)).toMatch(/^b OK \[APPENDUID \d+ 1:5\] Completed$/);
    expect(await stored()).toEqual(texts);
    watch.refresh();
    expect(changes).toEqual(['1:5']);
    watch.close();
  });

  test('the same message twice', async () => {
    const client = await login();
    for (const size of [100, 100_000]) {
      client.send(`b APPEND INBOX${literal(message(1, size)).repeat(2)}\r\n`);
      expect(await tagged(client)).toMatch(/^b OK /);
    }
    const texts = [message(1), message(1, 100_000)];
    expect(await stored()).toEqual([0, 0, 1, 1].map((at) => texts[at] as string));
  });

  test('wherever the bytes are cut', async () => {
    const client = await login();
    const texts = [message(1), message(2, 80_000), 'x', '\r\n', 'Subject: {5+}\r\n\r\n {3+}\r\n'];
    const command = `b APPEND {5+}\r\nINBOX${
      texts.map((text, at) => ` (k${at} \\Seen)${literal(text)}`).join('')
    }\r\n`;
    let rounds = 0;
    await forEachSeed(10, async (random) => {
      for (let at = 0; at < command.length;) {
        const end = at + 1 + random.below(random.pick([3, 50, 20_000]));
        client.send(command.slice(at, end));
        at = end;
        if (random.oneIn(3)) await Promise.resolve();
      }
      expect(await tagged(client)).toMatch(/^b OK /);
      rounds++;
    });
    expect(await stored()).toEqual(Array.from({ length: rounds }, () => texts).flat());
  });

  test('as many as one command may have; not one more', async () => {
    const client = await login();
    const most = limits.imap_append_messages.value;
    const texts = Array.from({ length: most }, (_, at) => message(at));
    const all = texts.map((text) => literal(text)).join('');
    client.send(`b APPEND INBOX${all}${literal('one more')}\r\n`);
    expect(await tagged(client)).toMatch(/^b NO \[LIMIT\] /);
    await nothingKept(client);
    client.send(`c APPEND INBOX${all}\r\n`);
    expect(await tagged(client)).toMatch(new RegExp(`^c OK \\[APPENDUID \\d+ 1:${most}\\] `));
    expect(await stored()).toEqual(texts);
  });

  test('what does not fit into memory waits on disk', async () => {
    const client = await login();
    const count = Math.ceil(limits.imap_append_memory.value / 60_000) + 3;
    const texts = Array.from({ length: count }, (_, at) => message(at, 60_000));
    for (const [at, text] of texts.entries()) {
      await sendAsked(client, at === 0 ? 'b APPEND INBOX' : '', text);
    }
    expect(staged().length).toBeGreaterThan(0);
    expect(staged().length).toBeLessThan(10);
    client.send('\r\n');
    expect(await tagged(client)).toMatch(/^b OK /);
    expect(await stored()).toEqual(texts);
  });

  test("\\Seen in somebody else's mailbox is the poster's own", async () => {
    const owner = await server.session('django');
    await owner.setAcl(INBOX, 'anna', 'lrsiw');
    const anna = await server.session('anna');
    const received = [];
    for (const flags of [['\\Seen'], [], ['\\Seen', 'k', '\\Deleted']]) {
      const stage = anna.stage(0);
      stage.write(Buffer.from(message(1)));
      received.push({ message: await stage.finish(), flags, internaldate: null });
    }
    expect((await anna.append(INBOX, received)).uids.toString()).toBe('1:3');
    expect(anna.info(INBOX).unseen).toBe(1);
    expect(owner.info(INBOX)).toMatchObject({ unseen: 3, deleted: 0, exists: 3 });
    const mailbox = await owner.select(INBOX, true, () => {});
    expect(mailbox.keywords).toEqual(['k']);
    expect(mailbox.narrow(UidSet.range(1, 3), 0, 3).map((row) => row[1])).toEqual([0, 0, 32]);
    mailbox.close();
  });
});

describe('none of them', () => {
  const first = `b APPEND INBOX${literal(message(1))}${literal(message(2, 100_000))}`;

  for (
    const [what, rest, answer] of [
      ['an empty message cancels', ' {0}\r\n', /^b NO \[CANNOT\] /],
      ['an empty one that is not waited for', ' {0+}\r\n (\\Seen) {3+}\r\nabc\r\n', /^b NO \[CANNOT\] /],
      ['one that is too large', ' {67108865}\r\n', /^b NO \[TOOBIG\] /],
      ['a binary one', ' ~{3+}\r\nabc\r\n', /^b NO \[CANNOT\] /],
      ['flags without a message', ' (\\Seen)\r\n', /^b BAD /],
      ['something that is no message', ' (\\Seen {3+}\r\nabc\r\n', /^b BAD /],
      ['a line with NUL', ' \0{3+}\r\nabc\r\n', /^b BAD /],
    ] as const
  ) {
    test(what, async () => {
      const client = await login();
      client.send(first + rest);
      expect(await tagged(client)).toMatch(answer);
      await nothingKept(client);
    });
  }

  test('the third is over quota: before it is sent, and when room went meanwhile', async () => {
    const admin = await server.session('admin');
    const client = await login();
    await admin.setQuota(INBOX, { storage: 150_000, messages: null });
    client.send(`${first} {50000}\r\n`);
    expect(await tagged(client)).toMatch(/^b NO \[OVERQUOTA\] /);
    await nothingKept(client);
    await admin.setQuota(INBOX, { storage: null, messages: 2 });
    client.send(`${first} {10}\r\n`);
    expect(await tagged(client)).toMatch(/^b NO \[OVERQUOTA\] /);
    await nothingKept(client);
    await admin.setQuota(INBOX, { storage: null, messages: null });
    await sendAsked(client, first, message(3));
    await admin.setQuota(INBOX, { storage: 100_150, messages: null });
    client.send('\r\n');
    expect(await tagged(client)).toMatch(/^b NO \[OVERQUOTA\] /);
    await nothingKept(client);
  });

  test('the mailbox went away meanwhile', async () => {
    const owner = await server.session('django');
    const name = { owner: 'django', path: 'Work' };
    await owner.create(name);
    const client = await login();
    await sendAsked(client, first.replace('INBOX', 'INBOX/Work'), message(3));
    await owner.delete(name);
    client.send('\r\n');
    expect(await tagged(client)).toMatch(/^b NO \[TRYCREATE\] /);
    await nothingKept(client);
  });

  test('the connection is lost, wherever', async () => {
    const whole = `${first} (\\Seen) {70000+}\r\n${message(3, 70_000)}`;
    await forEachSeed(20, async (random) => {
      const client = await login();
      const cut = random.pick([whole.length, random.below(whole.length), first.length + random.below(20)]);
      const half = random.below(cut + 1);
      client.send(whole.slice(0, half));
      if (random.oneIn(2)) await new Promise(setImmediate);
      client.send(whole.slice(half, cut));
      if (random.oneIn(2)) await new Promise(setImmediate);
      client.hangUp();
      // A message that was being made durable is removed right after.
      for (let turns = 0; staged().length > 0 && turns < 10_000; turns++) await new Promise(setImmediate);
      expect(await stored()).toEqual([]);
      expect(staged()).toEqual([]);
    });
  });

  test('headers that would fill the memory', async () => {
    const client = await login();
    const field = `X-Long: ${'x'.repeat(900)}\r\n`;
    const text = `${field.repeat(9_000)}\r\nx`;
    const count = Math.ceil(limits.imap_append_held.value / text.length) + 1;
    client.send(`b APPEND INBOX${literal(text).repeat(count)}\r\n`);
    expect(await tagged(client)).toMatch(/^b NO \[TOOBIG\] /);
    await nothingKept(client);
  });
});
