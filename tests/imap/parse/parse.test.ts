/** Commands as clients and the RFCs write them, and what the parser makes of them. */

import { describe, expect, test } from 'bun:test';
import { MailError } from '../../../src/errors.ts';
import type { Command, ParseMode } from '../../../src/imap/parse/command.ts';
import { isCommandName, parseCommand } from '../../../src/imap/parse/parse.ts';
import { receive } from './client.ts';

const REV1: ParseMode = { utf8: false, searchres: true };

function parse(text: string, mode = REV1): Command {
  const { commands, events } = receive(`a ${text}\r\n`);
  const command = commands[0];
  if (command === undefined) throw new Error(`no command: ${events.join()}`);
  return parseCommand(command, mode);
}

function failure(text: string, mode = REV1): MailError {
  try {
    parse(text, mode);
  } catch (thrown) {
    if (thrown instanceof MailError) return thrown;
    throw thrown;
  }
  throw new Error(`accepted: ${text}`);
}

describe('what clients send', () => {
  test('spaces typed behind a command', () => {
    for (
      const text of [
        'noop ',
        'select INBOX ',
        'search all  ',
        'store 1 flags x ',
        'enable X ',
        'authenticate PLAIN ',
      ]
    ) {
      expect(() => parse(text)).not.toThrow();
    }
  });

  test('the transcripts of the how-to', () => {
    expect(parse('LIST "" *')).toMatchObject({
      name: 'LIST',
      reference: '',
      patterns: ['*'],
      extended: false,
    });
    expect(parse('SELECT INBOX')).toEqual({ name: 'SELECT', mailbox: 'INBOX', condstore: false });
    expect(parse('STATUS INBOX (messages)')).toEqual({
      name: 'STATUS',
      mailbox: 'INBOX',
      items: ['MESSAGES'],
    });
    expect(parse('UID FETCH 1 (FLAGS UID RFC822.SIZE BODY[])')).toMatchObject({ name: 'FETCH', uid: true });
  });

  test('Thunderbird, imaplib, mutt and mbsync', () => {
    expect(
      parse(
        'UID fetch 1:* (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID)])',
      ),
    ).toMatchObject({
      items: [{ field: 'UID' }, { field: 'RFC822.SIZE' }, { field: 'FLAGS' }, { kind: 'section' }],
    });
    expect(parse("FETCH 1 '(RFC822)'".replaceAll("'", ''))).toMatchObject({
      items: [{ label: 'RFC822', text: '', peek: false }],
    });
    expect(parse('LIST (SUBSCRIBED) "" "*" RETURN (SPECIAL-USE)')).toMatchObject({
      select: { subscribed: true },
      returns: { subscribed: true, specialUse: true },
    });
    expect(parse('UID STORE 5 +FLAGS.SILENT (\\Deleted)')).toMatchObject({ mode: 'add', silent: true });
    expect(parse('APPEND "Sent" (\\Seen) "01-Feb-2026 10:00:00 +0100" {3+}\r\nabc')).toMatchObject({
      messages: [{ internaldate: { time: Date.UTC(2026, 1, 1, 9) / 1000, zone: 60 } }],
    });
  });

  test('INBOX in any case, but not names that begin so', () => {
    for (const name of ['inbox', '"iNbOx"', '{5+}\r\nInbox']) {
      expect(parse(`select ${name}`)).toMatchObject({ mailbox: 'INBOX' });
    }
    expect(parse('select inboxes')).toMatchObject({ mailbox: 'inboxes' });
  });
});

