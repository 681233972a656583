/** Commands put in front of the TLS handshake (CVE-2021-33515): dropped, whole or half, and of no effect. */

import { expect, test } from 'bun:test';
import { ImapServer } from '../imap/imapserver.ts';

const INJECTED = [
  'x LOGIN django secret\r\n',
  'x NOOP\r\ny NOOP\r\n',
  'x LOGI',
  'x LOGIN {6+}\r\ndja',
  'x AUTHENTICATE PLAIN AGRqYW5nbwBzZWNyZXQ=\r\n',
  'x ENABLE IMAP4rev2\r\n',
];

for (const injected of INJECTED) {
  test(`${JSON.stringify(injected)} behind STARTTLS`, async () => {
    const server = await ImapServer.open({ allowplaintext: false });
    try {
      const client = server.connect({ canStartTls: true });
      expect(await client.line()).toContain('LOGINDISABLED');
      client.send(`a STARTTLS\r\n${injected}`);
      expect(await client.line()).toBe('a OK Begin TLS negotiation now');
      client.send('b CAPABILITY\r\n');
      expect(await client.line()).toMatch(/^\* CAPABILITY .*AUTH=PLAIN/);
      expect(await client.line()).toBe('b OK Completed');
      client.send('c SELECT INBOX\r\n');
      expect(await client.line()).toBe('c BAD Log in first');
    } finally {
      await server.close();
    }
  });
}
