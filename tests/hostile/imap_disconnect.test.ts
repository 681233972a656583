/** The client is gone in the middle of something: work stops, nothing is left behind, others go on. */

import { expect, test } from 'bun:test';
import { ImapServer } from '../imap/imapserver.ts';
import type { MemoryConnection } from '../imap/memory_connection.ts';

async function selected(server: ImapServer): Promise<MemoryConnection> {
  const client = server.connect();
  await client.line();
  client.send('a LOGIN django secret\r\nb SELECT INBOX\r\n');
  while (!(await client.line())?.startsWith('b OK'));
  return client;
}

test('half a message is no message', async () => {
  const server = await ImapServer.open();
  try {
    const client = await selected(server);
    client.send('c APPEND INBOX {1000+}\r\nSubject: half\r\n');
    client.hangUp();
    const other = await selected(server);
    other.send('d STATUS INBOX (MESSAGES)\r\n');
    expect(await other.line()).toBe('* STATUS INBOX (MESSAGES 0)');
  } finally {
    await server.close();
  }
});

test('going away in IDLE, AUTHENTICATE, FETCH and SEARCH leaves the server working', async () => {
  const server = await ImapServer.open();
  try {
    const owner = await server.session('django');
    for (let i = 0; i < 300; i++) await server.append(owner, '', 'Subject: x\r\n\r\nneedle\r\n');
    for (
      const command of [
        'IDLE',
        'FETCH 1:* BODY[]',
        'SEARCH BODY nothing',
        'STORE 1:* +FLAGS (\\Seen)',
        'EXPUNGE',
      ]
    ) {
      const client = await selected(server);
      client.send(`c ${command}\r\n`);
      client.hangUp();
    }
    const half = server.connect();
    half.send('a AUTHENTICATE PLAIN\r\n');
    half.hangUp();
    const client = await selected(server);
    await server.append(owner, '', 'Subject: y\r\n\r\nlast\r\n');
    client.send('c NOOP\r\n');
    const answers: (string | null)[] = [];
    // The STORE of one who went away may still be told of.
    do answers.push(await client.line()); while (answers.at(-1)?.startsWith('*') === true);
    expect(answers).toContain('* 301 EXISTS');
    expect(answers.at(-1)).toBe('c OK Completed');
  } finally {
    await server.close();
  }
});

test('the server stops: who idles is told, a running command is answered first', async () => {
  const server = await ImapServer.open();
  try {
    const idle = await selected(server);
    idle.send('c IDLE\r\n');
    expect(await idle.line()).toBe('+ idling');
    const busy = await selected(server);
    busy.send('c STORE 1:* +FLAGS (\\Seen)\r\nd NOOP\r\n');
    await server.protocol.shutdown();
    expect(await idle.line()).toMatch(/^\* BYE \[UNAVAILABLE\] /);
    expect(await idle.line()).toBeNull();
    expect(await busy.line()).toMatch(/^c (?:OK|BAD) /);
    const late = server.connect();
    expect(await late.line()).toMatch(/^\* BYE /);
  } finally {
    await server.close();
  }
});
