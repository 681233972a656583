/** Cyrus's test clients with every mechanism, and what the how-to shows of DIGEST-MD5, inside its security layer. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { run } from '../harness/command.ts';
import { LmtpClient } from '../harness/lmtp.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';

const LINE = `${'0123456789abcdef'.repeat(4)}\r\n`;

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.start({
    users: ['django', 'inge'],
    config: {
      // Nonces that may be used again are known to the worker that made them.
      server: { admins: '["cyrus"]', workers: '1' },
      auth: {
        allowplaintext: 'false',
        sasl_mech_list:
          '["SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN", "ANONYMOUS"]',
        sasl_digest_ciphers: '["rc4", "3des", "rc4-56", "des", "rc4-40"]',
        allowanonymouslogin: 'true',
        proxyservers: '["inge"]',
        loginuseacl: 'true',
      },
      lmtp: { trusted_networks: '[]' },
    },
  });
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  const body = LINE.repeat(4000);
  const message =
    `From: michael@nausch.org\r\nTo: django@nausch.org\r\nSubj: Testmail\r\n\r\nAhoi,\r\n${body}`;
  await lmtp.deliver('michael@nausch.org', ['django'], Buffer.from(message));
  await lmtp.quit();
});
afterAll(() => store.dispose());

const DIALOGUE = [
  'C01 CAPABILITY',
  '01 LIST "" *',
  '02 SELECT INBOX',
  '03 STATUS INBOX (MESSAGES)',
  '04 UID fetch 1:1 (UID RFC822.SIZE FLAGS BODY.PEEK[])',
  '05 LOGOUT',
  '',
].join('\r\n');

async function imtest(...args: string[]): Promise<string> {
  const { stdout } = await run(
    '/usr/lib/cyrus/bin/imtest',
    ['-p', String(store.ports.imap), '-a', 'django', '-w', PASSWORD, ...args, 'localhost'],
    { input: DIALOGUE },
  );
  // The body is long, so that it takes many frames; it is counted here rather than shown by a failure.
  const lines = stdout.split(LINE).length - 1;
  return stdout.replaceAll(LINE, '') + `${lines} lines of the body`;
}

/** The mailbox was read to the end, whatever protected it. */
function readIt(said: string): void {
  expect(said).toMatch(/\* LIST \(.*\) "\/" "?INBOX"?\r?\n/);
  expect(said).toMatch(/\r?\n02 OK \[READ-WRITE\]/);
  expect(said).toContain('* STATUS INBOX (MESSAGES 1)');
  expect(said).toMatch(/\r?\n04 OK /);
  expect(said).toMatch(/\* BYE .*\r?\n05 OK /);
  expect(said).toContain('4000 lines of the body');
}

test('the how-to: DIGEST-MD5 with privacy protection and 128 bits', async () => {
  const said = await imtest('-m', 'DIGEST-MD5');
  expect(said).toMatch(
    /S: A01 OK Success \(privacy protection\)\r?\nAuthenticated\.\r?\nSecurity strength factor: 128/,
  );
  expect(said).toMatch(/C: C01 CAPABILITY\r?\nS: \* CAPABILITY IMAP4rev1 /);
  readIt(said);
});

test('DIGEST-MD5 again without a challenge (RFC 2831 §2.2)', async () => {
  const said = await imtest('-m', 'DIGEST-MD5', '-n', '2');
  const second = said.slice(said.indexOf('Connection closed.'));
  const [, response = ''] = /C: A01 AUTHENTICATE DIGEST-MD5 (\S+)/.exec(second) ?? [];
  expect(Buffer.from(response, 'base64').toString()).toContain('nc=00000002');
  expect(second).toMatch(
    /AUTHENTICATE DIGEST-MD5 \S+\r?\nS: \+ \S+\r?\nC: \r?\nS: A01 OK Success \(privacy protection\)\r?\nAuthenticated\./,
  );
  readIt(second);
});

for (const most of [56, 40, 1, 0]) {
  test(`DIGEST-MD5 with at most ${most} bits`, async () => {
    const said = await imtest('-m', 'DIGEST-MD5', '-l', String(most));
    expect(said).toContain(`Security strength factor: ${most}`);
    readIt(said);
  });
}

for (const mechanism of ['CRAM-MD5', 'SCRAM-SHA-256', 'SCRAM-SHA-1']) {
  test(`${mechanism} without TLS`, async () => {
    const said = await imtest('-m', mechanism);
    expect(said).toContain('Success (no protection)');
    readIt(said);
  });
}

for (const mechanism of ['DIGEST-MD5', 'CRAM-MD5', 'SCRAM-SHA-256', 'PLAIN']) {
  test(`${mechanism} under TLS`, async () => {
    const said = await imtest('-m', mechanism, '-t', '');
    expect(said).toContain('Success (tls protection)');
    readIt(said);
  });
}

test('SCRAM-SHA-256 chosen by a client that could bind to TLS, where binding is not offered', async () => {
  const said = await imtest('-t', '');
  expect(said).toContain('C: A01 AUTHENTICATE SCRAM-SHA-256 ');
  readIt(said);
});

for (const mechanism of ['DIGEST-MD5', 'CRAM-MD5', 'SCRAM-SHA-256']) {
  test(`${mechanism} with a wrong password`, async () => {
    const said = await imtest('-m', mechanism, '-w', 'wrong');
    expect(said).toContain('Authentication failed');
    expect(said).toMatch(/NO \[AUTHENTICATIONFAILED\]/);
  });
}

for (const mechanism of ['DIGEST-MD5', 'SCRAM-SHA-256']) {
  test(`${mechanism}: a proxy server acts for a user, a user for nobody`, async () => {
    readIt(await imtest('-m', mechanism, '-a', 'inge', '-u', 'django'));
    expect(await imtest('-m', mechanism, '-a', 'django', '-u', 'inge')).toContain('NO [AUTHORIZATIONFAILED]');
  });
}

test('ANONYMOUS sees no mailbox of anybody', async () => {
  const said = await imtest('-m', 'ANONYMOUS');
  expect(said).toContain('Authenticated.');
  expect(said).not.toContain('* LIST');
  expect(said).toMatch(/\r?\n02 NO /);
});

test('lmtptest: DIGEST-MD5 with its layer, and CRAM-MD5', async () => {
  for (const [mechanism, bits] of [['DIGEST-MD5', 128], ['CRAM-MD5', 0]] as const) {
    const { stdout } = await run('/usr/lib/cyrus/bin/lmtptest', [
      '-p',
      String(store.ports.lmtp),
      '-m',
      mechanism,
      '-a',
      'django',
      '-w',
      PASSWORD,
      'localhost',
    ], { input: 'LHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<django>\r\nQUIT\r\n' });
    expect(stdout).toContain(`Security strength factor: ${bits}`);
    expect(stdout).toMatch(/250 2\.1\.5/);
    expect(stdout).toMatch(/221 2\.0\.0/);
  }
});

test('loginuseacl: who administers an INBOX may log in as its user', async () => {
  const as = () => imtest('-m', 'DIGEST-MD5', '-a', 'django', '-u', 'inge');
  expect(await as()).toContain('NO [AUTHORIZATIONFAILED]');
  await imtest('-m', 'DIGEST-MD5', '-a', 'inge'); // makes the INBOX
  expect(store.tool(['mailbox', 'acl', 'user/inge', 'django', 'lra'])).toMatchObject({ code: 0 });
  expect(await as()).toContain('Authenticated.');
});
