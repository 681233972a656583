/** A line that never ends: little is kept of it, and a stranger is shown the door. */

import { expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { ImapServer } from '../imap/imapserver.ts';

test('before login a line beyond its bound ends the connection', async () => {
  const server = await ImapServer.open();
  try {
    const client = server.connect();
    await client.line();
    client.send('a LOGIN ');
    for (let sent = 0; sent < limits.imap_line_preauth.value && !client.closed; sent += 1024) {
      client.send('x'.repeat(1024));
    }
    client.send('x'.repeat(1024));
    expect(await client.line()).toMatch(/^a BAD /);
    expect(await client.line()).toMatch(/^\* BYE /);
    expect(await client.line()).toBeNull();
  } finally {
    await server.close();
  }
});

test('after login it is BAD, is dropped to its end, and the next command is read', async () => {
  const server = await ImapServer.open();
  try {
    const client = server.connect();
    await client.line();
    client.send('a LOGIN django secret\r\n');
    await client.line();
    client.send('b NOOP ');
    for (let sent = 0; sent < 4 * limits.imap_line.value; sent += 4096) client.send('x'.repeat(4096));
    client.send('\r\nc NOOP\r\n');
    expect(await client.line()).toMatch(/^b BAD /);
    expect(await client.line()).toBe('c OK Completed');
  } finally {
    await server.close();
  }
});
