import { describe, expect, test } from 'bun:test';
import type { FetchField } from '../../../src/imap/parse/command.ts';
import { appendUid, copyUid, modified, permanentFlags } from '../../../src/imap/write/code.ts';
import { internaldate } from '../../../src/imap/write/date.ts';
import {
  binaryStart,
  type FetchContext,
  fetchLine,
  fieldColumns,
  fieldRenderer,
  sectionMissing,
  sectionStart,
} from '../../../src/imap/write/fetch.ts';
import { FlagWriter } from '../../../src/imap/write/flags.ts';
import { listLine, statusLine } from '../../../src/imap/write/list.ts';
import { esearch, search } from '../../../src/imap/write/search.ts';
import type { WideRow } from '../../../src/store/border.ts';
import { SEEN } from '../../../src/store/flags.ts';
import { UidSet } from '../../../src/store/uidset.ts';
import { forSeeds } from '../seeds.ts';

describe('dates', () => {
  test('as in RFC 9051 §6.3.12 and §7.5.2', () => {
    expect(internaldate(837_596_665, -420)).toBe('"17-Jul-1996 02:44:25 -0700"');
    expect(internaldate(0)).toBe('" 1-Jan-1970 00:00:00 +0000"');
    expect(internaldate(0, 330)).toBe('" 1-Jan-1970 05:30:00 +0530"');
    expect(internaldate(-1, -60)).toBe('"31-Dec-1969 22:59:59 -0100"');
  });

  test('nonsense is held to four digits of year', () => {
    expect(internaldate(1e15)).toBe('"31-Dec-9999 23:59:59 +0000"');
    expect(internaldate(-1e15)).toBe('" 1-Jan-0001 00:00:00 +0000"');
  });

  test('agree with the calendar of the platform', () => {
    forSeeds(500, (random) => {
      const [time, zone] = [random.below(4_000_000_000) - 1_000_000_000, random.pick([0, 60, -210])];
      const written = internaldate(time, zone).slice(1, -1).trim().replaceAll('-', ' ').replace(
        / (\d{4})$/,
        ' -$1',
      );
      expect(Date.parse(written.replace(/ [+-]?\+?(\d{4})$/, ' GMT')) / 1000 - 60 * zone).toBe(time);
    });
  });
});

describe('FETCH', () => {
  const columns = ['envelope', 'bodystructure'] as const;
  const row: WideRow<typeof columns> = [
    7,
    SEEN | 32,
    0,
    99,
    330,
    837_596_665,
    0,
    0,
    '(ENVELOPE)',
    '("TEXT" "PLAIN" NIL NIL NIL "7BIT" 3 1 NIL NIL NIL NIL)',
  ];
  const context: FetchContext = {
    flags: new FlagWriter(['$Junk']),
    recent: (uid) => uid === 7,
    zone: () => 0,
  };
  const fields = (...names: FetchField['field'][]): FetchField[] =>
    names.map((field) => ({ kind: 'field', field }));

  test('fields in the order asked', () => {
    const items = fields('UID', 'FLAGS', 'MODSEQ', 'RFC822.SIZE', 'INTERNALDATE', 'ENVELOPE', 'BODY');
    expect(fetchLine(3, fieldRenderer(items, context, columns)(row))).toBe(
      '* 3 FETCH (UID 7 FLAGS (\\Seen $Junk \\Recent) MODSEQ (99) RFC822.SIZE 330 ' +
        'INTERNALDATE "17-Jul-1996 09:44:25 +0000" ENVELOPE (ENVELOPE) BODY ("TEXT" "PLAIN" NIL NIL NIL "7BIT" 3 1))\r\n',
    );
    expect(fieldRenderer(fields('UID', 'MODSEQ'), context)(row)).toBe('UID 7 MODSEQ (99)');
    expect(fieldRenderer(fields('UID'), context)(row)).toBe('UID 7');
    expect(fieldRenderer([], context)(row)).toBe('');
    expect(fieldRenderer(fields('BODYSTRUCTURE'), context, columns)(row)).toBe(`BODYSTRUCTURE ${row[9]}`);
  });

  test('which columns are needed', () => {
    expect(fieldColumns(fields('UID', 'FLAGS', 'INTERNALDATE'))).toEqual([]);
    expect(fieldColumns(fields('UID', 'BODY', 'ENVELOPE', 'BODYSTRUCTURE'))).toEqual([
      'envelope',
      'bodystructure',
    ]);
    expect(() => fieldRenderer(fields('BODY'), context, ['envelope'])).toThrow();
  });

  test('sections', () => {
    expect(sectionStart('BODY[1]<5>', 10)).toBe('BODY[1]<5> {10}\r\n');
    expect(binaryStart('BINARY[1]', 3, true)).toBe('BINARY[1] ~{3}\r\n');
    expect(binaryStart('BINARY[1]', 3, false)).toBe('BINARY[1] {3}\r\n');
    expect(sectionMissing('BODY[9]')).toBe('BODY[9] NIL');
  });

  test('flags follow a keyword table that grows', () => {
    const keywords = Array.from({ length: 40 }, (_unused, index) => `k${index}`);
    const writer = new FlagWriter([]);
    expect(writer.list(32, 0, false)).toBe('()');
    writer.use(keywords);
    expect(writer.list(32, 0, false)).toBe('(k0)');
    expect(writer.list(SEEN, 2 ** 12, false)).toBe('(\\Seen k39)');
    expect(writer.list(2 ** 31, 0, true)).toBe('(k26 \\Recent)');
  });
});