describe('FETCH', () => {
  test('macros (RFC 9051 §6.4.5)', () => {
    const fields = (text: string) => {
      const command = parse(text);
      return command.name === 'FETCH'
        ? command.items.map((item) => item.kind === 'field' ? item.field : item.label)
        : [];
    };
    expect(fields('fetch 1 fast')).toEqual(['FLAGS', 'INTERNALDATE', 'RFC822.SIZE']);
    expect(fields('fetch 1 ALL')).toEqual(['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE']);
    expect(fields('uid fetch 1 full')).toEqual([
      'UID',
      'FLAGS',
      'INTERNALDATE',
      'RFC822.SIZE',
      'ENVELOPE',
      'BODY',
    ]);
    expect(failure('fetch 1 (fast)').kind).toBe('syntax');
    expect(fields('fetch 1 (body[1] uid body[1] uid body[1]<0.5> body[1]<0.6>)'))
      .toEqual(['BODY[1]', 'UID', 'BODY[1]<0>', 'BODY[1]<0>']);
  });

  test('the names in the answer', () => {
    const label = (item: string) => {
      const command = parse(`fetch 1 ${item}`);
      const first = command.name === 'FETCH' ? command.items[0] : undefined;
      return first === undefined || first.kind === 'field' ? first?.field : first.label;
    };
    expect(label('body.peek[]')).toBe('BODY[]');
    expect(label('body[1.2.mime]<10.20>')).toBe('BODY[1.2.MIME]<10>');
    expect(label('body[header.fields (from "X-\\"a")]')).toBe('BODY[HEADER.FIELDS (from "X-\\"a")]');
    expect(label('binary.peek[2]<0.9>')).toBe('BINARY[2]<0>');
    expect(label('binary.size[]')).toBe('BINARY.SIZE[]');
    expect(label('rfc822.header')).toBe('RFC822.HEADER');
  });

  test.each([
    '1',
    '1 ()',
    '1 body[',
    '1 body[mime]',
    '1 body[0]',
    '1 body[1.]',
    '1 body[1header]',
    '1 body[1',
    '1 binary[1x]',
    '1 body[1..2]',
    '1 body[.1]',
    '1 body[header.fields]',
    '1 body[header.fields ()]',
    '1 body[header.fields (a:b)]',
    '1 body[header.fields ({4+}\r\na\r\nb)]',
    '1 body[text]<0.0>',
    '1 body[text]<5>',
    '1 body[text]<1.2',
    '1 binary[1.text]',
    '1 binary',
    '1 body.peek',
    '1 bodystructures',
    '1 flags uid',
    '1 (flags  uid)',
    '1 (flags) (vanished)',
    '1 (flags) ()x',
    '1 flags (changedsince 1 changedsince 2)',
    '0 flags',
    '1,x flags',
  ])('%j is a syntax error', (rest) => {
    expect(failure(`fetch ${rest}`).kind).toBe('syntax');
  });
});

describe('SORT and THREAD (RFC 5256 §5)', () => {
  test('the examples', () => {
    expect(parse('sort (SUBJECT REVERSE DATE) UTF-8 ALL')).toEqual({
      name: 'SORT',
      uid: false,
      criteria: [{ key: 'SUBJECT', reverse: false }, { key: 'DATE', reverse: true }],
      key: { key: 'all' },
    });
    expect(parse('thread references us-ascii all')).toMatchObject({
      name: 'THREAD',
      algorithm: 'REFERENCES',
    });
  });

  test.each([
    'sort () utf-8 all',
    'sort (reverse) utf-8 all',
    'sort (reverse reverse size) utf-8 all',
    'sort (color) utf-8 all',
    'sort (size) all',
    'sort (size) utf-8',
    'sort size utf-8 all',
    'thread refs utf-8 all',
    'thread references utf-8',
  ])('%s is refused', (text) => {
    expect(failure(text).kind).toBe('syntax');
  });

  test('a character set nobody knows', () => {
    expect(failure('sort (size) x-unknown all').code).toBe('badcharset');
    expect(failure('thread references x-unknown all').code).toBe('badcharset');
  });
});

