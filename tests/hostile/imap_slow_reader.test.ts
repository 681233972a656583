/** A client that asks for much and reads slowly. */

import { expect, test } from 'bun:test';
import { ImapServer } from '../imap/imapserver.ts';

const WINDOW = 64 * 1024;
const MESSAGE = 12 * 1024 * 1024;

test('a large message never stands in memory: it goes out in blocks as the client takes them', async () => {
  const server = await ImapServer.open();
  try {
    const owner = await server.session('django');
    const text = `Subject: large\r\n\r\n${'0123456789abcdef'.repeat(MESSAGE / 16)}`;
    await server.append(owner, '', text);
    const client = server.connect({ window: WINDOW });
    await client.line();
    client.send('a LOGIN django secret\r\nb SELECT INBOX\r\n');
    while (!(await client.line())?.startsWith('b OK'));
    client.send('c FETCH 1 BODY.PEEK[]\r\n');
    expect(await client.line()).toBe(`* 1 FETCH (BODY[] {${text.length}}`);
    let same = true;
    for (let at = 0; at < text.length; at += 32 * 1024) {
      const length = Math.min(32 * 1024, text.length - at);
      same &&= (await client.bytes(length)).toString('latin1') === text.slice(at, at + length);
    }
    expect(same).toBe(true);
    expect(await client.line()).toBe(')');
    expect(await client.line()).toBe('c OK Completed');
    expect(client.mostPending).toBeLessThan(1024 * 1024);
  } finally {
    await server.close();
  }
});
