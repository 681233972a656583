/** isync's mbsync keeps a Maildir and the store the same, both ways. */

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { succeed } from '../harness/command.ts';
import { fetched, type ImapClient } from '../harness/imap.ts';
import { PASSWORD, TestStore } from '../harness/server.ts';

/** Messages each side begins with. */
const HERE = 1000;
const THERE = 1000;

/** Maildir's letters for what IMAP calls by name. */
const LETTERS: Readonly<Record<string, string>> = {
  '\\Draft': 'D',
  '\\Flagged': 'F',
  '\\Answered': 'R',
  '\\Seen': 'S',
  '\\Deleted': 'T',
};

/** What a side holds: folder, then message text and the letters of its flags. */
type Contents = Map<string, Map<string, string>>;

let store: TestStore;
let client: ImapClient;
let maildir: string;
let config: string;

beforeAll(async () => {
  store = await TestStore.start({ users: ['sync'] });
  client = await store.login('sync');
  maildir = join(store.dir, 'maildir');
  config = join(store.dir, 'mbsyncrc');
  mkdirSync(maildir);
  // Outside the folders, so that a folder removed here is known to have been there.
  mkdirSync(join(store.dir, 'syncstate'));
  writeFileSync(
    config,
    `IMAPStore far
Host localhost
Port ${store.ports.imaps}
User sync
Pass ${PASSWORD}
SSLType IMAPS
CertificateFile ${store.certificate}

MaildirStore near
Path ${maildir}/
Inbox ${maildir}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState ${join(store.dir, 'syncstate')}/
`,
  );
});
afterAll(async () => {
  client.destroy();
  await store.dispose();
});

function messageText(folder: string, number: number): string {
  return `From: sender@example.org\r\nSubject: ${folder} ${number}\r\nMessage-ID: <${number}.${folder}@sync.example.org>` +
    `\r\n\r\n${`Line ${number}.\r\n`.repeat(1 + number % 40)}`;
}

/** The letters of message `number`'s flags, every combination of three. */
function lettersOf(number: number): string {
  return ['F', 'R', 'S'].filter((_, bit) => number >> bit & 1).join('');
}

async function fillStore(folder: string, count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    const flags = Object.entries(LETTERS).filter(([, letter]) => lettersOf(number).includes(letter));
    const text = Buffer.from(messageText(folder, number));
    await client.ok(`APPEND ${folder} (${flags.map(([flag]) => flag).join(' ')})`, text);
  }
}

function fillMaildir(folder: string, first: number, count: number): void {
  for (const part of ['cur', 'new', 'tmp']) mkdirSync(join(maildir, folder, part), { recursive: true });
  for (let number = first; number < first + count; number++) {
    const letters = lettersOf(number);
    const text = messageText(`near-${folder}`, number).replaceAll('\r\n', '\n');
    writeFileSync(join(maildir, folder, 'cur', `${number}.near:2,${letters}`), text);
  }
}

/** mbsync leaves a line of its own in what it uploads. */
function withoutMark(text: string): string {
  return text.replace(/^X-TUID: .*\r\n/m, '');
}

/** The files of a folder below cur and new. */
function filesOf(folder: string): string[] {
  return ['cur', 'new'].flatMap((part) =>
    readdirSync(join(maildir, folder, part)).map((name) => join(maildir, folder, part, name))
  );
}

function near(): Contents {
  const contents: Contents = new Map();
  for (const entry of readdirSync(maildir, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('/cur')) continue;
    const folder = entry.slice(0, -'/cur'.length);
    const messages = new Map<string, string>();
    for (const file of filesOf(folder)) {
      const letters = /:2,([A-Z]*)$/.exec(file)?.[1] ?? '';
      messages.set(withoutMark(readFileSync(file, 'latin1').replace(/\r?\n/g, '\r\n')), letters);
    }
    contents.set(folder, messages);
  }
  return contents;
}

async function far(): Promise<Contents> {
  const contents: Contents = new Map();
  for (const { text } of (await client.ok('LIST "" *')).untagged) {
    const folder = /^\* LIST \([^)]*\) "\/" "?([^"]+)"?$/.exec(text)?.[1];
    if (folder === undefined) continue;
    const messages = new Map<string, string>();
    const selected = await client.ok(`EXAMINE ${folder}`);
    if (!selected.untagged.some((line) => line.text === '* 0 EXISTS')) {
      for (const message of fetched(await client.ok('FETCH 1:* (UID FLAGS BODY.PEEK[])'))) {
        const letters = message.flags.map((flag) => LETTERS[flag] ?? '').sort().join('');
        messages.set(withoutMark(message.body.toString('latin1')), letters);
      }
    }
    contents.set(folder, messages);
  }
  await client.ok('UNSELECT');
  return contents;
}

async function sync(): Promise<void> {
  await succeed('mbsync', ['--config', config, '--all', '--quiet'], { limitMs: 120_000 });
}

/** Both sides hold the same, in as many messages. */
async function expectSame(total: number): Promise<void> {
  const here = near();
  const there = await far();
  expect([...there.keys()].sort()).toEqual([...here.keys()].sort());
  for (const [folder, messages] of there) expect(here.get(folder)).toEqual(messages);
  expect([...there.values()].reduce((sum, messages) => sum + messages.size, 0)).toBe(total);
}

test('two thousand messages with flags both ways, folders made and removed, deletions', async () => {
  await client.ok('CREATE Work');
  await client.ok('CREATE Work/Deep');
  await client.ok('CREATE Gone');
  await fillStore('INBOX', HERE - 200);
  await fillStore('Work', 150);
  await fillStore('Work/Deep', 50);
  fillMaildir('INBOX', 0, 500);
  fillMaildir('Local', 0, THERE - 500);
  fillMaildir('Local/Below', 0, 0);
  await sync();
  await expectSame(HERE + THERE);

  // The second time there is nothing to do.
  await sync();
  await expectSame(HERE + THERE);

  // Changes on the store: flags, deletions, a new folder, one less.
  await client.ok('SELECT INBOX');
  await client.ok('UID STORE 1:200 +FLAGS.SILENT (\\Flagged)');
  await client.ok('UID STORE 101:300 -FLAGS.SILENT (\\Seen)');
  await client.ok('UID STORE 301:400 +FLAGS.SILENT (\\Deleted)');
  await client.ok('EXPUNGE');
  await client.ok('UNSELECT');
  await client.ok('CREATE Fresh');
  await fillStore('Fresh', 20);
  await client.ok('DELETE Gone');

  // Changes in the Maildir: flags, deletions, new messages, a new folder, one less.
  for (const file of filesOf('Local').slice(0, 200)) {
    const letters = /:2,([A-Z]*)$/.exec(file)?.[1] ?? '';
    const changed = letters.includes('S') ? letters.replace('S', '') : `${letters}S`;
    renameSync(file, file.replace(/(:2,[A-Z]*)?$/, `:2,${changed}`));
  }
  for (const file of filesOf('Local').slice(200, 250)) rmSync(file);
  fillMaildir('Local', 5000, 30);
  fillMaildir('Extra', 0, 10);
  rmSync(join(maildir, 'Local/Below'), { recursive: true });
  await sync();
  const total = HERE + THERE - 100 + 20 - 50 + 30 + 10;
  await expectSame(total);
  expect([...near().keys()].sort()).toEqual(['Extra', 'Fresh', 'INBOX', 'Local', 'Work', 'Work/Deep']);
  await sync();
  await expectSame(total);
}, 240_000);
