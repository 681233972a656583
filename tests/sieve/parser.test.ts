/** Form of scripts (RFC 5228 §2, §8): strings, numbers, comments, places of errors, and several errors at once. */

import { expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { parse } from '../../src/sieve/parser.ts';
import { render } from '../../src/sieve/render.ts';
import type { ArgumentNode } from '../../src/sieve/syntax.ts';
import { generateScript, plain } from './generate.ts';
import { findings } from './harness.ts';
import { random } from './random.ts';

function only(text: string): ArgumentNode | undefined {
  const { script, diagnostics } = parse(text);
  expect(diagnostics).toEqual([]);
  return script.commands[0]?.arguments[0];
}

test('strings: escapes, undefined escapes, line ends', () => {
  expect(only('x "a\\"b\\\\c\\d";')).toMatchObject({ kind: 'string', value: 'a"b\\cd' });
  expect(only('x "a\r\nb\nc";')).toMatchObject({ value: 'a\r\nb\r\nc' });
  expect(only('x "";')).toMatchObject({ value: '' });
});

test('text: is dot-unstuffed and has CRLF line ends, with a comment behind it or not', () => {
  expect(only('x text:\r\nHello\r\n..dot\r\n.foo\r\n.\r\n;')).toMatchObject({
    value: 'Hello\r\n.dot\r\n.foo\r\n',
  });
  expect(only('x TEXT: # comment\nHello\n.\n;')).toMatchObject({ value: 'Hello\r\n' });
  expect(only('x text:\n.\n;')).toMatchObject({ value: '' });
});

test('numbers with K, M and G are powers of two', () => {
  expect(['1', '2k', '3M', '4g', '0'].map((number) => only(`x ${number};`)))
    .toMatchObject([1, 2048, 3 << 20, 2 ** 32, 0].map((value) => ({ kind: 'number', value })));
});

test('comments are white space, names are without regard to case, a byte order mark is passed over', () => {
  const { script, diagnostics } = parse('\xef\xbb\xbf# one\r\nKEEP /* two\r\n; */ ; # three');
  expect(diagnostics).toEqual([]);
  expect(plain(script)).toEqual(plain(parse('keep;').script));
});

test('errors name line, column and what was expected; those behind them are found too', () => {
  expect(findings('keep\r\ndiscard;\nif true { "x"; }\nkeep "a" [;\n  stop }\n')).toEqual([
    `3:11 unexpected the string "x": expected a command`,
    `4:11 expected a string in the list, but found ';'`,
    `5:8 expected ';' or '{' behind the command "stop", but found '}'`,
    `5:8 unexpected '}': expected a command or the end of the script`,
  ]);
});

test('a column is a character, not an octet', () => {
  expect(findings('/* ü€😀 */ "x";')).toEqual([`1:11 unexpected the string "x": expected a command`]);
  expect(findings('keep "ü\nöö" $;')[0]).toBe('2:5 unexpected characters "$"');
});

test('what does not end is reported where it begins', () => {
  expect(findings('keep;\n "abc')).toContain(`2:2 unexpected end of script in a string: expected '"'`);
  expect(findings('keep; /* x')[0]).toBe(`1:7 unexpected end of script in a comment: expected '*/'`);
  expect(findings('x text:\nabc\n')[0])
    .toBe(`1:3 unexpected end of script in a 'text:' string: expected a line with a single '.'`);
  expect(findings('if true { keep;')).toEqual([
    `1:16 expected '}' for the block that begins in line 1, but found the end of the script`,
  ]);
});

test('what is no number is named', () => {
  expect(findings('size 12X;')[0]).toContain('"12X" is no number');
  expect(findings('size 99999999999999999999;')[0]).toContain('larger than 18446744073709551615');
});

test('NUL is refused wherever it stands', () => {
  for (const script of ['keep\0;', '# a\0b\nkeep;', 'x "a\0b";', 'x text:\n\0\n.\n;', '/*\0*/ keep;']) {
    expect(findings(script).length).toBeGreaterThan(0);
  }
});

test('rendering a tree and parsing it gives the tree', () => {
  const dice = random(5228);
  for (let round = 0; round < 300; round++) {
    const script = generateScript(dice);
    const text = render(script);
    const again = parse(text);
    expect(again.diagnostics).toEqual([]);
    expect(plain(again.script)).toEqual(plain(script));
    expect(render(again.script)).toBe(text);
  }
});

test('limits: nesting of blocks and tests, arguments, names, findings', () => {
  const blocks = limits.sieve_block_depth.value;
  expect(findings(`${'if true {'.repeat(blocks)}keep;${'}'.repeat(blocks)}`)).toEqual([]);
  expect(findings(`${'if true {'.repeat(10_000)}keep;${'}'.repeat(10_000)}`, { maxSize: 1 << 20 }))
    .toEqual([`1:${9 * blocks + 9} blocks are nested too deep: expected ${blocks} levels at most`]);
  const tests = limits.sieve_test_depth.value;
  expect(findings(`if ${'not '.repeat(tests - 1)}true { keep; }`)).toEqual([]);
  expect(findings(`if ${'not '.repeat(10_000)}true { keep; }`, { maxSize: 1 << 20 }))
    .toEqual([`1:${4 + 4 * tests} tests are nested too deep: expected ${tests} levels at most`]);
  expect(findings(`x ${'1 '.repeat(limits.sieve_arguments.value + 2)};`)).toHaveLength(1);
  expect(findings(`${'x'.repeat(limits.sieve_identifier.value + 1)};`)[0]).toContain('expected 32 at most');
  const many = findings('$;'.repeat(1000));
  expect(many).toHaveLength(limits.sieve_errors.value);
  expect(many.at(-1)).toContain('too many errors');
});
