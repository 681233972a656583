/** What scripts decide is carried out: copies, forwards, and nothing lost when something of it fails. */

import { afterEach, expect, test } from 'bun:test';
import type { MailError } from '../../src/errors.ts';
import { letter, PostRoom } from './postroom.ts';

let room: PostRoom;

afterEach(async () => {
  await room.close();
});

test('without a script mail goes where its address says; several recipients of one mailbox get it once', async () => {
  room = new PostRoom();
  await room.user('bert');
  await room.user('cleo');
  const verdicts = await room.deliver(letter(), { to: ['bert', 'cleo', 'bert@elsewhere.example'] });
  expect(verdicts.map(({ result }) => [result?.target.userid, result?.uid])).toEqual([
    ['bert', 1],
    ['cleo', 1],
    ['bert', 1],
  ]);
  expect((await room.messages('bert'))?.length).toBe(1);
});

test('fileinto, keep, discard: each recipient by the script of its own', async () => {
  room = new PostRoom();
  await room.user(
    'bert',
    'require "fileinto"; if header :contains "subject" "hello" { fileinto "INBOX/Lists"; }',
  );
  await room.user('cleo', 'keep;');
  await room.user('dora', 'discard;');
  await room.test.as('bert').create({ owner: 'bert', path: 'Lists' });
  const text = letter();
  const verdicts = await room.deliver(text, { to: ['bert', 'cleo', 'dora'] });
  expect(verdicts.map(({ actions, error }) => [actions, error])).toEqual([
    [['fileinto INBOX/Lists'], undefined],
    [['keep'], undefined],
    [['discard'], undefined],
  ]);
  expect(await room.messages('bert', 'Lists')).toEqual([text]);
  expect(await room.messages('bert')).toEqual([]);
  expect(await room.messages('cleo')).toEqual([text]);
  expect(await room.messages('dora')).toEqual([]);
});

test("a folder that is not there, is somebody else's, or can have no such name: the message is in INBOX", async () => {
  room = new PostRoom();
  await room.user('eve');
  await room.test.as('eve').create({ owner: 'eve', path: 'Private' });
  for (
    const folder of [
      'INBOX/Nowhere',
      'user/eve/Private',
      'user/eve',
      'user/nobody',
      'a//b',
      'INBOX/../x',
      'Staff',
    ]
  ) {
    await room.user('bert', `require "fileinto"; fileinto "${folder}";`);
    const before = (await room.messages('bert'))?.length ?? 0;
    const [verdict] = await room.deliver(letter());
    expect([folder, verdict?.error]).toEqual([folder, undefined]);
    expect([folder, (await room.messages('bert'))?.length]).toEqual([folder, before + 1]);
  }
  expect(await room.messages('eve')).toEqual([]);
  expect(await room.messages('eve', 'Private')).toEqual([]);
});

test('a folder of somebody else takes it where the ACL says so', async () => {
  room = new PostRoom();
  await room.user('eve');
  await room.test.as('eve').create({ owner: 'eve', path: 'Shared' });
  await room.test.as('eve').setAcl({ owner: 'eve', path: 'Shared' }, 'bert', 'li');
  await room.user('bert', 'require "fileinto"; fileinto "user/eve/Shared";');
  const text = letter();
  await room.deliver(text);
  expect(await room.messages('eve', 'Shared')).toEqual([text]);
});

test('folders come into being where options say so', async () => {
  room = new PostRoom({ autosievefolders: ['Junk', 'Lists/Bikes'] });
  const wants = (folder: string) => room.user('bert', `require "fileinto"; fileinto "INBOX/${folder}";`);
  for (const folder of ['Junk', 'Lists/Bikes', 'Other']) {
    await wants(folder);
    await room.deliver(letter());
  }
  expect((await room.messages('bert', 'Junk'))?.length).toBe(1);
  expect((await room.messages('bert', 'Lists/Bikes'))?.length).toBe(1);
  expect(await room.messages('bert', 'Other')).toBeNull();
  await room.close();
  room = new PostRoom({ anysievefolder: true });
  await wants('Other');
  await room.deliver(letter());
  expect((await room.messages('bert', 'Other'))?.length).toBe(1);
});

