import { expect, test } from 'bun:test';
import { formatTable, formatTime, printable } from '../../src/cli/table.ts';

test('columns are aligned, numbers to the right, no line ends in spaces', () => {
  const columns = [{ title: 'NAME' }, { title: 'N', right: true }, { title: '' }];
  expect(formatTable(columns, [['a', '1', ''], ['long name', '100', 'x']])).toBe(
    'NAME         N\na            1\nlong name  100  x\n',
  );
  expect(formatTable(columns, [])).toBe('');
});

test('wide characters take two columns', () => {
  expect(formatTable([{ title: 'A' }, { title: 'B' }], [['田中', 'x'], ['ab', 'y']])).toBe(
    'A     B\n田中  x\nab    y\n',
  );
});

test('names cannot act on the terminal', () => {
  expect(printable('a\u001b[2Jb\u202ec\nd\u0085\u200b')).toBe(
    'a\\u{1b}[2Jb\\u{202e}c\\u{a}d\\u{85}\\u{200b}',
  );
  expect(formatTable([{ title: 'A' }], [['x\r\ny']])).toBe('A\nx\\u{d}\\u{a}y\n');
  expect(printable('Entwürfe 田')).toBe('Entwürfe 田');
});

test('times are UTC', () => {
  expect(formatTime(0)).toBe('1970-01-01T00:00:00Z');
  expect(formatTime(1328778000)).toBe('2012-02-09T09:00:00Z');
});
