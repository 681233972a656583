/** Names, identifications and mailboxes that would write lines of their own into the log, or turn it round (FIELD 72). */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { PASSWORD, TestStore } from '../harness/server.ts';

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.start({ users: ['django'] });
});
afterAll(() => store.dispose());

/** Says everything at once and reads to the end. */
async function talk(port: number, ...parts: string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let said = '';
  socket.on('data', (chunk: Buffer) => said += chunk.toString('latin1'));
  socket.write(parts.join(''));
  await new Promise((resolve) => socket.on('close', resolve).on('error', resolve));
  return said;
}

/** An IMAP literal that nobody waits for. */
const literal = (text: string): string => `{${Buffer.byteLength(text)}+}\r\n${text}`;

const FORGED =
  'time=2026-01-05T10:00:00.000Z level=info msg="logged in" event=auth result=ok rip=192.0.2.1 user=cyrus';
const NAMES = [
  `x\r\n${FORGED}`,
  `x\n${FORGED}`,
  'x\u001b[2J\u001b[1;1H',
  'x\u009b31m',
  'x\u202eogn\u202c',
  'x\u2028y\u2029z',
  'x" user="cyrus',
  'x\u0000y',
  `x${'\u200b'.repeat(2000)}`,
];

test('one line for each event, and nothing in it that a terminal would act on', async () => {
  const { imap, pop3, lmtp, sieve } = store.ports;
  const plain = (name: string) => Buffer.from(`\0${name.replaceAll('\0', '')}\0wrong`).toString('base64');
  await Promise.all([
    ...NAMES.map((name) => talk(imap, `a LOGIN ${literal(name)} wrong\r\n`, 'b LOGOUT\r\n')),
    ...NAMES.map((name) => talk(imap, `a AUTHENTICATE PLAIN ${plain(name)}\r\n`, 'b LOGOUT\r\n')),
    ...NAMES.map((name) => talk(imap, `a ID (${literal('name')} ${literal(name)})\r\n`, 'b LOGOUT\r\n')),
    ...NAMES.map((name) => talk(imap, `a ID (${literal(name)} "x")\r\n`, 'b LOGOUT\r\n')),
    ...NAMES.map((name) => talk(pop3, `USER ${name}\r\nPASS wrong\r\nQUIT\r\n`)),
    ...NAMES.map((name) => talk(sieve, `AUTHENTICATE "PLAIN" ${literal(plain(name))}\r\nLOGOUT\r\n`)),
    ...NAMES.map((name) =>
      talk(
        lmtp,
        `LHLO ${name}\r\nMAIL FROM:<"${name}"@b>\r\nRCPT TO:<"${name}">\r\nRCPT TO:<${name}>\r\nQUIT\r\n`,
      )
    ),
  ]);
  // Folders of such names, and mail for them.
  const login = `a LOGIN django ${PASSWORD}\r\n`;
  const folders = NAMES.map((name, at) => `c${at} CREATE ${literal(`f${name}`)}\r\n`);
  await talk(imap, login, 'b ENABLE IMAP4rev2\r\n', ...folders, 'd LOGOUT\r\n');
  // Scripts of such names.
  const django = Buffer.from(`\0django\0${PASSWORD}`).toString('base64');
  const scripts = NAMES.map((name) => `PUTSCRIPT ${literal(name)} "keep;"\r\nSETACTIVE ${literal(name)}\r\n`);
  const put = await talk(sieve, `AUTHENTICATE "PLAIN" "${django}"\r\n`, ...scripts, 'LOGOUT\r\n');
  expect(put.split('\r\n').filter((line) => line === 'OK').length).toBeGreaterThan(4);
  const delivered = await talk(
    lmtp,
    'LHLO x\r\nMAIL FROM:<a@b>\r\n',
    'RCPT TO:<django>\r\nDATA\r\n',
    'Message-ID: <x\u202e\u001b[2J@b>\r\nSubject: x\r\n\r\nx\r\n.\r\nQUIT\r\n',
  );
  expect(delivered).toMatch(/\n250 2\.1\.5 Ok id=/);
  // The log is whole when everybody who writes to it has ended.
  await store.stop();
  const lines = store.log.trimEnd().split('\n');
  // Failed logins, the identifications and the delivery are there ...
  const failed = lines.filter((line) => line.includes('msg="login failed"'));
  expect(failed.length).toBeGreaterThanOrEqual(20);
  expect(lines.some((line) => line.includes('id_name='))).toBe(true);
  expect(lines.some((line) => line.includes('msg="script stored"'))).toBe(true);
  expect(lines.some((line) => line.includes('message-id='))).toBe(true);
  for (const line of lines) {
    // ... each a line that we began, from an address that we saw, with nothing invisible in it.
    expect(line).toMatch(/^time=20\d\d-\d\d-\d\dT[\d:.]+Z level=(?:debug|info|warn|error) msg=/);
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
    expect(line.length).toBeLessThan(8192);
    // Without what stands in quotes, no field is one that a client wrote.
    const bare = line.replace(/"(?:[^"\\]|\\.)*"/g, '""');
    expect(bare).not.toContain('192.0.2.1');
    if (bare.includes('event=auth')) {
      expect(/ rip=(\S+)/.exec(bare)?.[1]).toBe('127.0.0.1');
      expect(bare.includes('result=ok')).toBe(/ user=django$/.test(bare));
    }
  }
});
