/** Other protocols spoken to the port (ALPACA): over at the first command, and nothing of what was sent comes back. */

import { expect, test } from 'bun:test';
import { ImapServer } from '../imap/imapserver.ts';

const SPOKEN: readonly (readonly [string, string])[] = [
  ['a browser', 'POST /<script>alert(1)</script> HTTP/1.1\r\nHost: x\r\n\r\na LOGIN django secret\r\n'],
  ['a mail server', 'EHLO relay.example.org\r\nMAIL FROM:<a@b>\r\n'],
  ['a header that looks like a tag', 'Cookie: a=b\r\na LOGIN django secret\r\n'],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\na LOGIN django secret\r\n'],
  ['markup', '<script> alert(1)\r\na LOGIN django secret\r\n'],
];

for (const [who, sent] of SPOKEN) {
  test(`${who} is sent away at once and hears nothing of its own words`, async () => {
    const server = await ImapServer.open();
    try {
      const client = server.connect();
      await client.line();
      client.send(sent);
      const answers: string[] = [];
      for (let line = await client.line(); line !== null; line = await client.line()) answers.push(line);
      expect(answers).toHaveLength(2);
      expect(answers[0]).toMatch(/^\S+ BAD [A-Za-z ,.]+$/);
      expect(answers[1]).toMatch(/^\* BYE /);
      expect(answers.join('\n')).not.toMatch(/script|alert|example|HTTP|Host|django/i);
    } finally {
      await server.close();
    }
  });
}
