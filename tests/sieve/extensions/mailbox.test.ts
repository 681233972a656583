/** RFC 5490, RFC 8579, RFC 9042, RFC 8580: where messages and copies go. */

import { expect, test } from 'bun:test';
import { decide, findings, holds, MESSAGE_A } from '../harness.ts';

const HOST = {
  mailboxExists: (name: string): boolean => ['INBOX', 'Partners', 'Büro'].includes(name),
  mailboxIdExists: (id: string): boolean => id === 'F6352ae03',
  specialUseExists: (mailbox: string | null, use: string): boolean =>
    use.toLowerCase() === '\\sent' && (mailbox === null || mailbox === 'Partners'),
  metadata: (mailbox: string | null, entry: string): string | null =>
    mailbox === null
      ? entry === '/shared/comment' ? 'server ü' : null
      : mailbox === 'INBOX' && entry === '/private/vendor/vacation'
      ? 'on'
      : null,
};

function held(test: string): boolean {
  const required = [
    'mailbox',
    'mboxmetadata',
    'servermetadata',
    'special-use',
    'mailboxid',
    'relational',
    'variables',
  ];
  return holds(test, MESSAGE_A, required, { host: HOST });
}

test('RFC 5490 §3.1: mailboxexists asks for all', () => {
  expect(held('mailboxexists "Partners"')).toBe(true);
  expect(held('mailboxexists ["INBOX", "Büro"]')).toBe(true);
  expect(held('mailboxexists ["INBOX", "none"]')).toBe(false);
  expect(held('mailboxexists ""')).toBe(false);
});

test('RFC 5490 §3.3, §4.1: annotations of mailboxes and of the server', () => {
  expect(held('metadata :is "INBOX" "/private/vendor/vacation" "on"')).toBe(true);
  expect(held('metadata "INBOX" "/private/vendor/other" ""')).toBe(false);
  expect(held('metadata :count "eq" "INBOX" "/private/vendor/other" "0"')).toBe(true);
  expect(held('metadataexists "INBOX" ["/private/vendor/vacation"]')).toBe(true);
  expect(held('metadataexists "INBOX" ["/private/vendor/vacation", "/shared/comment"]')).toBe(false);
  expect(held('servermetadata :contains "/shared/comment" "ü"')).toBe(true);
  expect(held('servermetadataexists "/private/comment"')).toBe(false);
  expect(held('metadataexists "INBOX" ["/private/vendor/vacation", "/comment"]')).toBe(false);
  expect(held('metadata :contains "INBOX" "/comment" ""')).toBe(false);
  expect(findings('require "mboxmetadata"; if metadata "INBOX" "/comment" "x" { }')[0]).toContain(
    'warning 1:45',
  );
  expect(findings('require "mboxmetadata"; if metadata "INBOX" "/comment" "x" { }')[0]).toContain(
    '"/shared/…" or "/private/…"',
  );
});

test('RFC 8579 §3 and RFC 9042 §5: mailboxes by use and by id', () => {
  expect(held('specialuse_exists "\\\\Sent"')).toBe(true);
  expect(held('specialuse_exists ["\\\\Sent", "\\\\Junk"]')).toBe(false);
  expect(held('specialuse_exists "Partners" "\\\\Sent"')).toBe(true);
  expect(held('specialuse_exists "INBOX" ["\\\\Sent"]')).toBe(false);
  expect(held('mailboxidexists "F6352ae03"')).toBe(true);
  expect(held('mailboxidexists ["F6352ae03", "x"]')).toBe(false);
  expect(findings('require "special-use"; if specialuse_exists "Sent" { }')[0]).toContain('no special use');
});

test('fileinto says where, by name, use and id, and whether to make it', () => {
  const script = 'require ["fileinto", "mailbox", "special-use", "mailboxid"];';
  expect(
    decide(
      `${script} fileinto :create "a"; fileinto :specialuse "\\\\Junk" :create "b"; fileinto :mailboxid "F1" "c";`,
      MESSAGE_A,
    ),
  )
    .toMatchObject([
      { placement: { mailbox: 'a', create: true, specialUse: null, mailboxId: null } },
      { placement: { mailbox: 'b', create: true, specialUse: '\\Junk' } },
      { placement: { mailbox: 'c', create: false, mailboxId: 'F1' } },
    ]);
  expect(findings(`${script} fileinto :mailboxid "F1" :specialuse "\\\\Junk" "c";`)[0]).toContain(
    'exclude each other',
  );
  expect(findings('require "fileinto"; fileinto :create "a";')[0]).toContain('without require "mailbox"');
});

test('RFC 8580: a copy of a vacation answer is filed, with the tags of fileinto', () => {
  const script = 'require ["vacation", "fcc", "mailbox", "special-use", "imap4flags"];';
  expect(
    decide(
      `${script} addflag "x"; vacation :days 7 :fcc "INBOX.Sent" :specialuse "\\\\Sent" :create :flags ["\\\\Seen"] "Gone Fishin'";`,
      MESSAGE_A,
    ),
  )
    .toMatchObject([{
      kind: 'vacation',
      fcc: { mailbox: 'INBOX.Sent', specialUse: '\\Sent', create: true, flags: ['\\Seen'], mailboxId: null },
    }, {}]);
  expect(decide(`${script} addflag "x"; vacation :fcc "Sent" "a";`, MESSAGE_A)).toMatchObject([{
    fcc: { flags: [] },
  }, {}]);
  expect(findings(`${script} vacation :create "a";`)[0]).toContain(
    'the :create tag for the vacation command cannot be specified without the :fcc tag',
  );
  expect(findings(`${script} keep :fcc "a";`)[0]).toContain("unknown tagged argument ':fcc'");
});
