/** Sizes of literals that are no sizes, and literals of refused commands that hold commands. */

import { expect, test } from 'bun:test';
import type { MemoryConnection } from '../imap/memory_connection.ts';
import { ImapServer } from '../imap/imapserver.ts';

async function loggedIn(server: ImapServer): Promise<MemoryConnection> {
  const client = server.connect();
  await client.line();
  client.send('a LOGIN django secret\r\n');
  await client.line();
  return client;
}

test('a size beyond the limit is refused before the message is asked for, however many digits it has', async () => {
  const server = await ImapServer.open();
  try {
    const client = await loggedIn(server);
    for (const size of ['4294967295', '9007199254740993', '99999999999999999999', '67108865']) {
      client.send(`b APPEND INBOX {${size}}\r\n`);
      expect(await client.line()).toMatch(/^b (?:NO \[TOOBIG\]|BAD) /);
    }
    for (const size of ['-1', '9e9', '0x10', '1.5', '']) {
      client.send(`b APPEND INBOX {${size}}\r\n`);
      expect(await client.line()).toMatch(/^b BAD /);
    }
    client.send('c LIST "" {200000}\r\n');
    expect(await client.line()).toMatch(/^c NO \[TOOBIG\] /);
    client.send('d NOOP\r\n');
    expect(await client.line()).toBe('d OK Completed');
  } finally {
    await server.close();
  }
});

test('the non-synchronizing literal of a refused command is dropped, never read as commands', async () => {
  const server = await ImapServer.open();
  try {
    const client = await loggedIn(server);
    const inner = 'x1 CREATE INBOX/Injected\r\nx2 LOGOUT\r\n';
    client.send(`b APPEND INBOX/Nowhere {${inner.length}+}\r\n${inner}\r\n`);
    expect(await client.line()).toMatch(/^b NO \[TRYCREATE\] /);
    client.send(`c NONSENSE {${inner.length}+}\r\n${inner}\r\n`);
    expect(await client.line()).toMatch(/^c BAD /);
    const large = inner.repeat(8000);
    client.send(`d LIST "" {${large.length}+}\r\n${large}\r\n`);
    expect(await client.line()).toMatch(/^d NO \[TOOBIG\] /);
    client.send('e LIST "" *\r\n');
    expect(await client.line()).toBe('* LIST (\\HasNoChildren) "/" "INBOX"');
    expect(await client.line()).toBe('e OK Completed');
  } finally {
    await server.close();
  }
});

test('a message that turns out larger than it may be leaves nothing behind', async () => {
  const server = await ImapServer.open({ maxmessagesize: 1000 });
  try {
    const client = await loggedIn(server);
    client.send(`b APPEND INBOX {1001+}\r\n${'x'.repeat(1001)}\r\n`);
    expect(await client.line()).toMatch(/^b NO \[TOOBIG\] /);
    client.send('c STATUS INBOX (MESSAGES SIZE)\r\n');
    expect(await client.line()).toBe('* STATUS INBOX (MESSAGES 0 SIZE 0)');
    expect(await client.line()).toBe('c OK Completed');
  } finally {
    await server.close();
  }
});