test('a plus address is where mail is kept by default, where its folder may be posted to', async () => {
  room = new PostRoom();
  await room.user('bert', 'keep;');
  await room.test.as('bert').create({ owner: 'bert', path: 'News' });
  await room.deliver(letter(), { to: ['bert+News'] });
  expect(await room.messages('bert', 'News')).toEqual([]);
  await room.test.as('bert').setAcl({ owner: 'bert', path: 'News' }, 'anyone', 'p');
  await room.deliver(letter(), { to: ['bert+News'] });
  expect((await room.messages('bert', 'News'))?.length).toBe(1);
});

test('redirect: the same bytes, the sender as it was, once', async () => {
  room = new PostRoom();
  await room.user('bert', 'redirect "cleo@example.com";');
  const text = letter('X-Test: \xe9\r\n');
  const [verdict] = await room.deliver(text, { to: ['bert+x@mail.example.org'] });
  expect(verdict?.actions).toEqual(['redirect cleo@example.com']);
  expect(room.mailer.sent).toEqual([{
    envelope: { sender: 'anna@example.net', recipients: [{ address: 'cleo@example.com' }] },
    text: `X-Sieve-Redirected-From: bert@mail.example.org\r\n${text.slice(text.indexOf('X-Test'))}`,
  }]);
  expect(await room.messages('bert')).toEqual([]);
  // The MTA has not heard our answer and comes again.
  const [again] = await room.deliver(text);
  expect(again?.actions).toEqual(['redirect cleo@example.com (sent before)']);
  expect(room.mailer.sent.length).toBe(1);
});

test('what the sender asked of reports goes on with it', async () => {
  room = new PostRoom();
  await room.user('bert', 'redirect "cleo@example.com";');
  await room.deliver(letter(), {
    notify: ['FAILURE'],
    originalRecipient: 'rfc822;b@x',
    arrival: { ret: 'HDRS', envid: 'id' },
  });
  expect(room.mailer.sent[0]?.envelope).toEqual({
    sender: 'anna@example.net',
    recipients: [{ address: 'cleo@example.com', notify: ['FAILURE'], originalRecipient: 'rfc822;b@x' }],
    ret: 'HDRS',
    envid: 'id',
  });
});

test('a forward that fails for now: the message comes again, and goes only where it has not been', async () => {
  room = new PostRoom();
  await room.user(
    'bert',
    'require "copy"; redirect :copy "one@x.example"; redirect :copy "two@x.example"; keep;',
  );
  room.mailer.fates.set('two@x.example', 'temporary');
  const text = letter();
  const [first] = await room.deliver(text);
  expect((first?.error as MailError).code).toBe('unavailable');
  expect(await room.messages('bert')).toEqual([]);
  room.mailer.fates.clear();
  const [second] = await room.deliver(text);
  expect(second?.error).toBeUndefined();
  expect(room.mailer.sent.map(({ envelope: { recipients } }) => recipients[0]?.address)).toEqual([
    'one@x.example',
    'two@x.example',
  ]);
  expect(await room.messages('bert')).toEqual([text]);
});

test('a forward that nobody will ever take: the message is kept', async () => {
  room = new PostRoom();
  await room.user('bert', 'redirect "gone@x.example";');
  room.mailer.fates.set('gone@x.example', 'permanent');
  const text = letter();
  const [verdict] = await room.deliver(text);
  expect(verdict?.actions).toEqual(['redirect gone@x.example', 'keep (not forwarded)']);
  expect(await room.messages('bert')).toEqual([text]);
});

test('the failure of one recipient is not that of others', async () => {
  room = new PostRoom();
  await room.user('bert', 'redirect "later@x.example";');
  await room.user('cleo');
  room.mailer.fates.set('later@x.example', 'temporary');
  const verdicts = await room.deliver(letter(), { to: ['bert', 'cleo'] });
  expect(verdicts.map(({ error, result }) => [error === undefined, result?.uid])).toEqual([
    [false, undefined],
    [true, 1],
  ]);
});

test('mail that comes back is kept, and so is what somebody would send to himself', async () => {
  room = new PostRoom();
  await room.user('bert', 'redirect "cleo@example.com";');
  await room.deliver(letter());
  const returned = room.mailer.sent[0]?.text.replace(/<\d+@example/, '<other@example') ?? '';
  await room.deliver(returned);
  expect(room.mailer.sent.length).toBe(1);
  expect((await room.messages('bert'))?.length).toBe(1);
  await room.user('bert', 'redirect "bert@mail.example.org";');
  await room.deliver(letter());
  expect(room.mailer.sent.length).toBe(1);
  expect((await room.messages('bert'))?.length).toBe(2);
});

