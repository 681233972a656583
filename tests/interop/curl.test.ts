/** curl's IMAP client: implicit TLS, STARTTLS and plain, reading, uploading, custom commands. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, succeed } from '../harness/command.ts';
import { fetched } from '../harness/imap.ts';
import { LmtpClient } from '../harness/lmtp.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';

const MESSAGE = Buffer.from(
  'From: sender@example.org\r\nTo: curl@example.org\r\nSubject: dots\r\nMessage-ID: <1@curl.example.org>\r\n\r\n' +
    '.\r\n..two\r\nGr\xfc\xdfe\r\nlast\r\n',
  'latin1',
);

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.start({ users: ['curl'] });
});
afterAll(() => store.dispose());

function curl(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return run('curl', [
    '--silent',
    '--show-error',
    '--cacert',
    store.certificate,
    '-u',
    `curl:${PASSWORD}`,
    ...args,
  ]);
}

test('a delivered message is read over TLS from the first byte, to the byte', async () => {
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  expect(await lmtp.deliver('sender@example.org', ['curl'], MESSAGE)).toEqual([
    expect.stringMatching(/^250 2\.1\.5/),
  ]);
  await lmtp.quit();
  const got = await curl(`imaps://localhost:${store.ports.imaps}/INBOX;UID=1`);
  expect(got.stderr).toBe('');
  const text = MESSAGE.toString('latin1');
  expect(got.stdout.slice(-text.length)).toBe(text);
  expect(got.stdout).toStartWith('Return-Path: <sender@example.org>\r\nReceived: ');
});

test('an uploaded message comes back over STARTTLS as it was', async () => {
  const file = join(store.dir, 'upload.eml');
  writeFileSync(file, MESSAGE);
  const place = `imap://localhost:${store.ports.imap}`;
  expect((await curl('--ssl-reqd', '-X', 'CREATE Uploads', place)).code).toBe(0);
  expect((await curl('--ssl-reqd', '-T', file, `${place}/Uploads`)).code).toBe(0);
  const got = await curl('--ssl-reqd', `${place}/Uploads;MAILINDEX=1`);
  expect(got.stdout).toBe(MESSAGE.toString('latin1'));
  const client = await store.login('curl');
  await client.ok('SELECT Uploads');
  const [message] = fetched(await client.ok('FETCH 1 (UID FLAGS BODY.PEEK[])'));
  expect(message?.body).toEqual(MESSAGE);
  await client.logout();
});

test('lists, searches, flags and deletes', async () => {
  const place = `imaps://localhost:${store.ports.imaps}`;
  const listed = await curl(`${place}/`);
  expect(listed.stdout).toMatch(/\* LIST \([^)]*\) "\/" "?INBOX"?\r\n/);
  expect((await curl(`${place}/INBOX?SUBJECT%20dots`)).stdout).toBe('* SEARCH 1\r\n');
  expect((await curl('-X', 'STORE 1 +FLAGS (\\Deleted)', `${place}/INBOX`)).stdout).toContain('\\Deleted');
  expect((await curl('-X', 'EXPUNGE', `${place}/INBOX`)).stdout).toBe('* 1 EXPUNGE\r\n');
  expect((await curl(`${place}/INBOX?ALL`)).stdout).toBe('* SEARCH\r\n');
});

test('a wrong password is refused', async () => {
  const place = `imaps://localhost:${store.ports.imaps}/`;
  const refused = await run('curl', ['--silent', '--cacert', store.certificate, '-u', 'curl:wrong', place]);
  expect(refused.code).toBe(67); // CURLE_LOGIN_DENIED
});

test('the certificate is checked by the name it was made for', async () => {
  const place = `imaps://localhost:${store.ports.imaps}/`;
  await succeed('curl', ['--silent', '--cacert', store.certificate, '-u', `curl:${PASSWORD}`, place]);
  expect((await run('curl', ['--silent', '-u', `curl:${PASSWORD}`, place])).code).toBe(60); // untrusted
});
