/** What body tests see (RFC 5173 §5). */

import { expect, test } from 'bun:test';
import { limits } from '../../../src/limits.ts';
import { Mail } from '../../../src/sieve/mail/mail.ts';
import { fromOctets } from '../../../src/sieve/octets.ts';
import { atOnce } from '../../../src/sieve/slices.ts';

function mail(text: string): Mail {
  return new Mail(Buffer.from(text.replace(/\r?\n/g, '\r\n')));
}

function content(message: Mail, ...types: string[]): string[] {
  return atOnce(message.contentBody(types)).map(fromOctets);
}

/** The example of RFC 5173 §5.2. */
const NESTED = `From: Whomever
To: Someone
Date: Whenever
Subject: whatever
Content-Type: multipart/mixed; boundary=outer

This is a multi-part message in MIME format.

--outer
Content-Type: multipart/alternative; boundary=inner

This is a nested multi-part message in MIME format.

--inner
Content-Type: text/plain; charset="us-ascii"

Hello

--inner
Content-Type: text/html; charset="us-ascii"

<html><body>Hello</body></html>

--inner--

This is the end of the inner MIME multipart.

--outer
Content-Type: message/rfc822

From: Someone Else
Subject: hello request

Please say Hello

--outer--

This is the end of the outer MIME multipart.
`;

test('the example of RFC 5173 §5.2', () => {
  const message = mail(NESTED);
  expect(content(message, 'multipart')).toEqual([
    'This is a multi-part message in MIME format.\r\n',
    '\r\nThis is the end of the outer MIME multipart.\r\n',
    'This is a nested multi-part message in MIME format.\r\n',
    '\r\nThis is the end of the inner MIME multipart.\r\n',
  ]);
  expect(content(message, 'text/plain')).toEqual(['Hello\r\n', 'Please say Hello\r\n']);
  expect(content(message, 'text/html')).toEqual(['<html><body>Hello</body></html>\r\n']);
  expect(content(message, 'TEXT')).toHaveLength(3);
  expect(content(message, 'message/rfc822')).toEqual(['From: Someone Else\r\nSubject: hello request\r\n']);
  expect(content(message, '')).toHaveLength(8);
  expect(atOnce(message.textBody())).toEqual(['Hello\r\n', 'Hello', 'Please say Hello\r\n']);
  expect(message.rawBody()[0]).toContain('--inner--\r\n');
});

test('a type that begins or ends with a slash, or has two, is none', () => {
  for (const type of ['/text', 'text/', 'text/plain/', '/', 'text//plain']) {
    expect(content(mail(NESTED), type)).toEqual([]);
  }
  expect(content(mail('Content-Type: text/plain/stupid\n\nx'), 'text/plain', 'text')).toEqual([]);
});

test('transfer encodings and charsets are undone; an unknown encoding hides a text', () => {
  const encoded = (fields: string, body: string) => mail(`${fields}\n\n${body}`);
  expect(
    content(
      encoded(
        'Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable',
        'M=FCll',
      ),
      'text',
    ),
  )
    .toEqual(['Müll']);
  expect(content(encoded('Content-Transfer-Encoding: base64', 'SGVsbG8gd29ybGQ='), 'text')).toEqual([
    'Hello world',
  ]);
  expect(atOnce(encoded('Content-Transfer-Encoding: multipart/related', 'Hello').textBody())).toEqual([]);
});

test('a message that ends with its header has no body, not even an empty one', () => {
  const none = mail('Subject: x\n');
  expect([none.rawBody(), atOnce(none.textBody()), atOnce(none.contentBody(['']))]).toEqual([[], [], []]);
  const empty = mail('Subject: x\n\n');
  expect([empty.rawBody(), atOnce(empty.textBody()), atOnce(empty.contentBody(['']))]).toEqual([[''], [''], [
    '',
  ]]);
});

test('no more of a body is looked at than the bound says', () => {
  const bound = limits.sieve_body.value;
  const large = new Mail(Buffer.concat([Buffer.from('Subject: x\r\n\r\n'), Buffer.alloc(bound + 1000, 'a')]));
  expect(large.rawBody()[0]?.length).toBe(bound);
  expect(atOnce(large.textBody())[0]?.length).toBe(bound);
  const parts = `Content-Type: multipart/mixed; boundary=a\n\n${
    `--a\n\n${'b'.repeat(bound / 4)}\n`.repeat(6)
  }--a--\n`;
  expect(atOnce(mail(parts).textBody()).map((text) => text.length)).toEqual([
    ...Array(4).fill(bound / 4),
    0,
    0,
  ]);
});

test('a multipart/digest holds messages by default', () => {
  const digest = mail(`Content-Type: multipart/digest; boundary=a

--a

Subject: one

Hello
--a--
`);
  expect(content(digest, 'message')).toEqual(['Subject: one\r\n']);
  expect(content(digest, 'text')).toEqual(['Hello']);
});
