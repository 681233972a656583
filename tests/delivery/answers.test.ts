/** vacation, reject and ereject as deliveries carry them out: who is answered, how often, and how a refusal gets back. */

import { afterEach, expect, test } from 'bun:test';
import type { MailError } from '../../src/errors.ts';
import { letter, PostRoom } from './postroom.ts';

let room: PostRoom;

afterEach(async () => {
  await room.close();
});

const AWAY = 'require "vacation"; vacation "I am away.";';
const TO_BERT = { to: ['bert@mail.example.org'] };

test('a letter is kept and answered, its sender once in a week', async () => {
  room = new PostRoom();
  await room.user('bert', AWAY);
  const [verdict] = await room.deliver(letter(), TO_BERT);
  expect(verdict?.actions).toEqual(['vacation reply', 'keep']);
  expect(room.mailer.sent.length).toBe(1);
  const [reply] = room.mailer.sent;
  expect(reply?.envelope).toEqual({
    sender: '',
    recipients: [{ address: 'anna@example.net', notify: ['NEVER'] }],
  });
  expect(reply?.text).toContain(
    'From: bert@mail.example.org\r\nTo: anna@example.net\r\nSubject: Auto: hello\r\n',
  );
  const [again] = await room.deliver(letter(), TO_BERT);
  expect(again?.actions).toEqual(['no vacation reply (answered before)', 'keep']);
  await room.deliver(letter(), { ...TO_BERT, from: 'carl@example.net' });
  expect(room.mailer.sent.length).toBe(2);
  expect((await room.messages('bert'))?.length).toBe(3);
});

test('another text is another answer; the same :handle is the same', async () => {
  room = new PostRoom();
  await room.user('bert', AWAY);
  await room.deliver(letter(), TO_BERT);
  await room.user('bert', 'require "vacation"; vacation "I am further away.";');
  await room.deliver(letter(), TO_BERT);
  await room.user('bert', 'require "vacation"; vacation :handle "summer" "One.";');
  await room.deliver(letter(), TO_BERT);
  await room.user('bert', 'require "vacation"; vacation :handle "summer" "Two.";');
  await room.deliver(letter(), TO_BERT);
  expect(room.mailer.sent.length).toBe(3);
});

test('the period is within what the site allows', async () => {
  room = new PostRoom({ sieve_vacation_min_response: 0 });
  await room.user('bert', 'require "vacation-seconds"; vacation :seconds 0 "Got it.";');
  for (let count = 0; count < 3; count++) await room.deliver(letter(), TO_BERT);
  expect(room.mailer.sent.length).toBe(3);
  await room.close();
  room = new PostRoom();
  await room.user('bert', 'require "vacation-seconds"; vacation :seconds 0 "Got it.";');
  for (let count = 0; count < 3; count++) await room.deliver(letter(), TO_BERT);
  expect(room.mailer.sent.length).toBe(1);
});

test('an MTA that does not take the reply: the message is delivered all the same, the next one answered', async () => {
  room = new PostRoom();
  await room.user('bert', AWAY);
  room.mailer.fates.set('anna@example.net', 'temporary');
  const [verdict] = await room.deliver(letter(), TO_BERT);
  expect(verdict?.error).toBeUndefined();
  room.mailer.fates.clear();
  await room.deliver(letter(), TO_BERT);
  expect(room.mailer.sent.length).toBe(1);
  expect((await room.messages('bert'))?.length).toBe(2);
});

test('programs, lists, bounces, oneself and mail for others are not answered', async () => {
  room = new PostRoom();
  await room.user('bert', AWAY);
  await room.deliver(letter(), { ...TO_BERT, from: '' });
  await room.deliver(letter(), { ...TO_BERT, from: 'MAILER-DAEMON@example.net' });
  await room.deliver(letter(), { ...TO_BERT, from: 'list-request@example.net' });
  await room.deliver(letter(), { ...TO_BERT, from: 'bert@mail.example.org' });
  await room.deliver(letter('List-Id: <x.example.net>\r\n'), TO_BERT);
  await room.deliver(letter('Auto-Submitted: auto-replied\r\n'), TO_BERT);
  await room.deliver(letter('Precedence: bulk\r\n'), TO_BERT);
  await room.deliver(letter(), { to: ['bert@other.example'] });
  await room.deliver(letter().replace('To: bert@mail.example.org', 'To: undisclosed'), TO_BERT);
  expect(room.mailer.sent.map(({ envelope }) => envelope.recipients[0]?.address)).toEqual([
    'anna@example.net',
  ]);
  expect((await room.messages('bert'))?.length).toBe(9);
});

