/** notify, report, duplicate and annotations as deliveries carry them out. */

import { afterEach, expect, test } from 'bun:test';
import { letter, PostRoom } from './postroom.ts';

let room: PostRoom;

afterEach(async () => {
  await room.close();
});

const TO_BERT = { to: ['bert@mail.example.org'] };
const recipients = () =>
  room.mailer.sent.map(({ envelope }) => envelope.recipients.map(({ address }) => address));

test('a mailto is told of the message, in its own name and marked as automatic', async () => {
  room = new PostRoom();
  await room.user(
    'bert',
    'require "enotify"; notify :importance "1" :message "Mail!" "mailto:sms@x.example?cc=b@x.example&body=Look";',
  );
  const [verdict] = await room.deliver(letter(), TO_BERT);
  expect(verdict?.actions).toEqual(['notify by mail', 'keep']);
  expect(recipients()).toEqual([['sms@x.example', 'b@x.example']]);
  const [sent] = room.mailer.sent;
  expect(sent?.envelope.sender).toBe('bert@mail.example.org');
  expect(sent?.text).toStartWith('Auto-Submitted: auto-notified; owner-email="bert@mail.example.org"\r\n');
  expect(sent?.text).toContain('Subject: Mail!\r\n');
  expect(sent?.text).toContain('\r\n\r\nLook\r\n');
});

test('RFC 5436 §3: the example of the knitting list', async () => {
  room = new PostRoom();
  await room.user(
    'bert',
    `require ["enotify", "variables"];
    if header :contains "list-id" "knitting.example.com" {
      if header :matches "Subject" "[*] *" {
        notify :message "From \${1} list: \${2}" :importance "3"
          "mailto:0123456789@sms.example.net?to=backup@example.com";
      }
    }`,
  );
  const mail = [
    'Return-Path: <knitting-bounces@example.com>',
    'Received: from mail.example.com by mail.example.org',
    '  for <recipient@example.org>; Wed, 7 Dec 2005 05:08:02 -0500',
    'Received: from hobbies.example.com by mail.example.com',
    '  for <knitting@example.com>; Wed, 7 Dec 2005 02:00:26 -0800',
    'Message-ID: <1234567.89ABCDEF@example.com>',
    'Date: Wed, 07 Dec 2005 10:59:19 +0100',
    'Precedence: list',
    'List-Id: Knitting Mailing List <knitting.example.com>',
    'Sender: knitting-bounces@example.com',
    'Errors-To: knitting-bounces@example.com',
    'From: "Jeff Smith" <jeff@hobbies.example.com>',
    'To: "Knitting Mailing List" <knitting@example.com>',
    'Subject: [Knitting] A new sweater',
    '',
    'I just finished a great new sweater!',
    '',
  ];
  await room.deliver(mail.join('\r\n'), { ...TO_BERT, from: 'knitting-bounces@example.com' });
  const [sent] = room.mailer.sent;
  expect(recipients()).toEqual([['0123456789@sms.example.net', 'backup@example.com']]);
  const text = sent?.text ?? '';
  expect(text).toStartWith('Auto-Submitted: auto-notified; owner-email="bert@mail.example.org"\r\n');
  // So that a loop is seen.
  expect(text).toContain(`${mail.slice(1, 5).join('\r\n')}\r\n`);
  expect(text).toMatch(/\r\nFrom: (?:.*<)?bert@mail\.example\.org>?\r\n/);
  expect(text).toMatch(/\r\nTo: <?0123456789@sms\.example\.net>?,\s+<?backup@example\.com>?\r\n/);
  expect(text).toContain('\r\nSubject: From Knitting list: A new sweater\r\n');
  expect(text).not.toContain('1234567.89ABCDEF@example.com>\r\nDate');
  expect(text).not.toMatch(/^Message-ID: <1234567/m);
});

test('what a program sent notifies nobody; of a bounce the notification is one, too', async () => {
  room = new PostRoom();
  await room.user('bert', 'require "enotify"; notify "mailto:sms@x.example";');
  await room.deliver(letter('Auto-Submitted: auto-notified\r\n'), TO_BERT);
  expect(room.mailer.sent).toEqual([]);
  await room.deliver(letter(), { ...TO_BERT, from: '' });
  expect(room.mailer.sent[0]?.envelope.sender).toBe('');
});