describe('SEARCH', () => {
  const returns = { min: true, max: true, all: true, count: true, save: false };
  test('ESEARCH as in RFC 9051 §6.4.4', () => {
    const only = { min: false, max: false, all: false, count: false, save: false };
    expect(esearch('A282', false, { ...only, min: true, count: true }, UidSet.of(2, 10, 11)))
      .toBe('* ESEARCH (TAG "A282") MIN 2 COUNT 3\r\n');
    expect(esearch('A283', false, { ...only, all: true }, UidSet.parse('2,10:11')))
      .toBe('* ESEARCH (TAG "A283") ALL 2,10:11\r\n');
    expect(esearch('A284', false, { ...only, all: true }, UidSet.empty)).toBe('* ESEARCH (TAG "A284")\r\n');
    expect(esearch('A285', true, { ...only, min: true, max: true }, UidSet.of(7, 3800)))
      .toBe('* ESEARCH (TAG "A285") UID MIN 7 MAX 3800\r\n');
    expect(esearch('a"', true, returns, UidSet.of(4), 9))
      .toBe('* ESEARCH (TAG "a\\"") UID MIN 4 MAX 4 ALL 4 COUNT 1 MODSEQ 9\r\n');
    expect(esearch('a', false, returns, UidSet.empty, 0)).toBe('* ESEARCH (TAG "a") COUNT 0\r\n');
  });

  test('SEARCH of rev1', () => {
    expect(search(UidSet.parse('2,84:86'))).toBe('* SEARCH 2 84 85 86\r\n');
    expect(search(UidSet.empty, 5)).toBe('* SEARCH\r\n');
    expect(search(UidSet.of(2), 917162500)).toBe('* SEARCH 2 (MODSEQ 917162500)\r\n');
  });
});

describe('LIST, STATUS and response codes', () => {
  test('LIST as the how-to shows it', () => {
    const entry = { attributes: ['\\HasChildren'], separator: '/', name: 'INBOX' };
    expect(listLine('LIST', entry, false)).toBe('* LIST (\\HasChildren) "/" "INBOX"\r\n');
    expect(listLine('LSUB', { ...entry, separator: '\\', name: 'ä' }, false))
      .toBe('* LSUB (\\HasChildren) "\\\\" "&AOQ-"\r\n');
  });

  test('LIST with extended data (RFC 5258 §4)', () => {
    const entry = { attributes: [], separator: '/', name: 'Foo', childinfo: ['SUBSCRIBED'], oldname: 'foo' };
    expect(listLine('LIST', entry, true)).toBe(
      '* LIST () "/" "Foo" ("CHILDINFO" ("SUBSCRIBED") "OLDNAME" ("foo"))\r\n',
    );
  });

  test('STATUS', () => {
    expect(statusLine('INBOX', false, ['MESSAGES'], { MESSAGES: 1, UNSEEN: 2 }))
      .toBe('* STATUS INBOX (MESSAGES 1)\r\n');
    expect(statusLine('a b', false, ['UNSEEN', 'APPENDLIMIT', 'RECENT'], { UNSEEN: 2, APPENDLIMIT: null }))
      .toBe('* STATUS "a b" (UNSEEN 2 APPENDLIMIT NIL)\r\n');
  });

  test('codes', () => {
    expect(appendUid(38505, UidSet.of(3955))).toBe('APPENDUID 38505 3955');
    expect(appendUid(38505, UidSet.range(3955, 3957))).toBe('APPENDUID 38505 3955:3957');
    expect(copyUid(38505, UidSet.parse('304,319:320'), UidSet.parse('3956:3958')))
      .toBe('COPYUID 38505 304,319:320 3956:3958');
    expect(permanentFlags(['\\Seen'], true)).toBe('PERMANENTFLAGS (\\Seen \\*)');
    expect(permanentFlags([], false)).toBe('PERMANENTFLAGS ()');
    expect(modified(UidSet.of(7, 9))).toBe('MODIFIED 7,9');
  });
});
