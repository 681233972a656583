/** mutt reads, saves and sends over IMAP, driven by its own key presses. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { succeed } from '../harness/command.ts';
import { fetched } from '../harness/imap.ts';
import { LmtpClient } from '../harness/lmtp.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';

let store: TestStore;
let home: string;
beforeAll(async () => {
  store = await TestStore.start({ users: ['reader'] });
  home = join(store.dir, 'mutt');
  mkdirSync(home);
  const mailer = join(home, 'mailer');
  writeFileSync(mailer, '#!/bin/sh\ncat >/dev/null\n');
  chmodSync(mailer, 0o755);
  writeFileSync(
    join(home, 'muttrc'),
    `set folder="imaps://localhost:${store.ports.imaps}/"
set imap_user="reader"
set imap_pass="${PASSWORD}"
set spoolfile="+INBOX"
set record="+Sent"
set sendmail="${mailer}"
set certificate_file="${store.certificate}"
set ssl_verify_host=no
set move=no
set confirmappend=no
set confirmcreate=no
set delete=yes
set quit=yes
set wait_key=no
set header_cache=""
set edit_headers=no
set from="reader@example.org"
`,
  );
});
afterAll(() => store.dispose());

/** mutt on a terminal of its own; `keys` are pressed as soon as the mailbox is open. */
async function mutt(keys: string): Promise<void> {
  const command = `stty rows 40 cols 120; mutt -n -F ${home}/muttrc -e 'push "${keys}"'`;
  await succeed('script', ['-qec', command, '/dev/null'], { env: { TERM: 'vt100', HOME: home } });
}

test('reads, flags, saves to another mailbox and deletes', async () => {
  const lmtp = await LmtpClient.connect(store.lmtpSocket);
  for (let number = 1; number <= 5; number++) {
    const message = Buffer.from(`From: s@example.org\r\nSubject: number ${number}\r\n\r\nBody ${number}\r\n`);
    expect((await lmtp.deliver('s@example.org', ['reader'], message))[0]).toStartWith('250');
  }
  await lmtp.quit();
  const client = await store.login('reader');
  await client.ok('CREATE Kept');
  await client.ok('CREATE Sent');

  // Flag the first; save messages 2 and 3 to Kept, which deletes them here; copy 4 to a file; quit and expunge.
  await mutt(
    `<first-entry><flag-message>` +
      `<tag-pattern>~s number.[23]<enter><tag-prefix><save-message>+Kept<enter>` +
      `<limit>~s number.4<enter><copy-message>${home}/copied<enter><limit>all<enter><quit>`,
  );

  await client.ok('SELECT INBOX');
  const left = fetched(await client.ok('FETCH 1:* (UID FLAGS)'));
  expect(left.map(({ uid }) => uid)).toEqual([1, 4, 5]);
  expect(left[0]?.flags).toContain('\\Flagged');
  await client.ok('SELECT Kept');
  const kept = fetched(await client.ok('FETCH 1:* (UID FLAGS BODY.PEEK[TEXT])'));
  expect(kept.map(({ body }) => body.toString())).toEqual(['Body 2\r\n', 'Body 3\r\n']);
  expect(readFileSync(join(home, 'copied'), 'latin1')).toContain('\n\nBody 4\n');
  await client.logout();
});

test('files what it sends in Sent', async () => {
  const args = ['-n', '-F', join(home, 'muttrc'), '-s', 'written by mutt', 'somebody@example.org'];
  await succeed('mutt', args, { input: 'Hello from mutt.\n', env: { HOME: home } });
  const client = await store.login('reader');
  await client.ok('SELECT Sent');
  const [sent] = fetched(await client.ok('FETCH 1 (UID FLAGS BODY.PEEK[])'));
  expect(sent?.body.toString()).toContain('Subject: written by mutt\r\n');
  expect(sent?.body.toString()).toEndWith('\r\n\r\nHello from mutt.\r\n');
  expect(sent?.flags).toContain('\\Seen');
  await client.logout();
});
