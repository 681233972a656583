import { expect, test } from 'bun:test';
import { MailError } from '../../../src/errors.ts';
import { parseCommand } from '../../../src/lmtp/parse/command.ts';
import { parseOctets, parseParameters } from '../../../src/lmtp/parse/parameters.ts';

test('keywords in any case, values as they are', () => {
  expect([...parseParameters('')]).toEqual([]);
  expect([...parseParameters(' size=100  BODY=8bitmime SMTPUTF8')]).toEqual([
    ['SIZE', '100'],
    ['BODY', '8bitmime'],
    ['SMTPUTF8', null],
  ]);
});

test.each(['SIZE=1', ' SIZE=1 SIZE=2', ' SIZE=', ' =1', ' A=B=C', ' A\x00'])('%j is refused', (text) => {
  expect(() => parseParameters(text)).toThrow(MailError);
});

test('octets are exact and never negative, hexadecimal or rounded up', () => {
  expect(parseOctets('0')).toBe(0);
  expect(parseOctets('4294967296')).toBe(4294967296);
  expect(parseOctets('99999999999999999999')).toBe(Number.MAX_SAFE_INTEGER);
  for (const text of ['', '-1', '+1', '1.5', '0x10', '1e9', ' 1', '1'.repeat(21)]) {
    expect(parseOctets(text)).toBeNull();
  }
});

test('a command is a verb and the rest', () => {
  expect(parseCommand('mail from:<a@b>  ')).toEqual({ verb: 'MAIL', argument: 'from:<a@b>' });
  expect(parseCommand('QUIT')).toEqual({ verb: 'QUIT', argument: '' });
  for (const line of ['', ' QUIT', 'RSET\0', 'MAIL\tFROM', 'a\rb', '<html>', '\x16\x03\x01']) {
    expect(parseCommand(line)).toBeNull();
  }
});
