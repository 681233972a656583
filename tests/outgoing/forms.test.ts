/** Messages of our own: what the RFCs want in them, and that nothing a script or a stranger wrote can add a field. */

import { expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { encodeText, foldedField, messageDate, quotedPrintable, textField } from '../../src/mime/encode.ts';
import { decodeHeader } from '../../src/mime/encodedword.ts';
import { decodeQuotedPrintable } from '../../src/mime/transfer.ts';
import type { OutgoingMessage } from '../../src/outgoing/envelope.ts';
import { textEntity } from '../../src/outgoing/forms/draft.ts';
import { scriptNotice } from '../../src/outgoing/forms/notice.ts';
import { notification, type NotificationWords } from '../../src/outgoing/forms/notification.ts';
import { redirected, wasRedirectedBy } from '../../src/outgoing/forms/redirect.ts';
import { rejectionDsn, rejectionMdn } from '../../src/outgoing/forms/reject.ts';
import { abuseReport } from '../../src/outgoing/forms/report.ts';
import { vacationReply, type VacationWords } from '../../src/outgoing/forms/vacation.ts';
import { Random } from '../harness/random.ts';
import { field, ORDINARY, original, OWNER, STAMP, text } from './original.ts';

const named = (address: string) => ({ address, name: null });
const AWAY: VacationWords = { reason: "Sorry, I'm away.", mime: false, subject: null, from: null };
const NOTIFY: NotificationWords = {
  to: [named('0123456789@sms.example.net')],
  cc: [],
  bcc: [],
  subject: null,
  body: null,
  fields: [],
  importance: 2,
  from: null,
};
const REJECTION = {
  original: original(ORDINARY),
  reason: 'No birdseed!',
  postmaster: 'postmaster',
  stamp: STAMP,
};

/** The types of all parts, their texts decoded, and the header's names: as Python's email package reads it. */
function asPythonReads(
  message: OutgoingMessage,
): { types: string[]; texts: string[]; names: string[]; defects: number } {
  const program = `import sys, json, email, email.policy
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
parts = list(m.walk())
print(json.dumps({'types': [p.get_content_type() for p in parts],
  'texts': [p.get_content().replace('\\r', '') for p in parts if p.get_content_type() == 'text/plain'],
  'names': list(m.keys()), 'defects': sum(len(p.defects) for p in parts)}))`;
  const run = spawnSync('python3', ['-c', program], { input: Buffer.from(text(message), 'latin1') });
  if (run.status !== 0) throw new Error(run.stderr.toString());
  return JSON.parse(run.stdout.toString());
}

/** Fields, Unicode, control characters, encoded words of others. */
function randomText(random: Random): string {
  let text = '';
  for (let count = random.below(40); count > 0; count--) {
    text += random.pick([
      'a',
      'word ',
      ' ',
      'ä',
      '€',
      '🙂',
      '=',
      '?',
      '=?UTF-8?Q?x?=',
      '"',
      '\\',
      '.',
      '<a@b>',
      ',',
    ]);
  }
  return text;
}

test('header text comes back as it was, on lines of at most 76 characters', () => {
  const seed = Date.now() >>> 0;
  const random = new Random(seed);
  for (let round = 0; round < 3000; round++) {
    const given = randomText(random).trim();
    const line = textField('Subject', given);
    const unfolded = line.slice('Subject:'.length).replace(/\r\n /g, ' ').trim();
    expect([seed, round, given, decodeHeader(unfolded).replace(/ +/g, ' ')])
      .toEqual([seed, round, given, given.replace(/ +/g, ' ')]);
    expect(line.split('\r\n').filter((each) => each.length > 76 && each.includes('=?UTF-8'))).toEqual([]);
    expect(line).toMatch(/^[\x20-\x7e]*(?:\r\n [\x20-\x7e]*)*\r\n$/);
  }
});

test('quoted-printable comes back as it was', () => {
  const seed = Date.now() >>> 0;
  const random = new Random(seed);
  for (let round = 0; round < 2000; round++) {
    let given = '';
    for (let count = random.below(200); count > 0; count--) {
      given += random.pick(['a', ' ', '\t', '=', '\r\n', 'é', '.', 'x y ']);
    }
    const bytes = Buffer.from(given, 'utf8');
    const encoded = quotedPrintable(bytes);
    expect(Buffer.from(decodeQuotedPrintable(Buffer.from(encoded))).toString('utf8')).toBe(given);
    expect(encoded.split('\r\n').filter((line) => line.length > 76 || /[ \t]$/.test(line))).toEqual([]);
  }
});

test('no text can end its field', () => {
  for (
    const evil of [
      'a\r\nBcc: x@y',
      'a\nBcc: x',
      'a\rBcc: x',
      'a\0b',
      'a\u2028Bcc: x',
      '\r\n\r\nbody',
      'a\x0b\x0cb',
    ]
  ) {
    expect(textField('Subject', evil)).toMatch(/^Subject:[^\r\n\0]*(?:\r\n [^\r\n\0]+)*\r\n$/);
    expect(foldedField('X', evil)).toMatch(/^X:[^\r\n\0]*\r\n$/);
  }
  expect(encodeText('=?UTF-8?Q?=0D=0ABcc:_x?=')).not.toContain('=?UTF-8?Q?=0D');
});

test('vacation: the reply of RFC 5230', () => {
  const { envelope, message } = vacationReply(AWAY, original(ORDINARY), OWNER, '', STAMP);
  expect(text(message)).toBe(
    'From: tjs@example.edu\r\nTo: coyote@desert.example.org\r\nSubject: Auto: birdseed\r\n' +
      `Date: ${messageDate(STAMP.now)}\r\nMessage-ID: <id-1@imap.example.org>\r\n` +
      'In-Reply-To: <1@desert.example.org>\r\nReferences: <1@desert.example.org>\r\n' +
      'Auto-Submitted: auto-replied (vacation)\r\nPrecedence: bulk\r\nX-Auto-Response-Suppress: All\r\n' +
      'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n' +
      "\r\nSorry, I'm away.\r\n",
  );
  expect(envelope).toEqual({
    sender: '',
    recipients: [{ address: 'coyote@desert.example.org', notify: ['NEVER'] }],
  });
});

test('vacation: References are continued, without them In-Reply-To is', () => {
  const references = (fields: string) =>
    field(vacationReply(AWAY, original(fields + ORDINARY), OWNER, '', STAMP).message, 'References');
  expect(references('References: <a@x> <b@x>\r\n')).toBe('<a@x> <b@x> <1@desert.example.org>');
  expect(references('In-Reply-To: <c@x>\r\n')).toBe('<c@x> <1@desert.example.org>');
  expect(references('In-Reply-To: <c@x> <d@x>\r\n')).toBe('<1@desert.example.org>');
  const without = vacationReply(AWAY, original('Subject: x\r\n\r\n'), OWNER, '', STAMP).message;
  expect([field(without, 'References'), field(without, 'In-Reply-To')]).toEqual([null, null]);
});

test('vacation: subject, from and Unicode', () => {
  const words = {
    ...AWAY,
    subject: 'Büro geschlossen',
    reason: 'Grüße\nTim',
    from: { name: 'Tïm', address: 'tim@example.edu' },
  };
  const { message } = vacationReply(words, original(ORDINARY), OWNER, 'tjs@example.edu', STAMP);
  expect(decodeHeader(field(message, 'Subject') ?? '')).toBe('Büro geschlossen');
  expect(field(message, 'From')).toBe('=?UTF-8?Q?T=C3=AFm?= <tim@example.edu>');
  expect(asPythonReads(message)).toMatchObject({ texts: ['Grüße\nTim\n'], defects: 0 });
  expect(message.eightBit).toBe(false);
  const coded = original(ORDINARY.replace('birdseed', '=?iso-8859-1?Q?K=F6rner?='));
  expect(decodeHeader(field(vacationReply(AWAY, coded, OWNER, '', STAMP).message, 'Subject') ?? '')).toBe(
    'Auto: Körner',
  );
  const bare = original(ORDINARY.replace('Subject: birdseed\r\n', ''));
  expect(field(vacationReply(AWAY, bare, OWNER, '', STAMP).message, 'Subject')).toBe('Automated reply');
});

test('vacation :mime brings its own type, and no field that is none of the body', () => {
  const reason =
    'Content-Type: multipart/alternative; boundary=foo\nBcc: victim@example.org\nSubject: x\n\n--foo\n\n' +
    'I am away.\n--foo--\n';
  const { message } = vacationReply({ ...AWAY, mime: true, reason }, original(ORDINARY), OWNER, '', STAMP);
  expect(asPythonReads(message)).toMatchObject({
    types: ['multipart/alternative', 'text/plain'],
    defects: 0,
  });
  expect(field(message, 'Bcc')).toBeNull();
  expect(field(message, 'Subject')).toBe('Auto: birdseed');
  const plain = vacationReply(
    { ...AWAY, mime: true, reason: 'Just text' },
    original(ORDINARY),
    OWNER,
    '',
    STAMP,
  );
  expect(text(plain.message)).toEndWith('Just text\r\n');
});

test('vacation: what strangers wrote into subject, ids and addresses cannot add a field', () => {
  const evil = original(
    'Subject: =?UTF-8?Q?x=0D=0ABcc:_victim@example.org?=\r\nMessage-ID: <a\tb@c> <d@e\0>\r\n\r\n',
    { sender: 'x@y\r\nBcc: victim@example.org' },
  );
  const { message } = vacationReply({ ...AWAY, subject: null }, evil, OWNER, '', STAMP);
  expect(asPythonReads(message).names).toEqual([
    'From',
    'To',
    'Subject',
    'Date',
    'Message-ID',
    'Auto-Submitted',
    'Precedence',
    'X-Auto-Response-Suppress',
    'MIME-Version',
    'Content-Type',
    'Content-Transfer-Encoding',
  ]);
});

test('an address beyond ASCII makes the message one for SMTPUTF8', () => {
  const { message } = vacationReply(
    AWAY,
    original(ORDINARY, { sender: 'grün@example.org' }),
    OWNER,
    '',
    STAMP,
  );
  expect([message.smtputf8, message.eightBit]).toEqual([true, true]);
});

test('reject is a failure MDN with the reason and the message', () => {
  const { envelope, message } = rejectionMdn(REJECTION);
  expect(asPythonReads(message)).toMatchObject({
    types: [
      'multipart/report',
      'text/plain',
      'message/disposition-notification',
      'text/plain',
      'message/rfc822',
      'text/plain',
    ],
    defects: 0,
  });
  expect(field(message, 'Content-Type')).toStartWith(
    'multipart/report; report-type=disposition-notification;',
  );
  const all = text(message);
  expect(all).toContain('The reason given is:\r\n\r\nNo birdseed!\r\n');
  expect(all).toContain('Disposition: automatic-action/MDN-sent-automatically; deleted\r\n');
  expect(all).toContain(
    'Final-Recipient: rfc822; tjs@example.edu\r\nOriginal-Message-ID: <1@desert.example.org>\r\n',
  );
  expect(all).toContain('\r\n\r\nWant some?\r\n');
  expect(envelope.sender).toBe('');
});

test('ereject by mail is a DSN', () => {
  const { message } = rejectionDsn({ ...REJECTION, reason: 'Kein Körnerfutter' });
  const { types, texts, defects } = asPythonReads(message);
  expect(types[2]).toBe('message/delivery-status');
  expect(texts[0]).toContain('Kein Körnerfutter');
  expect(defects).toBe(0);
  expect(text(message)).toMatch(
    /Reporting-MTA: dns; imap\.example\.org\r\nArrival-Date: [^\r]+\r\n\r\nFinal-Recipient: /,
  );
  expect(text(message)).toContain('Action: failed\r\nStatus: 5.7.1\r\n');
});

test('a report about an address beyond ASCII, and one about a message that is too large to return', () => {
  const { message } = rejectionDsn({
    ...REJECTION,
    original: original(ORDINARY, { recipient: 'grün@example.org', whole: null }),
  });
  const all = Buffer.from(text(message), 'latin1').toString('utf8');
  expect(all).toContain('Content-Type: message/global-delivery-status\r\n');
  expect(all).toContain('Final-Recipient: utf-8; grün@example.org\r\n');
  expect(all).toContain('Content-Type: text/rfc822-headers\r\n');
  expect(all).not.toContain('Want some?');
});

test('a message that holds the boundary of its report does not end a part', () => {
  const whole = Buffer.from(`${ORDINARY}--=_id1\r\n\r\n--=_id1--\r\n`, 'latin1');
  const { message } = rejectionMdn({ ...REJECTION, original: original(ORDINARY, { whole }) });
  expect(asPythonReads(message).types.slice(0, 5)).toEqual([
    'multipart/report',
    'text/plain',
    'message/disposition-notification',
    'text/plain',
    'message/rfc822',
  ]);
});

test('redirect: the same fields but Return-Path, and who did it in front', () => {
  const forwarded = (text: string, owner: string) =>
    Buffer.concat(redirected([Buffer.from(text)], owner)).toString();
  const header = forwarded(ORDINARY, 'tjs@example.edu');
  expect(header).toBe(
    `X-Sieve-Redirected-From: tjs@example.edu\r\n${ORDINARY.slice(ORDINARY.indexOf('Received:'))}`,
  );
  expect(wasRedirectedBy(Buffer.from(header), 'TJS@example.edu')).toBe(true);
  expect(wasRedirectedBy(Buffer.from(header), 'other@example.edu')).toBe(false);
  expect(wasRedirectedBy(Buffer.from(ORDINARY), 'tjs@example.edu')).toBe(false);
  const again = forwarded(header, 'other@example.edu');
  expect(wasRedirectedBy(Buffer.from(again), 'tjs@example.edu')).toBe(true);
  expect(forwarded('A: b\r\n\r\nbody', 'x\r\nBcc: y')).toBe(
    'X-Sieve-Redirected-From: x Bcc: y\r\nA: b\r\n\r\nbody',
  );
});

test('notify: the example of RFC 5436 §3', () => {
  const triggering = 'Return-Path: <knitting-bounces@example.com>\r\n' +
    'Received: from mail.example.com by mail.example.org\r\n  for <recipient@example.org>; Wed, 7 Dec 2005 05:08:02 -0500\r\n' +
    'Received: from hobbies.example.com by mail.example.com\r\n  for <knitting@example.com>; Wed, 7 Dec 2005 02:00:26 -0800\r\n' +
    'Message-ID: <1234567.89ABCDEF@example.com>\r\nSubject: [Knitting] A new sweater\r\n\r\n';
  const words = {
    ...NOTIFY,
    to: [named('0123456789@sms.example.net'), named('backup@example.com')],
    subject: 'From Knitting list: A new sweater',
  };
  const owner = { name: '', address: 'recipient@example.org' };
  const about = original(triggering, { sender: 'knitting-bounces@example.com' });
  const { envelope, message } = notification(words, about, owner, STAMP);
  expect(text(message)).toStartWith(
    'Auto-Submitted: auto-notified; owner-email="recipient@example.org"\r\n' +
      'Received: from mail.example.com by mail.example.org\r\n  for <recipient@example.org>; Wed, 7 Dec 2005 05:08:02 -0500\r\n' +
      'Received: from hobbies.example.com by mail.example.com\r\n  for <knitting@example.com>; Wed, 7 Dec 2005 02:00:26 -0800\r\n' +
      `Date: ${messageDate(STAMP.now)}\r\nMessage-ID: <id-1@imap.example.org>\r\n` +
      'From: recipient@example.org\r\nTo: 0123456789@sms.example.net, backup@example.com\r\n' +
      'Subject: From Knitting list: A new sweater\r\nReferences: <1234567.89ABCDEF@example.com>\r\n',
  );
  expect(envelope).toEqual({
    sender: 'recipient@example.org',
    recipients: [{ address: '0123456789@sms.example.net' }, { address: 'backup@example.com' }],
  });
});

test('notify: a URI cannot say who it is from, hide where it came from, or add a field', () => {
  const fields = [
    ['From', 'evil@example.org'],
    ['auto-submitted', 'no'],
    ['Received', 'x'],
    ['Message-ID', '<x@y>'],
    ['X-Tag', 'blue\r\nBcc: victim@example.org'],
    ['Bad\r\nBcc', 'x'],
    ['content-type', 'text/html'],
  ] as const;
  const { message } = notification({ ...NOTIFY, fields, body: 'Hi' }, original(ORDINARY), OWNER, STAMP);
  expect(asPythonReads(message).names).toEqual([
    'Auto-Submitted',
    'Received',
    'Date',
    'Message-ID',
    'From',
    'To',
    'Subject',
    'References',
    'Importance',
    'X-Priority',
    'X-Sieve',
    'X-Tag',
    'MIME-Version',
    'Content-Type',
    'Content-Transfer-Encoding',
  ]);
  expect(field(message, 'X-Tag')).toBe('blue Bcc: victim@example.org');
});

test('notify: importance, Cc and Bcc, no subject, a bounce', () => {
  const words = { ...NOTIFY, cc: [named('c@x')], bcc: [named('b@x'), named('c@x')], importance: 1 as const };
  const { envelope, message } = notification(words, original(ORDINARY, { sender: '' }), OWNER, STAMP);
  expect(envelope).toEqual({
    sender: '',
    recipients: [{ address: '0123456789@sms.example.net' }, { address: 'c@x' }, { address: 'b@x' }],
  });
  expect([field(message, 'Importance'), field(message, 'Cc'), field(message, 'Bcc')]).toEqual([
    'high',
    'c@x',
    null,
  ]);
  expect(field(message, 'Subject')).toBe('birdseed');
  expect(text(message)).toContain('\r\n\r\nFrom: Wile E. Coyote <coyote@desert.example.org>\r\n');
});

test('report: RFC 5965, with the message or its header', () => {
  const words = { feedback: 'abuse', text: 'spam', to: 'abuse@example.net', headersOnly: false, from: null };
  const { message } = abuseReport(words, original(ORDINARY), OWNER, STAMP);
  expect(asPythonReads(message).types.slice(0, 4)).toEqual([
    'multipart/report',
    'text/plain',
    'message/feedback-report',
    // That is how it reads the fields of the report.
    'text/plain',
  ]);
  expect(text(message)).toContain('Feedback-Type: abuse\r\nUser-Agent: mailstore\r\nVersion: 1\r\n');
  const short = abuseReport(
    { ...words, headersOnly: true, feedback: 'not spam\r\nX: y' },
    original(ORDINARY),
    OWNER,
    STAMP,
  );
  expect(text(short.message)).toContain('Content-Type: text/rfc822-headers\r\n');
  expect(text(short.message)).toContain('Feedback-Type: notspamXy\r\n');
});

test('the notice names script, line and message', () => {
  const message = scriptNotice(
    'main, line 3: too many actions\r\nX: y',
    original(ORDINARY),
    'tjs',
    'postmaster',
    STAMP,
  );
  expect(text(message)).toContain('\r\n  main, line 3: too many actions X: y\r\n');
  expect(text(message)).toContain('  Subject: birdseed\r\n');
  expect(field(message, 'Auto-Submitted')).toBe('auto-generated (sieve error)');
});

test('text of any kind is a part whose lines end with CRLF', () => {
  expect(textEntity('a\nb\rc\r\nd')).toEqual({
    fields: 'Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n',
    body: 'a\r\nb\r\nc\r\nd\r\n',
  });
  expect(textEntity('x'.repeat(2000)).body.split('\r\n').every((line) => line.length <= 76)).toBe(true);
  expect(textEntity('').body).toBe('');
});