test('nobody is told twice by one run', async () => {
  room = new PostRoom();
  await room.user(
    'bert',
    'require "enotify"; notify "mailto:sms@x.example"; notify :message "again" "mailto:SMS@x.example?to=b@x.example";',
  );
  await room.deliver(letter(), TO_BERT);
  expect(recipients()).toEqual([['sms@x.example'], ['b@x.example']]);
});

test('a flood of mail is no flood of notifications', async () => {
  room = new PostRoom();
  await room.user('bert', 'require "enotify"; notify "mailto:sms@x.example";');
  for (let count = 0; count < 35; count++) await room.deliver(letter(), TO_BERT);
  expect(room.mailer.sent.length).toBe(30);
  expect((await room.messages('bert'))?.length).toBe(35);
});

test('an MTA that takes no notification loses no message', async () => {
  room = new PostRoom();
  await room.user('bert', 'require "enotify"; notify "mailto:sms@x.example";');
  room.mailer.fates.set('sms@x.example', 'permanent');
  const [verdict] = await room.deliver(letter(), TO_BERT);
  expect(verdict?.error).toBeUndefined();
  expect((await room.messages('bert'))?.length).toBe(1);
});

test("Cyrus's older notify: by mail where it says so; without notifyd nothing is lost", async () => {
  room = new PostRoom();
  await room.user(
    'bert',
    'require "notify"; notify :method "mailto" :options "sms@x.example" :message "$subject$!";',
  );
  await room.deliver(letter(), TO_BERT);
  expect(recipients()).toEqual([['sms@x.example']]);
  expect(room.mailer.sent[0]?.text).toContain('\r\n\r\nhello!\r\n');
  await room.user('bert', 'require "notify"; notify :method "log" :message "mail";');
  const [verdict] = await room.deliver(letter(), TO_BERT);
  expect(verdict?.actions).toEqual(['no notification', 'keep']);
});

test('a report goes to whom the script says, with the message', async () => {
  room = new PostRoom();
  await room.user('bert', 'require "vnd.dovecot.report"; report "abuse" "This is spam." "abuse@x.example";');
  await room.deliver(letter(), TO_BERT);
  expect(recipients()).toEqual([['abuse@x.example']]);
  expect(room.mailer.sent[0]?.text).toContain('Feedback-Type: abuse\r\n');
  await room.deliver(letter('Auto-Submitted: auto-generated\r\n'), TO_BERT);
  expect(room.mailer.sent.length).toBe(1);
});

test('duplicate remembers what was delivered, and nothing of what was not', async () => {
  room = new PostRoom({ duplicatesuppression: false });
  await room.user('bert', 'require ["duplicate", "fileinto"]; if duplicate { discard; }');
  await room.test.admin.setQuota({ owner: 'bert', path: '' }, { storage: 10, messages: null });
  const text = letter();
  const [refused] = await room.deliver(text, TO_BERT);
  expect(refused?.error).toBeDefined();
  await room.test.admin.setQuota({ owner: 'bert', path: '' }, { storage: null, messages: null });
  for (let count = 0; count < 3; count++) await room.deliver(text, TO_BERT);
  expect(await room.messages('bert')).toEqual([text]);
  await room.deliver(letter(), TO_BERT);
  expect((await room.messages('bert'))?.length).toBe(2);
});

test('annotations: the own ones and those of the server, none of others', async () => {
  room = new PostRoom();
  await room.user('eve');
  await room.user('bert');
  const entry = (value: string) => new Map([['/private/vendor/acme/x', Buffer.from(value)]]);
  await room.test.as('bert').metadata.set({ owner: 'bert', path: '' }, entry('blue'));
  await room.test.as('eve').metadata.set({ owner: 'eve', path: '' }, entry('red'));
  const holds = async (condition: string): Promise<boolean> => {
    await room.user('bert', `require "mboxmetadata"; if ${condition} { discard; }`);
    const before = (await room.messages('bert'))?.length ?? 0;
    await room.deliver(letter());
    return (await room.messages('bert'))?.length === before;
  };
  expect(await holds('metadata "INBOX" "/private/vendor/acme/x" "blue"')).toBe(true);
  expect(await holds('metadata "user/eve" "/private/vendor/acme/x" "red"')).toBe(false);
  expect(await holds('metadataexists "INBOX" "/private/vendor/acme/y"')).toBe(false);
});
