import { describe, expect, test } from 'bun:test';
import {
  astring,
  mailboxName,
  quoted,
  quotedMailboxName,
  utf8Bytes,
} from '../../../src/imap/write/string.ts';

describe('strings', () => {
  test.each([
    ['abc', 'abc'],
    ['', '""'],
    ['NIL', '"NIL"'],
    ['nil', '"nil"'],
    ['a b', '"a b"'],
    ['a"b\\c', '"a\\"b\\\\c"'],
    ['a]b', '"a]b"'],
    ['x*', '"x*"'],
    ['a\r\nb', '{4}\r\na\r\nb'],
    ['ü', '{2}\r\n\xc3\xbc'],
  ])('astring of %j', (text, written) => {
    expect(astring(text)).toBe(written);
  });

  test('quoted escapes what it must', () => {
    expect(quoted('a"b\\c')).toBe('"a\\"b\\\\c"');
    expect(quoted('/')).toBe('"/"');
  });

  test('utf8Bytes', () => {
    expect(utf8Bytes('aü😀')).toBe('a\xc3\xbc\xf0\x9f\x98\x80');
  });
});

describe('mailbox names', () => {
  test('by the mode of the connection (RFC 9051 §5.1)', () => {
    expect(mailboxName('Entwürfe', false)).toBe('Entw&APw-rfe');
    expect(mailboxName('Entwürfe', true)).toBe('"Entw\xc3\xbcrfe"');
    expect(mailboxName('R&D', false)).toBe('R&-D');
    expect(mailboxName('R&D', true)).toBe('R&D');
    expect(mailboxName('a b', false)).toBe('"a b"');
    expect(mailboxName('', false)).toBe('""');
    expect(mailboxName('NIL', false)).toBe('"NIL"');
  });

  test('always quoted for LIST, as Cyrus does', () => {
    expect(quotedMailboxName('INBOX', false)).toBe('"INBOX"');
    expect(quotedMailboxName('a "b"', false)).toBe('"a \\"b\\""');
  });
});
