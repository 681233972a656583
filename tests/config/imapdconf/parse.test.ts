import { afterAll, expect, test } from 'bun:test';
import { type Finding, formatFinding } from '../../../src/config/finding.ts';
import { parseLines, readImapdConf } from '../../../src/config/imapdconf/parse.ts';
import { limits } from '../../../src/limits.ts';
import { Random } from '../../harness/random.ts';
import { Folder } from '../folder.ts';

const folder = new Folder();
afterAll(() => folder.remove());

function pairs(text: string): { lines: (readonly [number, string, string])[]; problems: string[] } {
  const problems: Finding[] = [];
  const lines = parseLines(text, 'i.conf', problems).map(({ line, key, value }) =>
    [line, key, value] as const
  );
  return { lines, problems: problems.map(formatFinding) };
}

test('keys are lower case, blanks around a value are dropped, # comments only where a line begins', () => {
  expect(pairs('  # c\n\nAdmins:\t cyrus  \n sasl_ldapdb_pw: a#b: c!\r\n')).toEqual({
    lines: [[3, 'admins', 'cyrus'], [4, 'sasl_ldapdb_pw', 'a#b: c!']],
    problems: [],
  });
});

test('a backslash at the end continues a line, and the line is that of its start', () => {
  expect(pairs('admins: a \\\n  b\\\n c\ntimeout: 30\n').lines).toEqual([
    [1, 'admins', 'a   b c'],
    [4, 'timeout', '30'],
  ]);
  expect(pairs('admins: a\\').lines).toEqual([[1, 'admins', 'a\\']]);
});

test('what is no line is named', () => {
  expect(pairs('admins cyrus\nadmins:\n: x\n@set: x\nad mins: x\n').problems).toEqual([
    'i.conf:1: expected "key: value", found "admins"',
    'i.conf:2: admins: the value is missing',
    'i.conf:3: expected "key: value", found ":"',
    'i.conf:4: @set: unknown directive; there is @include',
    'i.conf:5: expected "key: value", found "ad"',
  ]);
});

test('a password whose colon was forgotten is not repeated', () => {
  expect(pairs('sasl_ldapdb_pw hunter2').problems.join()).not.toContain('hunter2');
});

test('the mark of order in front of UTF-8 is no part of the first key', () => {
  expect(pairs('\uFEFFadmins: a').lines).toEqual([[1, 'admins', 'a']]);
});

test('included files stand in their place, paths count from the including file', () => {
  folder.write('more/b.conf', 'timeout: 40\n');
  const file = folder.write('a.conf', 'admins: a\n@include: more/b.conf\nquotawarn: 80\n');
  const { lines, problems, sources } = readImapdConf(file);
  expect(lines.map(({ key }) => key)).toEqual(['admins', 'timeout', 'quotawarn']);
  expect(problems).toEqual([]);
  expect(sources).toHaveLength(2);
});

test('files that include each other are told so', () => {
  folder.write('loop2.conf', '@include: loop1.conf\n');
  const file = folder.write('loop1.conf', '@include: loop2.conf\n');
  expect(readImapdConf(file).problems.map(({ text }) => text)).toEqual([`${file} is included twice`]);
});

test('a file to include that is not there is a problem of its line', () => {
  const { problems } = readImapdConf(folder.write('c.conf', '\n@include: nowhere.conf\n'));
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatchObject({ line: 2, key: '@include' });
  expect(problems[0]?.text).toContain('there is no such file');
});

test(`more than ${limits.config_includes.value} included files are refused`, () => {
  const count = limits.config_includes.value + 5;
  for (let at = 0; at < count; at++) folder.write(`chain/${at}.conf`, `@include: ${at + 1}.conf\n`);
  folder.write(`chain/${count}.conf`, 'admins: a\n');
  const { problems } = readImapdConf(`${folder.path}/chain/0.conf`);
  expect(problems.map(({ text }) => text)).toEqual(['too many included files']);
});

test('any text gives lines or problems, and never more of both than it has lines', () => {
  const seed = 3;
  const random = new Random(seed);
  for (let round = 0; round < 2000; round++) {
    const text = Array.from({ length: random.below(60) }, () => random.pick([...'ab:#@\\ \t\r\n"é\x01']))
      .join('');
    const { lines, problems } = pairs(text);
    expect(lines.length + problems.length).toBeLessThanOrEqual(text.split('\n').length);
  }
});
