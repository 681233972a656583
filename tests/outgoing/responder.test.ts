/** RFC 3834 §2, RFC 5230 §4.5 and §4.6: who is never answered by a machine. */

import { expect, test } from 'bun:test';
import { isAutomatic, whyNoReply, whyNoReport } from '../../src/outgoing/responder.ts';
import { ORDINARY, original } from './original.ts';

const OWN = ['tjs@example.edu', 'ts4z@landru.example.edu'];

const reply = (header: string, sender = 'coyote@desert.example.org') =>
  whyNoReply(original(header, { sender }), OWN);

test('a letter from a person is answered', () => {
  expect(reply(ORDINARY)).toBeNull();
  expect(reply(`Auto-Submitted: no (really)\r\nPrecedence: normal\r\n${ORDINARY}`)).toBeNull();
  expect(reply(`X-Loop: other@example.edu\r\n${ORDINARY}`)).toBeNull();
});

test('programs and lists are not, by their addresses', () => {
  for (
    const sender of [
      '',
      'MAILER-DAEMON@example.org',
      'mailer-daemon',
      'owner-list@example.org',
      'list-owner@example.org',
      'list-request@example.org',
      'list-bounces@example.org',
      'list-bounces+tjs=example.edu@example.org',
      'LISTSERV@example.org',
      'majordomo@example.org',
      'noreply@example.org',
      'no-reply@example.org',
      'do-not-reply@example.org',
      'bounce@example.org',
    ]
  ) {
    expect([sender, typeof reply(ORDINARY, sender)]).toEqual([sender, 'string']);
    expect([sender, typeof whyNoReport(original(ORDINARY, { sender }))]).toEqual([sender, 'string']);
  }
  // RFC 5230 §4.6: people read the postmaster's mail.
  expect(reply(ORDINARY, 'postmaster@example.org')).toBeNull();
  expect(reply(ORDINARY, 'requests@example.org')).toBeNull();
});

test('nor by what their messages say of themselves', () => {
  for (
    const line of [
      'Auto-Submitted: auto-replied',
      'Auto-Submitted: auto-generated; x=y',
      'auto-submitted:\r\n auto-notified',
      'Auto-Submitted:',
      'List-Id: <x.example.org>',
      'List-Help: <mailto:x@y>',
      'List-Subscribe: <mailto:x@y>',
      'List-Unsubscribe: <mailto:x@y>',
      'List-Post: NO',
      'List-Owner: <mailto:x@y>',
      'List-Archive: <https://x>',
      'Precedence: bulk',
      'Precedence: JUNK',
      'Precedence: list',
      'X-Auto-Response-Suppress: DR, OOF',
      'X-Loop: tjs@example.edu',
    ]
  ) expect([line, typeof reply(`${line}\r\n${ORDINARY}`)]).toEqual([line, 'string']);
});

test('the recipient does not answer itself, and only what is addressed to it', () => {
  expect(reply(ORDINARY, 'TJS@example.edu')).toBe('the sender is the recipient');
  const to = (line: string) => reply(ORDINARY.replace('To: "Tim" <tjs@example.edu>', line));
  expect(to('To: somebody@example.org')).toBe('no address of the recipient stands in its header');
  expect(to('Cc: x@y, ts4z@landru.example.edu')).toBeNull();
  expect(to('Bcc: friends: TJS@EXAMPLE.EDU;')).toBeNull();
  for (const name of ['Resent-To', 'Resent-Cc', 'Resent-Bcc']) {
    expect(to(`${name}: tjs@example.edu`)).toBeNull();
  }
  expect(to('To: "tjs@example.edu" <other@example.org>')).not.toBeNull();
});

test('a report needs less: who is on a list may be told that its message was refused', () => {
  expect(whyNoReport(original(`Precedence: list\r\n${ORDINARY}`))).toBeNull();
  expect(whyNoReport(original(`Auto-Submitted: auto-replied\r\n${ORDINARY}`))).not.toBeNull();
  expect(isAutomatic(original(`Auto-Submitted: No\r\n${ORDINARY}`))).toBe(false);
});
