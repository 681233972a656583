/** What a session does besides answering: time limits, being let in, greetings. */

import { expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { ImapServer } from './imapserver.ts';

/** What is due in this turn of the event loop has happened. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('a silent client is logged out after `timeout`, in the middle of a command sooner', async () => {
  const server = await ImapServer.open({ timeout: 1800 });
  try {
    const client = server.connect();
    await client.line();
    expect(client.admitted).toBe(false);
    expect(client.idleTimeout).toBe(0);
    client.send('a LOGIN django secret\r\n');
    await client.line();
    expect(client.admitted).toBe(true);
    expect(client.idleTimeout).toBe(1800_000);
    client.send('b APPEND INBOX {1000}\r\n');
    expect(await client.line()).toBe('+ go ahead');
    client.send('x'.repeat(500));
    await turn();
    expect(client.idleTimeout).toBe(limits.imap_command_idle.value * 1000);
    client.send(`${'x'.repeat(500)}\r\n`);
    expect(await client.line()).toMatch(/^b OK /);
    // On a busy machine the loop lets others run first.
    while (client.idleTimeout !== 1800_000) await turn();
    client.expireIdle();
    expect(await client.line()).toBe('* BYE Autologout; idle for too long');
    expect(await client.line()).toBeNull();
  } finally {
    await server.close();
  }
});

for (
  const [serverinfo, greeting, id] of [
    ['off', 'server ready', 'NIL'],
    ['min', 'imap.nausch.org server ready', 'NIL'],
    ['on', 'imap.nausch.org mailstore 0.0.0 server ready', '("name" "mailstore" "version" "0.0.0")'],
  ] as const
) {
  test(`serverinfo ${serverinfo} tells just that in greeting and ID`, async () => {
    const server = await ImapServer.open({ serverinfo });
    try {
      const client = server.connect();
      expect((await client.line())?.replace(/^\* OK \[[^\]]*\] /, '')).toBe(greeting);
      client.send('a ID NIL\r\n');
      expect(await client.line()).toBe(`* ID ${id}`);
    } finally {
      await server.close();
    }
  });
}
