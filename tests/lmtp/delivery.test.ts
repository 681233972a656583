/** What becomes of a message: who gets it, what is answered, what is logged. */

import { expect, test } from 'bun:test';
import { serverError, userError } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import { Peer, peerInData } from './peer.ts';

const MESSAGE = 'Message-ID: <m1@example.org>\r\nSubject: x\r\n\r\nbody\r\n';

test('the message itself stays as it was, the lines in front are the same for all', async () => {
  const peer = await peerInData({}, ['django', 'inge']);
  peer.send(`Return-Path: <forged@example.org>\r\n${MESSAGE}..dot\r\n\0 8bit \xe4\r\n.\r\n`);
  expect(await peer.replies(2)).toEqual([
    expect.stringMatching(/^554 5\.6\.0 /),
    expect.stringMatching(/^554 5\.6\.0 /),
  ]);
  const second = await peerInData({ settings: { lmtp_nul: 'accept' } }, ['django', 'inge']);
  second.send(`Return-Path: <forged@example.org>\r\n${MESSAGE}..dot\r\n\0 8bit \xe4\r\n.\r\n`);
  await second.replies(2);
  const [first, other] = second.store.delivered;
  expect(first?.bytes).toEndWith(`\r\n${MESSAGE}.dot\r\n\0 8bit \xe4\r\n`);
  expect(first?.bytes).toBe(other?.bytes as string);
  expect(first?.bytes.match(/^Return-Path:/gm)).toHaveLength(1);
  expect(first?.bytes).not.toContain('forged');
});

test('a message without header gets an empty line before its body', async () => {
  const peer = await peerInData();
  peer.send('just text\r\n.\r\n');
  await peer.reply();
  expect(peer.store.delivered[0]?.bytes).toMatch(/\r\nMessage-ID: [^\r]+\r\n\r\njust text\r\n$/);
});

test('an empty message is one', async () => {
  const peer = await peerInData();
  peer.send('.\r\n');
  expect(await peer.reply()).toStartWith('250');
  expect(peer.store.delivered[0]?.bytes).toMatch(/\r\nMessage-ID: [^\r]+\r\n$/);
});

test('a header that never ends is passed through once it is too large to hold', async () => {
  const peer = await peerInData();
  const line = `X-Filler: ${'x'.repeat(500)}\r\n`;
  const header = `Message-ID: <early@example.org>\r\n${
    line.repeat(limits.lmtp_header.value / line.length + 10)
  }`;
  for (let at = 0; at < header.length; at += 7000) peer.send(header.slice(at, at + 7000));
  peer.send('.\r\n');
  expect(await peer.reply()).toStartWith('250');
  expect(peer.store.delivered[0]?.bytes).toEndWith(header);
  expect(peer.store.delivered[0]?.bytes).not.toContain('lmtp-');
});

test('user+detail goes to the folder, an unknown one to the INBOX; both in one transaction are two mailboxes', async () => {
  const peer = await peerInData({}, [
    'django+Lists@nausch.org',
    'django+None@nausch.org',
    'django@nausch.org',
  ]);
  peer.send(`${MESSAGE}.\r\n`);
  await peer.replies(3);
  expect(peer.store.delivered.map(({ folder }) => folder)).toEqual(['Lists', '']);
});

test('case follows lmtp_downcase_rcpt', async () => {
  const peer = await new Peer({ settings: { lmtp_downcase_rcpt: false, username_tolower: false } }).greet();
  await peer.say('MAIL FROM:<>');
  expect(await peer.say('RCPT TO:<Django>')).toBe('550 5.1.1 User unknown');
  const lower = await new Peer().greet();
  await lower.say('MAIL FROM:<>');
  expect(await lower.say('RCPT TO:<DJANGO+Lists@x.example>')).toBe('250 2.1.5 ok');
  expect(lower.store.requests[0]).toMatchObject({ userid: 'django', detail: 'Lists' });
});

test.each([
  [false, '452 4.2.2 Over quota'],
  [true, '552 5.2.2 Over quota'],
])('over quota with lmtp_overquota_perm_failure %p', async (permanent, answer) => {
  const peer = await new Peer({ settings: { lmtp_overquota_perm_failure: permanent } }).greet();
  peer.store.overQuota.add('inge');
  await peer.say('MAIL FROM:<> SIZE=1000');
  expect(await peer.say('RCPT TO:<inge>')).toBe(answer);
  expect(peer.store.requests[0]?.size).toBe(1000);
  // Found only when it is stored.
  await peer.say('RCPT TO:<django>');
  peer.store.failing.set('django', userError('overquota', 'over quota'));
  await peer.say('DATA');
  peer.send(`${MESSAGE}.\r\n`);
  expect(await peer.reply()).toBe(answer);
});

