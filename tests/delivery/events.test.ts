/** RFC 6785: scripts for what users do with messages; spam training as an example. */

import { afterEach, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MailboxEvent } from '../../src/delivery/events.ts';
import { UidSet } from '../../src/store/uidset.ts';
import { letter, PostRoom } from './postroom.ts';

let room: PostRoom;
let folder = '';

afterEach(async () => {
  await room.close();
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
  folder = '';
});

const entry = (name: string) => new Map([['/shared/imapsieve/script', Buffer.from(name)]]);

/** A user whose INBOX has this script for events. */
async function user(userid: string, script: string, path = ''): Promise<void> {
  await room.user(userid);
  await room.test.as(userid).scripts.put('events', Buffer.from(script), { maxScripts: 9 });
  await room.test.as(userid).metadata.set({ owner: userid, path }, entry('events'));
}

/** Something happens, and what comes of it is done. */
async function happens(
  cause: MailboxEvent['cause'],
  owner: string,
  uid: number,
  more: Partial<MailboxEvent> = {},
) {
  const mailbox = { owner, path: '' };
  room.deliverer.events.happened({
    cause,
    user: { userid: owner, admin: false, groups: [] },
    mailbox,
    uids: UidSet.of(uid),
    changedFlags: [],
    ...more,
  });
  await room.deliverer.events.idle();
}

const IMAPSIEVE = { imapsieve: true } as const;

test('RFC 6785 §5, example 1: a message that is added goes to somebody', async () => {
  room = new PostRoom(IMAPSIEVE);
  await user(
    'bert',
    'require ["copy", "environment", "imapsieve"]; if anyof (environment :is "imap.cause" "APPEND", ' +
      'environment :is "imap.cause" "COPY") { if environment :is "imap.mailbox" "INBOX" { ' +
      'redirect :copy "actionitems@example.com"; } }',
  );
  await room.deliver(letter());
  expect(room.mailer.sent).toEqual([]);
  await happens('APPEND', 'bert', 1);
  expect(room.mailer.sent[0]?.envelope).toEqual({
    sender: 'bert@mail.example.org',
    recipients: [{ address: 'actionitems@example.com' }],
  });
  await happens('FLAG', 'bert', 1);
  expect(room.mailer.sent.length).toBe(1);
  expect(await room.flags('bert')).toEqual([[]]);
});

test('example 2: a flag that is set tells somebody, one that was there does not', async () => {
  room = new PostRoom(IMAPSIEVE);
  await user(
    'bert',
    'require ["enotify", "imap4flags", "environment", "imapsieve"]; if allof (hasflag "\\\\Flagged", ' +
      'environment :contains "imap.changedflags" "\\\\Flagged") { notify "mailto:tim@example.com"; }',
  );
  await room.deliver(letter());
  const session = room.test.as('bert');
  const mailbox = await session.select({ owner: 'bert', path: '' }, false, () => {});
  await mailbox.store(UidSet.of(1), 'add', ['\\Flagged']);
  await happens('FLAG', 'bert', 1, { changedFlags: ['\\Flagged'] });
  await happens('FLAG', 'bert', 1, { changedFlags: ['\\Seen'] });
  mailbox.close();
  expect(room.mailer.sent.length).toBe(1);
});

test('fileinto makes a copy and marks the original deleted, with keep it does not; the copy is no event', async () => {
  room = new PostRoom(IMAPSIEVE);
  await user('bert', 'require ["fileinto", "mailbox", "imapsieve"]; fileinto :create "INBOX/Copy";');
  await room.test.as('bert').create({ owner: 'bert', path: 'Copy' });
  await room.test.as('bert').metadata.set({ owner: 'bert', path: 'Copy' }, entry('events'));
  const text = letter();
  await room.deliver(text);
  await happens('COPY', 'bert', 1);
  expect(await room.messages('bert', 'Copy')).toEqual([text]);
  expect(await room.flags('bert')).toEqual([['\\Deleted']]);
});

test('fileinto by object id and by special use, which come before the name; one that is made gets the use', async () => {
  room = new PostRoom(IMAPSIEVE);
  await room.user('bert');
  const session = room.test.as('bert');
  const { mailboxid } = await session.create({ owner: 'bert', path: 'Old name' });
  await session.create({ owner: 'bert', path: 'Spam' }, ['\\Junk']);
  const required = '"fileinto", "mailbox", "mailboxid", "special-use", "imapsieve"';
  const text = letter();
  await room.deliver(text);
  const scripts = [
    `fileinto :mailboxid "${mailboxid}" "INBOX/Missing";`,
    'fileinto :specialuse "\\\\Junk" "INBOX/Missing";',
    'fileinto :specialuse "\\\\Archive" :create "INBOX/Archive";',
    'fileinto :mailboxid "nowhere" "INBOX/Archive";',
  ];
  for (const script of scripts) {
    await session.scripts.put('events', Buffer.from(`require [${required}]; ${script} keep;`), {
      maxScripts: 9,
    });
    await session.metadata.set({ owner: 'bert', path: '' }, entry('events'));
    await happens('COPY', 'bert', 1);
  }
  expect(await room.messages('bert', 'Old name')).toEqual([text]);
  expect(await room.messages('bert', 'Spam')).toEqual([text]);
  expect(await room.messages('bert', 'Archive')).toEqual([text, text]);
  expect(session.list().find(({ name }) => name.path === 'Archive')?.specialUse).toEqual(['\\Archive']);
  expect(await room.messages('bert', 'Missing')).toBeNull();
});