describe('SEARCH', () => {
  const key = (text: string) => {
    const command = parse(`search ${text}`);
    return command.name === 'SEARCH' ? command.key : undefined;
  };

  test('keys bind as in RFC 9051 §6.4.4', () => {
    const seen = { key: 'flag', flag: '\\Seen', on: true };
    const deleted = { key: 'flag', flag: '\\Deleted', on: true };
    expect(key('seen')).toEqual(seen as never);
    expect(key('not seen deleted')).toEqual(
      { key: 'and', keys: [{ key: 'not', of: seen }, deleted] } as never,
    );
    expect(key('or not seen (seen deleted) deleted')).toEqual({
      key: 'and',
      keys: [
        { key: 'or', left: { key: 'not', of: seen }, right: { key: 'and', keys: [seen, deleted] } },
        deleted,
      ],
    } as never);
    expect(key('((((seen))))')).toEqual(seen as never);
    expect(key('new')).toMatchObject({
      key: 'and',
      keys: [{ key: 'recent', on: true }, { flag: '\\Seen', on: false }],
    });
  });

  test('RETURN', () => {
    const returns = (text: string) => {
      const command = parse(`search ${text} all`.replace('  ', ' '));
      return command.name === 'SEARCH' ? command.returns : undefined;
    };
    const none = { min: false, max: false, all: false, count: false, save: false };
    expect(returns('')).toBeNull();
    expect(returns('return ()')).toEqual({ ...none, all: true });
    expect(returns('return (save)')).toEqual({ ...none, save: true });
    expect(returns('return (MIN count)')).toEqual({ ...none, min: true, count: true });
    expect(failure('search return (save) all', { utf8: false, searchres: false }).kind).toBe('syntax');
    expect(failure('search return (partial 1:5) all').kind).toBe('syntax');
  });

  test('character sets', () => {
    expect(key('charset utf-8 text {6+}\r\n\xd0\xbe\xd1\x82\xd0\xbf')).toEqual({ key: 'text', text: 'отп' });
    expect(key('text {6+}\r\n\xd0\xbe\xd1\x82\xd0\xbf')).toEqual({ key: 'text', text: 'отп' });
    expect(key('charset "ISO-8859-1" subject {1+}\r\n\xe4')).toMatchObject({ text: 'ä' });
    expect(key('charset koi8-r body {4+}\r\n\xcd\xc1\xd4\xd8')).toMatchObject({ text: 'мать' });
    expect(key('charset us-ascii body x')).toMatchObject({ text: 'x' });
    expect(failure('search charset x-unknown text x').code).toBe('badcharset');
    expect(failure('search charset utf-16 text x').code).toBe('badcharset');
    expect(failure('search charset us-ascii text {1+}\r\n\xe4').kind).toBe('syntax');
    expect(failure('search text {1+}\r\n\xe4').kind).toBe('syntax');
  });

  test('dates', () => {
    expect(key('since 1-Feb-1994')).toEqual({ key: 'date', field: 'internal', compare: 'since', day: 8797 });
    expect(key('SENTON "01-jan-1970"')).toEqual({ key: 'date', field: 'sent', compare: 'on', day: 0 });
    expect(key('before 29-Feb-2024')).toMatchObject({ day: 19782 });
    for (
      const date of [
        '30-Feb-2024',
        '29-Feb-2023',
        '0-Jan-2024',
        '1-Foo-2024',
        '1-Jan-24',
        '"1-Jan-2024',
        '1 Jan 2024',
      ]
    ) {
      expect(failure(`search on ${date}`).kind).toBe('syntax');
    }
  });

  test.each([
    '',
    'return all',
    'seen  deleted',
    'xyzzy',
    'not',
    'or seen',
    '(seen',
    'seen)',
    '()',
    'header from',
    'larger -1',
    'larger x',
    'uid x',
    'keyword (x)',
    'modseq "/flags/x" 5',
    'modseq "/flags/x" none 5',
    'charset utf-8',
    'text ~{1+}\r\nx',
  ])('%j is a syntax error', (rest) => {
    expect(failure(`search${rest === '' ? '' : ' '}${rest}`).kind).toBe('syntax');
  });
});