test('IGNOREQUOTA by MAIL or RCPT, only from those who are trusted, and never for half a transaction', async () => {
  const peer = await new Peer().greet();
  peer.store.overQuota.add('inge');
  await peer.say('MAIL FROM:<> IGNOREQUOTA');
  expect(await peer.say('RCPT TO:<inge>')).toBe('250 2.1.5 ok');
  await peer.say('DATA');
  peer.send(`${MESSAGE}.\r\n`);
  await peer.reply();
  await peer.say('MAIL FROM:<>');
  expect(await peer.say('RCPT TO:<inge> IGNOREQUOTA')).toBe('250 2.1.5 ok');
  expect(await peer.say('RCPT TO:<django>')).toStartWith('452 4.5.3 ');
  await peer.say('BDAT 0 LAST');
  expect(peer.store.calls.map(({ ignoreQuota }) => ignoreQuota)).toEqual([true, true]);

  const stranger = new Peer({ remoteAddress: '192.0.2.1', settings: { allowplaintext: true } });
  await stranger.reply();
  expect(await stranger.say('LHLO x')).not.toContain('IGNOREQUOTA');
  await stranger.say(`AUTH PLAIN ${Buffer.from('\0django\0secret').toString('base64')}`);
  expect(await stranger.say('MAIL FROM:<> IGNOREQUOTA')).toStartWith('555 5.5.4');
});

test('a store in trouble is 451 and leaves nothing half-done', async () => {
  const peer = await peerInData({}, ['django', 'inge']);
  peer.store.failing.set('inge', serverError('disk on fire'));
  peer.send(`${MESSAGE}.\r\n`);
  expect(await peer.replies(2)).toEqual([
    expect.stringMatching(/^250 2\.1\.5 /),
    '451 4.3.0 Temporary failure, try again later',
  ]);

  await peer.say('MAIL FROM:<>');
  await peer.say('RCPT TO:<django>');
  peer.store.stageError = serverError('no space');
  expect(await peer.say('DATA')).toBe('451 4.3.0 Temporary failure, try again later');
  peer.store.stageError = undefined;
  peer.store.diskSize = 100;
  expect(await peer.say('DATA')).toBe('354 go ahead');
  for (let count = 0; count < 50; count++) peer.send(`${'y'.repeat(70)}\r\n`);
  peer.send('.\r\n');
  expect(await peer.reply()).toBe('451 4.3.0 Temporary failure, try again later');
  expect(peer.store.stages.at(-1)?.state).toBe('aborted');
  expect(peer.store.delivered).toHaveLength(1);
  expect(peer.log.filter(({ level }) => level === 'warn').map(({ fields }) => fields['result'])).toEqual([
    '451 4.3.0',
    '451 4.3.0',
  ]);
});

test('too big: by SIZE, by what really comes, by BDAT', async () => {
  const settings = { maxmessagesize: 1000 };
  const peer = new Peer({ settings });
  await peer.reply();
  expect(await peer.say('LHLO x')).toContain('\n250-SIZE 1000\n');
  expect(await peer.say('MAIL FROM:<> SIZE=1001')).toBe('552 5.3.4 Message is larger than 1000 bytes');
  // RFC 1870 §6.3: an announcement that lies is no permission.
  await peer.say('MAIL FROM:<> SIZE=10');
  await peer.say('RCPT TO:<django>');
  await peer.say('RCPT TO:<inge>');
  await peer.say('DATA');
  peer.send(`${'z'.repeat(70)}\r\n`.repeat(20) + '.\r\n');
  expect(await peer.replies(2)).toEqual(Array(2).fill('552 5.3.4 Message is larger than 1000 bytes'));
  await peer.say('MAIL FROM:<>');
  await peer.say('RCPT TO:<django>');
  peer.send(`BDAT 900\r\n${'q'.repeat(900)}BDAT 101\r\n${'q'.repeat(101)}BDAT 1 LAST\r\nqNOOP\r\n`);
  expect(await peer.replies(4)).toEqual([
    '250 2.0.0 900 octets received',
    '552 5.3.4 Message is larger than 1000 bytes',
    '552 5.3.4 Message is larger than 1000 bytes',
    '250 2.0.0 ok',
  ]);
  expect(peer.store.delivered).toHaveLength(0);
  expect(peer.store.stages.map(({ state }) => state)).toEqual(['aborted', 'aborted']);
  // Exactly the limit is fine; the lines in front do not count.
  await peer.say('MAIL FROM:<> SIZE=1000');
  await peer.say('RCPT TO:<django>');
  peer.send(`BDAT 1000 LAST\r\n${'q'.repeat(1000)}`);
  expect(await peer.reply()).toStartWith('250 2.1.5');
});

