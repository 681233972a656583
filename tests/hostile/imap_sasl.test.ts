/** AUTHENTICATE with everything but credentials (CVE-2025-59028): BAD or the one NO, and the next try works. */

import { expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { ImapServer, PASSWORD } from '../imap/imapserver.ts';

const plain = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

test('bad base64, too much of it, and malformed credentials fail alone', async () => {
  const server = await ImapServer.open();
  try {
    const client = server.connect();
    await client.line();
    const bad = [
      '====',
      'AGRqYW5nbw',
      '\u00e4\u00e4\u00e4',
      plain('no separators'),
      plain('\0\0\0'),
      plain('\0django'),
    ];
    for (const sent of bad) {
      client.send('a AUTHENTICATE PLAIN\r\n');
      expect(await client.line()).toBe('+ ');
      client.send(`${sent}\r\n`);
      expect(await client.line()).toMatch(/^a (?:BAD |NO \[AUTHENTICATIONFAILED\] Authentication failed\.$)/);
    }
    client.send('b AUTHENTICATE PLAIN\r\n');
    await client.line();
    client.send('A'.repeat(4 * limits.sasl_response.value));
    expect(await client.line()).toMatch(/^b BAD /);
    client.send('AAAA\r\n');
    client.send(`c AUTHENTICATE PLAIN ${plain(`\0django\0${PASSWORD}`)}\r\n`);
    expect(await client.line()).toMatch(/^c OK /);
  } finally {
    await server.close();
  }
});

test('who is unknown and who mistyped get the same answer', async () => {
  const server = await ImapServer.open();
  try {
    const client = server.connect();
    await client.line();
    const answers = new Set<string | null>();
    for (
      const [user, password] of [['django', 'wrong'], ['nobody', 'wrong'], ['../etc', 'x'], ['django', '""']]
    ) {
      client.send(`a LOGIN ${user} ${password}\r\n`);
      answers.add(await client.line());
    }
    expect([...answers]).toEqual(['a NO [AUTHENTICATIONFAILED] Authentication failed.']);
  } finally {
    await server.close();
  }
});
