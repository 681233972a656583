/** Messages that scripts change: header fields (RFC 5293), parts and enclosure (RFC 5703). */

import { expect, test } from 'bun:test';
import { Mail } from '../../../src/sieve/mail/mail.ts';
import { allParts } from '../../../src/sieve/mail/part.ts';
import { textEntity } from '../../../src/sieve/mail/compose.ts';
import { toOctets } from '../../../src/sieve/octets.ts';
import { forSeeds } from '../../mime/random.ts';
import { atOnce } from '../../../src/sieve/slices.ts';

function mail(text: string): Mail {
  return new Mail(Buffer.from(text.replace(/\r?\n/g, '\r\n')));
}

function text(message: Mail): string {
  return Buffer.from(message.bytes()).toString();
}

const PLAIN = 'Received: a\n b\nX-A: 1\nx-a: 2\nSubject: =?UTF-8?Q?=C3=A4?=\n\nHello\n';

test('nothing is changed as long as nobody does', () => {
  const bytes = Buffer.from(PLAIN);
  const message = new Mail(bytes);
  message.fields('subject');
  message.root;
  expect(message.content()).toBeNull();
  expect(message.bytes()).toBe(bytes);
});

test('fields are added at the top or at the end and seen at once; the others keep their bytes', () => {
  const message = mail(PLAIN);
  message.editHeader().add('X-New', 'first', false);
  message.editHeader().add('X-A', toOctets('größer'), true);
  expect(text(message)).toBe(
    'X-New: first\r\nReceived: a\r\n b\r\nX-A: 1\r\nx-a: 2\r\nSubject: =?UTF-8?Q?=C3=A4?=\r\n' +
      'X-A: =?UTF-8?Q?gr=C3=B6=C3=9Fer?=\r\n\r\nHello\r\n',
  );
  expect(message.fields('x-a').values.items).toEqual(['1', '2', toOctets('größer')]);
  expect(message.fields('x-new').raw).toEqual(['first']);
});

test('fields are deleted by their number', () => {
  const message = mail(PLAIN);
  message.editHeader().delete('x-a', (index) => index === 1);
  expect(message.fields('x-a').raw).toEqual(['1']);
  expect(text(message)).toContain('X-A: 1\r\nSubject');
  message.editHeader().delete('x-a', () => true);
  expect(message.fields('x-a').raw).toEqual([]);
});

test('a value cannot bring a field of its own about', () => {
  const message = mail(PLAIN);
  message.editHeader().add('X-New', 'a\r\nBcc: me\n\r\0x', false);
  expect(text(message).split('\r\n').slice(0, 2)).toEqual(['X-New: a Bcc: me x', 'Received: a']);
});

test('a header without an empty line, or without a line end, gets a field on a line of its own', () => {
  const message = mail('Subject: x');
  message.editHeader().add('X-A', '1', true);
  expect(text(message)).toBe('Subject: x\r\nX-A: 1\r\n');
});

const MULTIPART = `Subject: parts
Content-Type: multipart/mixed; boundary=a

before
--a
Content-Type: multipart/alternative; boundary=b

--b

one
--b
Content-Type: text/html

<p>two</p>
--b--
--a
Content-Type: application/x-bad

three
--a--
behind
`;

test('a part is replaced where it stands, and everything around it stays', () => {
  const message = mail(MULTIPART);
  const [, , one, , three] = [...allParts(message.root)];
  three?.replace(Buffer.from(textEntity('Removed: grün\n')));
  one?.replace(Buffer.from(textEntity('new')));
  expect(text(message)).toBe(
    MULTIPART.replaceAll('\n', '\r\n')
      .replace('--b\r\n\r\none', '--b\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nnew')
      .replace(
        'Content-Type: application/x-bad\r\n\r\nthree',
        'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nRemoved: gr=C3=BCn\r\n',
      ),
  );
  expect(atOnce(message.textBody())).toEqual(['new', 'two', toOctets('Removed: grün\r\n')]);
  expect(atOnce(new Mail(message.bytes()).textBody())).toEqual(atOnce(message.textBody()));
});