test('our own reply, sent to a second vacation, is not answered: no two of them ever talk', async () => {
  room = new PostRoom();
  await room.user('bert', AWAY);
  await room.user('cleo', 'require "vacation"; vacation :addresses "anna@example.net" "Me, too.";');
  await room.deliver(letter(), TO_BERT);
  const [reply] = room.mailer.sent;
  await room.deliver(reply?.text ?? '', { from: '', to: ['cleo'] });
  await room.deliver(reply?.text ?? '', { from: 'bert@mail.example.org', to: ['cleo'] });
  expect(room.mailer.sent.length).toBe(1);
});

test('a forged sender gets one answer, however many messages are sent in its name', async () => {
  room = new PostRoom();
  await room.user('bert', AWAY);
  const letters = Array.from(
    { length: 30 },
    () => room.deliver(letter(), { ...TO_BERT, from: 'victim@example.net' }),
  );
  await Promise.all(letters);
  expect(room.mailer.sent.length).toBe(1);
});

test('the sender of the reply where a mail server takes none of the null sender', async () => {
  room = new PostRoom({ sieve_vacation_sender: 'owner' });
  await room.user('bert', AWAY);
  await room.deliver(letter(), TO_BERT);
  expect(room.mailer.sent[0]?.envelope.sender).toBe('bert@mail.example.org');
});

test('a copy of the reply goes where :fcc says, once it is sent', async () => {
  room = new PostRoom();
  await room.user('bert', 'require ["vacation", "fcc"]; vacation :fcc "INBOX/Sent" "I am away.";');
  await room.test.as('bert').create({ owner: 'bert', path: 'Sent' });
  room.mailer.fates.set('anna@example.net', 'permanent');
  await room.deliver(letter(), TO_BERT);
  expect(await room.messages('bert', 'Sent')).toEqual([]);
  room.mailer.fates.clear();
  await room.deliver(letter(), TO_BERT);
  expect(await room.messages('bert', 'Sent')).toEqual([room.mailer.sent[0]?.text ?? '']);
});

test("a copy cannot be put into somebody else's folder", async () => {
  room = new PostRoom();
  await room.user('eve');
  await room.user(
    'bert',
    'require ["vacation", "fcc", "mailbox"]; vacation :fcc "user/eve" :create "I am away.";',
  );
  await room.deliver(letter(), TO_BERT);
  expect(await room.messages('eve')).toEqual([]);
  expect((await room.messages('bert'))?.length).toBe(2);
});

test('reject is refused in the answer, line by line', async () => {
  room = new PostRoom();
  await room.user('bert', 'require "reject"; reject "No birdseed!\r\nEver.";');
  const [verdict] = await room.deliver(letter(), TO_BERT);
  expect(verdict).toMatchObject({ refusal: ['No birdseed!', 'Ever.'], actions: ['reject'] });
  expect(room.mailer.sent).toEqual([]);
  expect(await room.messages('bert')).toEqual([]);
});

test('a reason beyond ASCII goes by mail, of ereject never', async () => {
  room = new PostRoom();
  await room.user('bert', 'require "reject"; reject "Kein Körnerfutter";');
  const [verdict] = await room.deliver(letter(), TO_BERT);
  expect(verdict).toMatchObject({ actions: ['reject by mail'] });
  expect(verdict?.refusal).toBeUndefined();
  expect(room.mailer.sent[0]?.envelope.sender).toBe('');
  expect(room.mailer.sent[0]?.text).toContain('Content-Type: message/disposition-notification\r\n');
  await room.user('bert', 'require "ereject"; ereject "Kein Körnerfutter";');
  const [early] = await room.deliver(letter(), TO_BERT);
  expect(early?.refusal).toEqual(["Your message was refused by the recipient's mail filter"]);
  expect(room.mailer.sent.length).toBe(1);
});

test('a rejection by mail that cannot be sent: the sender comes again, nothing is lost', async () => {
  room = new PostRoom({ sieve_use_lmtp_reject: false });
  await room.user('bert', 'require "reject"; reject "No.";');
  room.mailer.fates.set('anna@example.net', 'temporary');
  const text = letter();
  const [verdict] = await room.deliver(text, TO_BERT);
  expect((verdict?.error as MailError).code).toBe('unavailable');
  room.mailer.fates.set('anna@example.net', 'permanent');
  await room.deliver(text, TO_BERT);
  expect(await room.messages('bert')).toEqual([text]);
  // A bounce is never answered by mail.
  const [bounce] = await room.deliver(letter(), { ...TO_BERT, from: '' });
  expect(bounce?.refusal).toEqual(['No.']);
});

