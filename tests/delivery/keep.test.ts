/** Where `keep` puts a message, and what divides an address: the same for scripts as for the store. */

import { afterEach, expect, test } from 'bun:test';
import { letter, PostRoom } from './postroom.ts';

let room: PostRoom;

afterEach(() => room.close());

test('to keep and to file where mail is kept is one copy, with the flags that were said last (RFC 5228 §2.10.3)', async () => {
  room = new PostRoom();
  await room.user(
    'bert',
    'require ["fileinto", "imap4flags"]; fileinto :flags "\\\\Seen" "inbox"; keep :flags "\\\\Flagged"; fileinto "INBOX";',
  );
  const [verdict] = await room.deliver(letter());
  expect(verdict?.actions).toEqual(['keep']);
  expect((await room.messages('bert'))?.length).toBe(1);
  await room.user('bert', 'require ["fileinto", "imap4flags"]; fileinto "INBOX"; keep :flags "\\\\Flagged";');
  await room.deliver(letter());
  expect((await room.flags('bert'))[1]).toEqual(['\\Flagged']);
});

test('behind a plus address that is its folder, as the store decides', async () => {
  room = new PostRoom({ altnamespace: false, unixhierarchysep: false, sieve_utf8fileinto: false });
  await room.user(
    'bert',
    `require ["fileinto", "imap4flags", "environment", "vnd.dovecot.environment"];
     fileinto "INBOX.N&APY-ws"; keep :flags "\\\\Flagged";
     if environment "vnd.dovecot.default-mailbox" "INBOX" { fileinto "INBOX.Other"; }`,
  );
  for (const path of ['Nöws', 'Other']) await room.test.as('bert').create({ owner: 'bert', path });
  await room.test.as('bert').setAcl({ owner: 'bert', path: 'Nöws' }, 'anyone', 'p');
  await room.deliver(letter(), { to: ['bert+Nöws'] });
  expect(await room.flags('bert', 'Nöws')).toEqual([['\\Flagged']]);
  expect(await room.messages('bert', 'Other')).toEqual([]);
  // Where nobody may post it is INBOX that is meant.
  await room.test.as('bert').setAcl({ owner: 'bert', path: 'Nöws' }, 'anyone', '');
  await room.deliver(letter(), { to: ['bert+Nöws'] });
  expect((await room.messages('bert', 'Nöws'))?.length).toBe(2);
  expect((await room.messages('bert', 'Other'))?.length).toBe(1);
});

test('lmtp.recipient_delimiter divides recipients, the addresses of an owner and those a script looks at', async () => {
  room = new PostRoom({ recipient_delimiter: '-=' });
  await room.user(
    'bert',
    `require ["subaddress", "envelope", "fileinto", "vacation"];
     if allof (envelope :user "to" "bert", envelope :detail "to" "News",
       address :detail "resent-to" "a+b-c") { fileinto "INBOX/News"; }
     vacation "Away.";`,
  );
  await room.test.as('bert').create({ owner: 'bert', path: 'News' });
  await room.deliver(letter('Resent-To: anna=a+b-c@example.org\r\n'), { to: ['bert-News@mail.example.org'] });
  expect((await room.messages('bert', 'News'))?.length).toBe(1);
  expect(room.mailer.sent.map(({ text }) => /^From: .*/m.exec(text)?.[0])).toEqual([
    'From: bert@mail.example.org',
  ]);
});