test('bare newlines and 8-bit headers are refused by option, binary messages keep theirs', async () => {
  const bare = await peerInData({ settings: { lmtp_bare_lf: 'refuse' } });
  bare.send('Subject: x\r\n\r\na\nb\r\n.\r\n');
  expect(await bare.reply()).toBe('554 5.6.0 Message contains bare newlines');
  await bare.say('MAIL FROM:<> BODY=BINARYMIME');
  await bare.say('RCPT TO:<django>');
  bare.send('BDAT 7 LAST\r\n\r\na\nb\0c');
  expect(await bare.reply()).toStartWith('250 2.1.5');
  expect(bare.store.delivered[0]?.bytes).toEndWith('\r\n\r\na\nb\0c');

  const eight = await peerInData({ settings: { reject8bit: true } });
  eight.send('Subject: \xe4\r\n\r\nbody\r\n.\r\n');
  expect(await eight.reply()).toStartWith('554 5.6.0 ');
  expect(await eight.say('MAIL FROM:<a@b.example> SMTPUTF8')).toStartWith('555 5.5.4');
  expect(await eight.say('LHLO x')).not.toContain('SMTPUTF8');
});

test('SMTPUTF8 addresses', async () => {
  const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
  const peer = await new Peer().greet();
  expect(await peer.say(utf8('MAIL FROM:<jürgen@müller.example>'))).toStartWith('553 5.6.7 ');
  expect(await peer.say('MAIL FROM:<j\xfcrgen@x.example> SMTPUTF8')).toStartWith('501 5.1.7 ');
  expect(await peer.say(utf8('MAIL FROM:<jürgen@müller.example> SMTPUTF8'))).toBe('250 2.1.0 ok');
  expect(await peer.say('RCPT TO:<b\xc3>')).toStartWith('501 5.1.3 ');
  expect(await peer.say(utf8('RCPT TO:<Bücher@müller.example>'))).toBe('250 2.1.5 ok');
  await peer.say('DATA');
  peer.send(`${MESSAGE}.\r\n`);
  await peer.reply();
  expect(peer.store.delivered[0]).toMatchObject({ user: 'bücher' });
  expect(peer.store.delivered[0]?.bytes).toStartWith(utf8('Return-Path: <jürgen@müller.example>\r\n'));
  expect(peer.store.delivered[0]?.bytes).toContain(' with UTF8LMTP id ');
  await peer.say('MAIL FROM:<>');
  expect(await peer.say(utf8('RCPT TO:<bücher>'))).toStartWith('553 5.6.7 ');
});

test('one log line per recipient, by which a message can be followed from the MTA', async () => {
  const peer = await peerInData({}, ['django', 'inge']);
  peer.store.failing.set('inge', userError('overquota', 'full'));
  peer.send(`Received: by mx.example.org (Postfix) with ESMTP id 4cYg9h2Wz1; now\r\n${MESSAGE}.\r\n`);
  const answers = await peer.replies(2);
  const queueid = /id=(\S+)/.exec(answers[0] ?? '')?.[1];
  const lines = peer.log.filter(({ fields }) => fields['rcpt'] !== undefined);
  expect(lines.map(({ level, event }) => [level, event])).toEqual([['info', 'delivered'], [
    'warn',
    'not delivered',
  ]]);
  expect(lines[0]?.fields).toMatchObject({
    queueid,
    client_queueid: '4cYg9h2Wz1',
    sender: 'michael@nausch.org',
    rcpt: 'django',
    'message-id': '<m1@example.org>',
    user: 'django',
    folder: 'INBOX',
    uid: 1,
    result: '250 2.1.5',
  });
  expect(lines[1]?.fields).toMatchObject({ queueid, rcpt: 'inge', result: '452 4.2.2' });
});

test('a message the mailbox has already is answered as delivered', async () => {
  const peer = await peerInData();
  peer.store.duplicates.add('django');
  peer.send(`${MESSAGE}.\r\n`);
  expect(await peer.reply()).toStartWith('250 2.1.5 Ok');
  expect(peer.log.at(-1)).toMatchObject({ level: 'info', event: 'duplicate suppressed' });
});

test('a connection that ends in the middle of a message leaves nothing behind', async () => {
  const peer = await peerInData();
  peer.send('Subject: x\r\n\r\nhalf');
  peer.connection.hangUp();
  expect(peer.store.stages[0]?.state).toBe('aborted');
  expect(peer.store.delivered).toHaveLength(0);
});

test('a message that was complete is delivered even if the client is gone', async () => {
  const peer = await peerInData();
  const { promise, resolve } = Promise.withResolvers<void>();
  peer.store.gate = promise;
  peer.send(`${MESSAGE}.\r\n`);
  peer.connection.hangUp();
  resolve();
  await promise;
  while (peer.store.delivered.length === 0) await new Promise(setImmediate);
  expect(peer.store.stages[0]?.state).toBe('finished');
});

test('munge8bit puts X in the place of 8-bit characters of the header, and leaves the body', async () => {
  const peer = await peerInData({ settings: { munge8bit: true } });
  peer.send('Subject: Gr\xfc\xdfe\r\n\r\nGr\xfc\xdfe\r\n.\r\n');
  await peer.reply();
  expect(peer.store.delivered[0]?.bytes).toEndWith('Subject: GrXXe\r\n\r\nGr\xfc\xdfe\r\n');
});
