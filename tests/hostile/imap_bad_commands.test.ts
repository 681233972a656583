/** Bad commands without end. */

import { expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { ImapServer } from '../imap/imapserver.ts';

test(`${limits.imap_bad_commands.value} bad commands in a row end the session, a good one between starts anew`, async () => {
  const server = await ImapServer.open();
  try {
    const client = server.connect();
    await client.line();
    client.send('a LOGIN django secret\r\n');
    await client.line();
    for (let i = 1; i < limits.imap_bad_commands.value; i++) {
      client.send('b NONSENSE\r\n');
      expect(await client.line()).toMatch(/^b BAD /);
    }
    client.send('c NOOP\r\n');
    expect(await client.line()).toBe('c OK Completed');
    for (let i = 1; i <= limits.imap_bad_commands.value; i++) {
      client.send('d FETCH\r\n');
      expect(await client.line()).toMatch(/^d BAD /);
    }
    expect(await client.line()).toMatch(/^\* BYE /);
    expect(await client.line()).toBeNull();
  } finally {
    await server.close();
  }
});