test('a multipart is replaced with all that is in it; what replaces it can have parts that are replaced', () => {
  const message = mail(MULTIPART);
  const inner = [...allParts(message.root)][1];
  inner?.replace(
    Buffer.from('Content-Type: multipart/x; boundary=c\r\n\r\n--c\r\n\r\nA\r\n--c\r\n\r\nB\r\n--c--'),
  );
  const parts = [...allParts(message.root)];
  expect(parts).toHaveLength(5);
  parts[3]?.replace(Buffer.from('\r\nC'));
  expect(atOnce(message.textBody())).toEqual(['A', 'C']);
  expect(atOnce(new Mail(message.bytes()).textBody())).toEqual(['A', 'C']);
  expect(text(message)).not.toContain('--b');
});

test('replacing all keeps the header but for what the content says, and the old Subject and From under other names', () => {
  const message = mail(
    'From: a@example.com\nSubject: old\nMIME-Version: 1.0\nContent-Type: text/html\nX-A: 1\n\n<p>x\n',
  );
  message.replaceAll(Buffer.from(textEntity('new')), { subject: 'größer', from: 'b@example.com' });
  expect(text(message)).toBe(
    'X-A: 1\r\nSubject: =?UTF-8?Q?gr=C3=B6=C3=9Fer?=\r\nOriginal-Subject: old\r\nFrom: b@example.com\r\n' +
      'Original-From: a@example.com\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nnew',
  );
  expect(message.fields('subject').values.items).toEqual([toOctets('größer')]);
  expect(atOnce(message.textBody())).toEqual(['new']);
});

test('an enclosed message is whole in the new one, with what was changed before', () => {
  const message = mail(
    'From: a@example.com\nTo: b@example.com\nDate: Mon, 1 Jan 2001 00:00:00 +0000\nSubject: old\n\nHällo\n',
  );
  message.editHeader().add('X-A', '1', false);
  const before = message.bytes();
  const by = { from: 'owner@example.com', date: new Date(0) };
  message.enclose({ subject: 'Warning', names: ['to'], text: 'Look out\n', ...by });
  expect(message.fields('subject').raw).toEqual(['Warning']);
  expect(message.fields('to').raw).toEqual(['b@example.com']);
  expect(message.fields('from').raw).toEqual(['<owner@example.com>']);
  expect(message.fields('date').raw[0]).toMatch(/ 19(?:69|70) /);
  expect(message.fields('x-a').raw).toEqual([]);
  const [root, note, attached] = [...allParts(message.root)];
  expect(root?.type).toEqual({ type: 'multipart', subtype: 'mixed', charset: null });
  expect(Buffer.from(note?.body ?? []).toString()).toBe('Look out\r\n');
  expect(attached?.type.subtype).toBe('rfc822');
  expect(Buffer.from(attached?.body ?? [])).toEqual(Buffer.from(before));
  expect(Buffer.concat([...message.forwarded() ?? []])).toEqual(Buffer.from(before));
  message.enclose({ subject: null, names: ['from', 'date'], text: 'x', ...by });
  expect(message.fields('subject').raw).toEqual(['Warning']);
  expect(message.fields('from').raw).toEqual(['<owner@example.com>']);
  expect([...allParts(message.root)].length).toBe(7);
});

test('any edits give a message that reads as the view of it said', () => {
  forSeeds(500, (random) => {
    const message = mail(random.pick([PLAIN, MULTIPART, 'Subject: x\n', '\nbody', '']));
    for (let n = random.below(6); n > 0; n--) {
      const name = random.pick(['X-A', 'Subject', 'X-New']);
      const value = toOctets(random.text('aä€ \n=?', 30));
      switch (random.below(4)) {
        case 0:
          message.editHeader().delete(name.toLowerCase(), () => random.once(2));
          break;
        case 1: {
          const parts = [...allParts(message.root)].slice(1);
          if (parts.length > 0) {
            random.pick(parts).replace(Buffer.from(textEntity(random.text('aä\n', 9))));
          }
          break;
        }
        default:
          message.editHeader().add(name, value, random.once(2));
      }
    }
    const again = new Mail(message.bytes());
    for (const name of ['x-a', 'subject', 'x-new']) {
      expect(again.fields(name).values.items).toEqual(message.fields(name).values.items);
    }
    expect(atOnce(again.textBody())).toEqual(atOnce(message.textBody()));
  });
});

test('size is that of the changed message', () => {
  const message = mail(PLAIN);
  message.editHeader().add('X', 'y', false);
  expect(message.size).toBe(PLAIN.replaceAll('\n', '\r\n').length + 'X: y\r\n'.length);
});
