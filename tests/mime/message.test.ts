import { expect, test } from 'bun:test';
import { bodyFromStructure, messageIds, parseMessage } from '../../src/mime/message.ts';
import { imapString, nstring } from '../../src/mime/nstring.ts';
import { type Data, readData } from './list.ts';

const bytes = (...lines: string[]): Buffer => Buffer.from(lines.join('\r\n'), 'latin1');
const structure = (...lines: string[]): string =>
  bodyFromStructure(parseMessage(bytes(...lines)).bodystructure);

test('what is kept for sorting, threading and tracing', () => {
  const parsed = parseMessage(bytes(
    'Message-ID: <a@b> (comment)',
    'In-Reply-To: Your message <1@x>',
    'References: <1@x>',
    '\t<2@x> <> <3@x',
    'Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=',
    'From: friends: Hans <hans@example.org>;, other@example.org',
    'To: a@b, c@d',
    'Date: Mon, 7 Feb 1994 21:52:25 -0800',
    '',
    'one',
    'two',
  ));
  expect(parsed).toMatchObject({
    messageId: '<a@b>',
    inReplyTo: ['<1@x>'],
    references: ['<1@x>', '<2@x>'],
    subject: '=?utf-8?q?gr=C3=BC=C3=9Fe?=',
    from: { name: 'Hans', mailbox: 'hans', host: 'example.org' },
    to: { name: null, mailbox: 'a', host: 'b' },
    cc: null,
    sentDate: Date.UTC(1994, 1, 8, 5, 52, 25) / 1000,
    lines: 1,
  });
});

test('absent and unusable fields', () => {
  const nothing = {
    messageId: null,
    inReplyTo: [],
    references: [],
    subject: null,
    from: null,
    sentDate: null,
  };
  expect(parseMessage(bytes('', 'x'))).toMatchObject(nothing);
  expect(parseMessage(bytes('Message-ID:', 'Subject: ', 'Date: soon', 'From: ,', '', ''))).toMatchObject({
    ...nothing,
    subject: '',
  });
  expect(parseMessage(bytes('Message-ID: no brackets', '', '')).messageId).toBe('no brackets');
});

test('message ids are what stands in angle brackets', () => {
  expect(messageIds('a <1@x>, <<2@x>> <> < 3 >')).toEqual(['<1@x>', '<2@x>', '< 3 >']);
  expect(messageIds(null)).toEqual([]);
});

test('RFC 5322 appendix A.6.3: blanks before the colon, comments everywhere', () => {
  const parsed = parseMessage(bytes(
    'From  : John Doe <jdoe@machine(comment).  example>',
    'To    : Mary Smith',
    '  ',
    '          <mary@example.net>',
    'Subject     : Saying Hello',
    'Date  : Fri, 21 Nov 1997 09(comment):   55  :  06 -0600',
    'Message-ID  : <1234   @   local(blah)  .machine .example>',
    '',
    'This is a message just to say hello.',
  ));
  const [date, subject, from, , , to] = readData(parsed.envelope) as Data[];
  expect([date, subject]).toEqual(['Fri, 21 Nov 1997 09(comment):   55  :  06 -0600', 'Saying Hello']);
  expect([from, to]).toEqual([
    [['John Doe', null, 'jdoe', 'machine.example']],
    [['Mary Smith', null, 'mary', 'example.net']],
  ]);
  expect(parsed.sentDate).toBe(Date.UTC(1997, 10, 21, 15, 55, 6) / 1000);
});

test('a field is known by its whole name only', () => {
  const parsed = parseMessage(
    bytes('In\rReply-To: <1@x>', 'Subject-X: no', 'XSubject: no', 'Subj: no', 'To', '', ''),
  );
  expect(parsed.envelope).toBe('(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)');
});

test('an enclosing delimiter ends what is inside (RFC 2046 §5.1.2)', () => {
  // The inner multipart is never closed; its delimiter means nothing after that.
  expect(structure(
    'Content-Type: multipart/mixed; boundary=out',
    '',
    '--out',
    'Content-Type: multipart/alternative; boundary=in',
    '',
    '--in',
    '',
    'one',
    '--out',
    '',
    '--in',
    'two',
    '--out--',
  )).toBe(
    '((("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 3 0) "ALTERNATIVE")' +
      '("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 9 1) "MIXED")',
  );
});

test('of two open multiparts with one boundary it is the outer one that has it', () => {
  expect(structure(
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: multipart/alternative; boundary=b',
    '',
    '--b',
    '',
    'one',
    '--b--',
  )).toBe(
    '((("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 0 0) "ALTERNATIVE")' +
      '("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 3 0) "MIXED")',
  );
});

test('extension data: languages, a folded location, dispositions', () => {
  const extension = (...lines: string[]) =>
    (readData(parseMessage(bytes(...lines, '', '')).bodystructure) as Data[]).slice(8);
  expect(extension('Content-Language: de (German), en')).toEqual([null, null, ['de', 'en'], null]);
  expect(extension('Content-Language: ')).toEqual([null, null, null, null]);
  // RFC 2557 §4.4.1: blanks in a folded URI are not part of it.
  expect(extension('Content-Location: http://x.example/', '  path')[3]).toBe('http://x.example/path');
  expect(extension('Content-Disposition: attachment; filename="\xe4"')[1]).toEqual(['ATTACHMENT', [
    'FILENAME',
    '\xe4',
  ]]);
  expect(extension('Content-Disposition: ;')[1]).toBeNull();
});

test('encodings: comments, quotes, words nobody knows', () => {
  const encoding = (value: string) =>
    (readData(parseMessage(bytes(`Content-Transfer-Encoding: ${value}`, '', '')).bodystructure) as Data[])[5];
  expect(encoding('base64 (really)')).toBe('BASE64');
  expect(encoding('"quoted-printable";')).toBe('QUOTED-PRINTABLE');
  expect(encoding('')).toBe('7BIT');
  // Upper case of ASCII only: \xff and \xb5 have capitals that are no bytes.
  expect(encoding('uu\xff\xb5\xdf')).toBe('UU\xff\xb5\xdf');
  const odd = parseMessage(bytes('Content-Type: a\xff/b\xb5; c\xdf=d', '', '')).bodystructure;
  expect((readData(odd) as Data[]).slice(0, 3)).toEqual(['A\xff', 'B\xb5', ['C\xdf', 'd']]);
});

test('strings as IMAP writes them (RFC 9051 §4.3)', () => {
  expect(imapString('')).toBe('""');
  expect(imapString('a "b" \\c')).toBe('"a \\"b\\" \\\\c"');
  expect(imapString('a\xe4')).toBe('{2}\r\na\xe4');
  expect(imapString('a\0\r\n')).toBe('{4}\r\na \r\n');
  expect(imapString('x'.repeat(1025))).toBe(`{1025}\r\n${'x'.repeat(1025)}`);
  expect(nstring(null)).toBe('NIL');
});
