/** Cyrus's own test client, as the old setup guides use it to see that a server works. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { run } from '../harness/command.ts';
import { LmtpClient } from '../harness/lmtp.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.start({ users: ['django'], config: { auth: { allowplaintext: 'false' } } });
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  const message =
    'From: michael@example.org\r\nTo: django\r\nSubj: Testmail\r\n\r\nAhoi,\r\nthis is a test.\r\n';
  await lmtp.deliver('michael@example.org', ['django'], Buffer.from(message));
  await lmtp.quit();
});
afterAll(() => store.dispose());

const DIALOGUE = [
  '01 LIST "" *',
  '02 SELECT INBOX',
  '03 STATUS INBOX (MESSAGES)',
  '04 UID fetch 1:1 (UID RFC822.SIZE FLAGS BODY.PEEK[])',
  '05 LOGOUT',
  '',
].join('\r\n');

function imtest(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return run('/usr/lib/cyrus/bin/imtest', [
    ...args,
    '-a',
    'django',
    '-u',
    'django',
    '-w',
    PASSWORD,
    'localhost',
  ], {
    input: DIALOGUE,
  });
}

for (const mechanism of ['PLAIN', 'LOGIN', 'login']) {
  for (const [transport, args] of [['STARTTLS', ['-t', '']], ['TLS', ['-s']]] as const) {
    test(`logs in by ${mechanism} over ${transport} and reads the mailbox`, async () => {
      const port = transport === 'TLS' ? store.ports.imaps : store.ports.imap;
      const said = (await imtest('-p', String(port), '-m', mechanism, ...args)).stdout;
      expect(said).toContain('Authenticated.');
      expect(said).toMatch(/\* LIST \(.*\) "\/" "?INBOX"?\r?\n/);
      expect(said).toMatch(/\r?\n02 OK \[READ-WRITE\]/);
      expect(said).toContain('* STATUS INBOX (MESSAGES 1)');
      expect(said).toContain('Ahoi,');
      expect(said).toMatch(/\* BYE .*\r?\n05 OK /);
    });
  }
}

test('does not get in without TLS', async () => {
  const said = await imtest('-p', String(store.ports.imap), '-m', 'login');
  expect(said.stdout).toContain('LOGINDISABLED');
  expect(said.stdout).toContain('Authentication failed');
});