test('a script that fails: the message is kept, its owner told once a day', async () => {
  room = new PostRoom();
  const five = [1, 2, 3, 4, 5].map((n) => `redirect :copy "r${n}@x.example";`).join('\n');
  await room.user('bert', `require "copy";\n${five}`);
  const text = letter();
  await room.deliver(text);
  await room.deliver(letter());
  expect(room.mailer.sent).toEqual([]);
  const all = await room.messages('bert') ?? [];
  expect(all.length).toBe(3);
  const [first, notice] = all;
  expect(first).toBe(text);
  expect(notice).toContain('Subject: Error in your Sieve script\r\n');
  expect(notice).toMatch(/\r\n {2}line 6, column 1: .*redirect/);
  const warnings = room.log.filter(({ event }) => event === 'script failed, message kept');
  expect(warnings.length).toBe(2);
});

test('a script that is no longer allowed is one that fails', async () => {
  room = new PostRoom({ sieve_extensions: ['envelope'] });
  await room.user('bert', 'require "fileinto"; fileinto "INBOX/x";');
  await room.deliver(letter());
  const all = await room.messages('bert') ?? [];
  expect(all.length).toBe(2);
  expect(all[1]).toContain('line 1, column 9: the extension "fileinto" is not allowed here');
});

test('a new script counts for the next message', async () => {
  room = new PostRoom();
  await room.user('bert', 'discard;');
  await room.deliver(letter());
  await room.user('bert', 'keep;');
  await room.deliver(letter());
  expect((await room.messages('bert'))?.length).toBe(1);
  await room.test.as('bert').scripts.setActive(null);
  await room.deliver(letter());
  expect((await room.messages('bert'))?.length).toBe(2);
});

test('over quota: nothing is kept, and the sender comes again', async () => {
  room = new PostRoom();
  await room.user('bert', 'keep;');
  await room.test.admin.setQuota({ owner: 'bert', path: '' }, { storage: 10, messages: null });
  const [verdict] = await room.deliver(letter());
  expect((verdict?.error as MailError).code).toBe('overquota');
});

test('the sender who wants to know is told that it was delivered', async () => {
  room = new PostRoom();
  await room.user('bert');
  await room.deliver(letter(), {
    to: ['bert@mail.example.org'],
    notify: ['SUCCESS'],
    arrival: { envid: 'id-7' },
  });
  expect(room.mailer.sent.map(({ envelope }) => envelope)).toEqual([
    { sender: '', recipients: [{ address: 'anna@example.net', notify: ['NEVER'] }] },
  ]);
  const [report] = room.mailer.sent;
  expect(report?.text).toContain('Original-Envelope-Id: id-7\r\n');
  expect(report?.text).toContain('Final-Recipient: rfc822; bert@mail.example.org\r\nAction: delivered\r\n');
  await room.deliver(letter(), { notify: ['SUCCESS'], from: '' });
  await room.deliver(letter(), { notify: ['FAILURE'] });
  expect(room.mailer.sent.length).toBe(1);
});

test('a large message is filed and forwarded to the byte', async () => {
  room = new PostRoom();
  await room.user('bert', 'require "copy"; redirect :copy "cleo@example.com";');
  const text = letter('', `${'0123456789'.repeat(7)}\r\n`.repeat(20_000));
  await room.deliver(text);
  expect(room.mailer.sent[0]?.text.endsWith(text.slice(text.indexOf('From: ')))).toBe(true);
  expect(await room.messages('bert')).toEqual([text]);
});

test('what a script changes is in the copies from then on, and only in those', async () => {
  room = new PostRoom();
  await room.user(
    'bert',
    'require ["editheader", "fileinto", "copy"]; fileinto :copy "INBOX/a"; addheader "X-Tag" "blue"; ' +
      'fileinto :copy "INBOX/b"; redirect :copy "cleo@example.com";',
  );
  for (const path of ['a', 'b']) await room.test.as('bert').create({ owner: 'bert', path });
  await room.user('dora');
  const text = letter();
  await room.deliver(text, { to: ['bert', 'dora'] });
  const changed = `X-Tag: blue\r\n${text}`;
  expect(await room.messages('bert', 'a')).toEqual([text]);
  expect(await room.messages('bert', 'b')).toEqual([changed]);
  expect(await room.messages('bert')).toEqual([changed]);
  expect(await room.messages('dora')).toEqual([text]);
  expect(room.mailer.sent[0]?.text).toContain('X-Tag: blue\r\n');
});

