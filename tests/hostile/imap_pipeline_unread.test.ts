/** Ten thousand commands in one go, and nobody reads the answers. */

import { expect, test } from 'bun:test';
import { ImapServer } from '../imap/imapserver.ts';

const COMMANDS = 10_000;
const WINDOW = 16 * 1024;

test('the connection is paused, what waits is bounded, and all commands are answered in order in the end', async () => {
  const server = await ImapServer.open();
  try {
    const client = server.connect({ window: WINDOW });
    await client.line();
    client.send('a LOGIN django secret\r\n');
    await client.line();
    for (let i = 0; i < COMMANDS; i += 100) {
      let text = '';
      for (let n = i; n < i + 100; n++) text += `c${n} CAPABILITY\r\n`;
      client.send(text);
    }
    let pausedOnce = false;
    for (let n = 0; n < COMMANDS; n++) {
      expect(await client.line()).toMatch(/^\* CAPABILITY /);
      expect(await client.line()).toBe(`c${n} OK Completed`);
      pausedOnce ||= client.paused;
    }
    expect(pausedOnce).toBe(true);
    // One answer may exceed the window; a second is not begun before the client has made room.
    expect(client.mostPending).toBeLessThan(WINDOW + 4096);
  } finally {
    await server.close();
  }
});