test('a rejection changes nothing for the others of the message', async () => {
  room = new PostRoom();
  await room.user('bert', 'require "reject"; reject "No.";');
  await room.user('cleo');
  const verdicts = await room.deliver(letter(), { to: ['bert', 'cleo'] });
  expect(verdicts.map(({ refusal, result }) => [refusal, result?.uid])).toEqual([[['No.'], undefined], [
    undefined,
    1,
  ]]);
});

test('scripts see their own mailboxes, and others as far as they may deliver there', async () => {
  room = new PostRoom();
  await room.user('eve');
  await room.test.as('eve').create({ owner: 'eve', path: 'Shared' });
  await room.test.as('eve').create({ owner: 'eve', path: 'Private' });
  await room.test.as('eve').setAcl({ owner: 'eve', path: 'Shared' }, 'bert', 'li');
  const holds = async (condition: string): Promise<boolean> => {
    await room.user(
      'bert',
      `require ["mailbox", "special-use", "mailboxid", "fileinto"]; if ${condition} { discard; }`,
    );
    const before = (await room.messages('bert'))?.length ?? 0;
    await room.deliver(letter());
    return (await room.messages('bert'))?.length === before;
  };
  await room.user('bert');
  const { mailboxid } = await room.test.as('bert').create({ owner: 'bert', path: 'Junk' }, ['\\Junk']);
  expect(await holds('mailboxexists "INBOX/Junk"')).toBe(true);
  expect(await holds('mailboxexists "user/eve/Shared"')).toBe(true);
  for (const name of ['INBOX/None', 'user/eve/Private', 'user/eve', 'user/nobody', 'a//b']) {
    expect([name, await holds(`mailboxexists "${name}"`)]).toEqual([name, false]);
  }
  expect(await holds('specialuse_exists "\\\\Junk"')).toBe(true);
  expect(await holds('specialuse_exists "INBOX/Junk" "\\\\junk"')).toBe(true);
  expect(await holds('specialuse_exists "\\\\Sent"')).toBe(false);
  expect(await holds(`mailboxidexists "${mailboxid}"`)).toBe(true);
  expect(await holds('mailboxidexists "F00"')).toBe(false);
});

test(':create, :specialuse and :mailboxid find and make mailboxes of the owner alone', async () => {
  room = new PostRoom();
  await room.user('eve');
  const theirs = await room.test.as('eve').create({ owner: 'eve', path: 'Private' });
  await room.user('bert');
  const junk = await room.test.as('bert').create({ owner: 'bert', path: 'Spam' }, ['\\Junk']);
  const files = async (action: string): Promise<void> => {
    await room.user('bert', `require ["fileinto", "mailbox", "special-use", "mailboxid"]; ${action}`);
    await room.deliver(letter());
  };
  await files('fileinto :create "INBOX/New/Deep";');
  expect((await room.messages('bert', 'New/Deep'))?.length).toBe(1);
  await files('fileinto :specialuse "\\\\Junk" "INBOX/Other";');
  expect((await room.messages('bert', 'Spam'))?.length).toBe(1);
  await files(`fileinto :mailboxid "${junk.mailboxid}" "INBOX/Other";`);
  expect((await room.messages('bert', 'Spam'))?.length).toBe(2);
  await files('fileinto :specialuse "\\\\Archive" :create "INBOX/Old";');
  expect(room.test.as('bert').info({ owner: 'bert', path: 'Old' }).specialUse).toEqual(['\\Archive']);
  // RFC 8579 §4: the owner's junk, whoever's mailbox is named beside it. Flags are the same in any case.
  await files('fileinto :specialuse "\\\\junk" "user/eve/Private";');
  expect((await room.messages('bert', 'Spam'))?.length).toBe(3);
  // Somebody else's: neither by name nor by id.
  await files('fileinto :create "user/eve/New";');
  await files(`fileinto :mailboxid "${theirs.mailboxid}" "INBOX";`);
  expect(await room.messages('eve', 'New')).toBeNull();
  expect(await room.messages('eve', 'Private')).toEqual([]);
});