test('flags that a script sets are set; changes of the message are not kept', async () => {
  room = new PostRoom(IMAPSIEVE);
  await user(
    'bert',
    'require ["imap4flags", "editheader", "imapsieve"]; addflag "learned"; addheader "X-A" "b";',
  );
  const text = letter();
  await room.deliver(text);
  await happens('APPEND', 'bert', 1);
  expect(await room.flags('bert')).toEqual([['learned']]);
  expect(await room.messages('bert')).toEqual([text]);
});

test('a copy, a forward or a program that fails: the message is not marked deleted, as nobody else has it', async () => {
  for (
    const script of [
      'require ["fileinto", "imapsieve"]; fileinto "INBOX/Missing";',
      'require ["fileinto", "imapsieve"]; fileinto "user/cleo";',
      'require "imapsieve"; redirect "later@x.example";',
      'require "imapsieve"; redirect "never@x.example";',
      'require "imapsieve"; redirect "bert@mail.example.org";',
      'require ["vnd.dovecot.pipe", "imapsieve"]; pipe "missing";',
    ]
  ) {
    room = new PostRoom({ ...IMAPSIEVE, sieve_pipe_bin_dir: '/nonexistent' });
    room.mailer.fates.set('later@x.example', 'temporary').set('never@x.example', 'permanent');
    await room.user('cleo');
    await user('bert', script);
    const text = letter();
    await room.deliver(text);
    await happens('APPEND', 'bert', 1);
    expect([script, await room.messages('bert'), await room.flags('bert')]).toEqual([script, [text], [[]]]);
    await room.close();
  }
  room = new PostRoom();
});

test('discard marks the message deleted', async () => {
  room = new PostRoom(IMAPSIEVE);
  await user('bert', 'require "imapsieve"; discard;');
  await room.deliver(letter());
  await happens('APPEND', 'bert', 1);
  expect(await room.flags('bert')).toEqual([['\\Deleted']]);
});

test('what is for new mail is an error, and changes nothing', async () => {
  room = new PostRoom(IMAPSIEVE);
  await user('bert', '');
  await room.deliver(letter());
  for (const name of ['vacation', 'reject', 'ereject', 'envelope']) {
    await room.test.as('bert').scripts.put('events', Buffer.from(`require "${name}"; discard;`), {
      maxScripts: 9,
    });
    await happens('APPEND', 'bert', 1);
  }
  expect(await room.flags('bert')).toEqual([[]]);
  expect(room.log.filter(({ event }) => event === 'event script cannot be run').length).toBe(4);
});

test('off, without a script, or with an empty name nothing runs', async () => {
  room = new PostRoom();
  await user('bert', 'discard;');
  await room.deliver(letter());
  await happens('APPEND', 'bert', 1);
  await room.close();
  room = new PostRoom(IMAPSIEVE);
  await room.user('bert');
  await room.deliver(letter());
  await happens('APPEND', 'bert', 1);
  await room.test.as('bert').metadata.set({ owner: 'bert', path: '' }, entry('none'));
  await happens('APPEND', 'bert', 1);
  expect(await room.flags('bert')).toEqual([[]]);
});

test('spam training: what is moved into Junk, and out of it, is learned by programs, for all users', async () => {
  folder = mkdtempSync(join(tmpdir(), 'mailstore-training-'));
  writeFileSync(join(folder, 'learn'), `#!/bin/sh\ncat > ${folder}/$1-$USER\n`, { mode: 0o755 });
  room = new PostRoom({ ...IMAPSIEVE, sieve_pipe_bin_dir: folder });
  const admin = room.test.as('cyrus', { admin: true });
  const script = 'require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "imap4flags"];\n' +
    'if environment :is "imap.cause" "COPY" {\n' +
    '  if environment :is "imap.mailbox" "INBOX/Junk" { pipe :copy :try "learn" "spam"; addflag "$Junk"; }\n' +
    '  elsif hasflag "$Junk" { pipe :copy :try "learn" "ham"; removeflag "$Junk"; }\n}\n';
  await admin.scriptsOf('').put('training', Buffer.from(script), { maxScripts: 9 });
  await admin.metadata.set(null, entry('training'));
  await room.user('bert');
  await room.test.as('bert').create({ owner: 'bert', path: 'Junk' });
  const text = letter();
  await room.deliver(text);
  const junk = { owner: 'bert', path: 'Junk' };
  const move = async (from: string, to: string): Promise<void> => {
    const mailbox = await room.test.as('bert').select({ owner: 'bert', path: from }, false, () => {});
    const { destination } = await mailbox.move(mailbox.uids(), { owner: 'bert', path: to });
    mailbox.close();
    await happens('COPY', 'bert', destination.min, { mailbox: { owner: 'bert', path: to } });
  };
  await move('', junk.path);
  expect(readFileSync(join(folder, 'spam-bert'), 'latin1')).toBe(text);
  expect(await room.flags('bert', 'Junk')).toEqual([['$Junk']]);
  expect(existsSync(join(folder, 'ham-bert'))).toBe(false);
  await move('Junk', '');
  expect(readFileSync(join(folder, 'ham-bert'), 'latin1')).toBe(text);
  expect(await room.flags('bert')).toEqual([[]]);
});
