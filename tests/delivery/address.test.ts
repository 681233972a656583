/** Where addresses lead: folders behind a plus, shared folders, the nearest folder; and what new users begin with. */

import { afterEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { letter, PostRoom } from './postroom.ts';

let room: PostRoom;

afterEach(async () => {
  await room.close();
});

const count = async (owner: string, path = '') => (await room.messages(owner, path))?.length ?? null;

test('the nearest folder, where it may be posted to', async () => {
  room = new PostRoom({ lmtp_fuzzy_mailbox_match: true });
  await room.user('bert');
  for (const path of ['Lists', 'Lists/Bikes', 'Private']) {
    await room.test.as('bert').create({ owner: 'bert', path });
  }
  for (const path of ['Lists', 'Lists/Bikes']) {
    await room.test.as('bert').setAcl({ owner: 'bert', path }, 'anyone', 'p');
  }
  for (const to of ['bert+lists/bikes/new', 'bert+LISTS', 'bert+private/x', 'bert+elsewhere']) {
    await room.deliver(letter(), { to: [to] });
  }
  expect([await count('bert', 'Lists/Bikes'), await count('bert', 'Lists')]).toEqual([1, 1]);
  expect([await count('bert', 'Private'), await count('bert')]).toEqual([0, 2]);
});

test('without the option only the very name counts', async () => {
  room = new PostRoom();
  await room.user('bert');
  await room.test.as('bert').create({ owner: 'bert', path: 'Lists' });
  await room.test.as('bert').setAcl({ owner: 'bert', path: 'Lists' }, 'anyone', 'p');
  await room.deliver(letter(), { to: ['bert+lists'] });
  await room.deliver(letter(), { to: ['bert+Lists'] });
  expect([await count('bert', 'Lists'), await count('bert')]).toEqual([1, 1]);
});

test('a shared folder takes mail by its address from who may post; nobody else hears that it is there', async () => {
  room = new PostRoom({ postuser: 'bb' });
  const admin = room.test.as('cyrus', { admin: true });
  for (const path of ['open', 'closed']) await admin.create({ owner: '', path });
  await admin.setAcl({ owner: '', path: 'open' }, 'anyone', 'lrsp');
  await admin.setAcl({ owner: '', path: 'closed' }, 'anyone', 'lrs');
  await room.deliver(letter(), { to: ['+open'] });
  await room.deliver(letter(), { to: ['bb+open@mail.example.org'] });
  expect(await count('', 'open')).toBe(2);
  for (const to of ['+closed', '+nowhere', 'bb+nowhere']) {
    expect(room.deliver(letter(), { to: [to] })).rejects.toMatchObject({ code: 'nouser' });
  }
});

test('new users begin with the script of the configuration', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mailstore-first-'));
  const file = join(folder, 'first.sieve');
  writeFileSync(file, 'require "fileinto"; if header :contains "subject" "hello" { fileinto "INBOX/Junk"; }');
  room = new PostRoom({ autocreate_sieve_script: file, autosievefolders: ['Junk'] });
  rmSync(folder, { recursive: true });
  await room.user('bert');
  expect(room.test.as('bert').scripts.list()).toMatchObject([{ name: 'default', active: true }]);
  await room.deliver(letter());
  expect([await count('bert', 'Junk'), await count('bert')]).toEqual([1, 0]);
});

test('a script that cannot be read keeps nobody from having mail', async () => {
  room = new PostRoom({ autocreate_sieve_script: '/nonexistent/first.sieve' });
  await room.user('bert');
  await room.deliver(letter());
  expect(await count('bert')).toBe(1);
  expect(room.test.lines.lines.join('\n')).toContain('autocreate_sieve_script cannot be read');
});

test('names in scripts for Cyrus are modified UTF-7', async () => {
  room = new PostRoom({ sieve_utf8fileinto: false });
  await room.user('bert', 'require "fileinto"; fileinto "INBOX/Entw&APw-rfe";');
  await room.test.as('bert').create({ owner: 'bert', path: 'Entwürfe' });
  await room.deliver(letter());
  await room.user('bert', 'require "fileinto"; fileinto "INBOX/Entwürfe";');
  await room.deliver(letter());
  expect(await count('bert', 'Entwürfe')).toBe(2);
});