test('flags of a script, and none the mailbox has no right or room for', async () => {
  room = new PostRoom();
  await room.user('eve');
  await room.test.as('eve').create({ owner: 'eve', path: 'Shared' });
  await room.test.as('eve').setAcl({ owner: 'eve', path: 'Shared' }, 'bert', 'li');
  await room.user(
    'bert',
    'require ["imap4flags", "fileinto", "copy"]; addflag ["\\\\Flagged", "$label", "bad(word"]; ' +
      'fileinto :copy "user/eve/Shared"; keep;',
  );
  await room.deliver(letter());
  expect(await room.flags('bert')).toEqual([['\\Flagged', '$label']]);
  expect(await room.flags('eve', 'Shared')).toEqual([[]]);
});

test('include: scripts of the owner and of all, never those of others', async () => {
  room = new PostRoom();
  await room.user('eve');
  await room.test.as('eve').scripts.put('theirs', Buffer.from('discard;'), { maxScripts: 9 });
  await room.test.as('cyrus', { admin: true }).scriptsOf('').put('spam', Buffer.from('discard;'), {
    maxScripts: 9,
  });
  await room.user('bert');
  await room.test.as('bert').scripts.put('own', Buffer.from('discard;'), { maxScripts: 9 });
  const kept = async (include: string): Promise<boolean> => {
    await room.user('bert', `require "include"; include ${include};`);
    const before = (await room.messages('bert'))?.length ?? 0;
    await room.deliver(letter());
    return ((await room.messages('bert'))?.length ?? 0) > before;
  };
  expect(await kept(':personal "own"')).toBe(false);
  expect(await kept(':global "spam"')).toBe(false);
  expect(await kept(':global :optional "theirs"')).toBe(true);
  expect(await kept(':personal "theirs"')).toBe(true);
});

test('include: a script whose name has a slash is a script like others', async () => {
  room = new PostRoom();
  await room.user('bert', 'require "include"; include "rules/../spam";');
  const scripts = room.test.as('bert').scripts;
  await scripts.put('rules/../spam', Buffer.from('discard;'), { maxScripts: 9 });
  const [verdict] = await room.deliver(letter());
  expect(verdict?.actions).toEqual(['discard']);
});

test('RFC 6009 §6.1, §7.1: reports about what a script redirects come to its owner, but for mail that nobody answers', async () => {
  room = new PostRoom();
  const cases = [':notify "FAILURE"', ':ret "HDRS"', ':bytimerelative 600', ''];
  for (const [at, tags] of cases.entries()) {
    const script = `require ["redirect-dsn", "redirect-deliverby"]; redirect ${tags} "cleo@example.com";`;
    await room.user(`user${at}`, script);
    await room.deliver(letter(), { to: [`user${at}`] });
    await room.deliver(letter(), { to: [`user${at}`], from: '' });
  }
  expect(room.mailer.sent.map(({ envelope: { sender } }) => sender)).toEqual([
    'user0@mail.example.org',
    '',
    'user1@mail.example.org',
    '',
    'user2@mail.example.org',
    '',
    'anna@example.net',
    '',
  ]);
});

test('RFC 2852 §4.1.4.2: who set a time limit hears of a server that does not know of it', async () => {
  room = new PostRoom();
  room.mailer.untimed = true;
  const script = (notify: string) =>
    `require ["redirect-deliverby", "redirect-dsn"];
    redirect ${notify} :bytimerelative 600 :bymode "notify" "cleo@example.com";`;
  await room.user('bert', script(''));
  await room.deliver(letter());
  await room.user('bert', script(':notify "NEVER"'));
  await room.deliver(letter());
  const [forwarded, report, quiet, ...rest] = room.mailer.sent;
  expect([forwarded, quiet].map((sent) => sent?.envelope.recipients[0]?.address)).toEqual([
    'cleo@example.com',
    'cleo@example.com',
  ]);
  expect(rest).toEqual([]);
  expect(report?.envelope).toEqual({
    sender: '',
    recipients: [{ address: 'bert@mail.example.org', notify: ['NEVER'] }],
  });
  expect(report?.text).toMatch(/\r\nAction: relayed\r\nStatus: 2\.1\.9\r\n/);
});