describe('the rest', () => {
  test('LIST', () => {
    expect(parse('list "" ""')).toMatchObject({ rootOnly: true });
    expect(parse('list "" ("")')).toMatchObject({ rootOnly: false, extended: true });
    expect(parse('list () "" %')).toMatchObject({ extended: true, patterns: ['%'] });
    expect(parse('list "" "%" return (status (messages unseen) children)')).toMatchObject({
      returns: { status: ['MESSAGES', 'UNSEEN'], children: true },
    });
    for (
      const rest of [
        '(recursivematch) "" *',
        '(remote recursivematch) "" *',
        '(x) "" *',
        '"" * return (myrights)',
        '"" ()',
        '""',
        '"" * return',
        '"" * return (status ())',
      ]
    ) {
      expect(failure(`list ${rest}`).kind).toBe('syntax');
    }
  });

  test('names in UTF-8 once that is switched on', () => {
    const utf8: ParseMode = { utf8: true, searchres: false };
    expect(parse('select "Entw\xc3\xbcrfe"', utf8)).toMatchObject({ mailbox: 'Entwürfe' });
    expect(parse('select "&APw-"', utf8)).toMatchObject({ mailbox: '&APw-' });
    expect(parse('select "&APw-"')).toMatchObject({ mailbox: 'ü' });
  });

  test('APPEND', () => {
    expect(parse('append x {0+}\r\n')).toMatchObject({
      messages: [{ size: 0, flags: [], internaldate: null }],
    });
    // RFC 3502
    expect(parse('append x (a) {1+}\r\nx ~{2+}\r\nyy "01-Feb-2026 10:00:00 +0100" {3+}\r\nzzz'))
      .toMatchObject({
        messages: [
          { size: 1, flags: ['a'], binary: false },
          { size: 2, flags: [], binary: true },
          { size: 3, flags: [], internaldate: { time: Date.UTC(2026, 1, 1, 9) / 1000, zone: 60 } },
        ],
      });
    for (
      const rest of [
        'x',
        'x "y"',
        'x (\\Seen',
        'x "32-Jan-2024 00:00:00 +0000" {1+}\r\nx',
        'x "1-Jan-2024 24:00:00 +0000" {1+}\r\nx',
        '{1+}\r\nx',
        'x {1+}\r\nx y',
        'x {1+}\r\nx(a) {1+}\r\ny',
        'x {1+}\r\nx (a)',
      ]
    ) {
      expect(failure(`append ${rest}`).kind).toBe('syntax');
    }
  });

  test('AUTHENTICATE', () => {
    expect(parse('authenticate plain AGEAYg==')).toMatchObject({
      mechanism: 'PLAIN',
      initial: Buffer.from('\0a\0b'),
    });
    expect(parse('authenticate plain =')).toMatchObject({ initial: new Uint8Array(0) });
    for (const base64 of ['AGE', 'AGEAYg=', '====', 'A=GE', 'AG EA', '*', 'AGEA\xe4']) {
      expect(failure(`authenticate plain ${base64}`).kind).toBe('syntax');
    }
  });

  test.each([
    'select',
    'select (x)',
    'select x (qresync)',
    'select x y',
    'create x (foo)',
    'create x (use (sent))',
    'rename x',
    'status x ()',
    'status x (foo)',
    'status x messages',
    'store 1 flag x',
    'store 1 +flags',
    'store 1 (unchangedsince x) flags y',
    'store 1 flags (x',
    'copy 1',
    'copy x y',
    'expunge 1',
    'uid expunge',
    'uid',
    'uid noop',
    'noop x',
    'enable',
    'id',
    'id ("a")',
    'login x',
    'login "x" "y',
    'login "x\\y" z',
    'login x {1+}\r\n\xff',
    'setquota x (storage)',
    'setacl x y',
    'listrights x',
    'xyzzy',
    'done',
    '__proto__',
    'constructor',
    'search __proto__',
    'search constructor',
  ])('%j is a syntax error', (text) => {
    expect(failure(text)).toMatchObject({ kind: 'syntax', code: 'badsyntax' });
  });

  test('known names', () => {
    expect(isCommandName('UID FETCH')).toBe(true);
    expect(isCommandName('FETCH')).toBe(true);
    expect(isCommandName('UID NOOP')).toBe(false);
  });
});

test('the same words again mean the same, and in another mode what they mean there', () => {
  const utf8: ParseMode = { utf8: true, searchres: true };
  for (let round = 0; round < 2; round++) {
    expect(parse('SELECT "Entw&APw-rfe"')).toMatchObject({ name: 'SELECT', mailbox: 'Entw\u00fcrfe' });
    expect(parse('SELECT "Entw&APw-rfe"', utf8)).toMatchObject({ name: 'SELECT', mailbox: 'Entw&APw-rfe' });
    expect(parse('EXAMINE "Entw&APw-rfe"')).toMatchObject({ name: 'EXAMINE', mailbox: 'Entw\u00fcrfe' });
    expect(failure('SELECT "Entw&APw-rfe').kind).toBe('syntax');
  }
  // More different ones than are kept.
  for (let n = 0; n < 2000; n++) {
    expect(parse(`STATUS box${n % 1000} (MESSAGES)`)).toMatchObject({ mailbox: `box${n % 1000}` });
  }
});
