import { expect, test } from 'bun:test';
import { MailError } from '../../../src/errors.ts';
import { parseBy, parseEnvid, parseNotify, parseOrcpt, parseRet } from '../../../src/lmtp/parse/dsn.ts';

test('RFC 3461 §10: the parameters of its examples', () => {
  expect(parseRet('HDRS')).toBe('HDRS');
  expect(parseEnvid('QQ314159')).toBe('QQ314159');
  expect(parseNotify('SUCCESS,FAILURE')).toEqual(['SUCCESS', 'FAILURE']);
  expect(parseNotify('never')).toEqual(['NEVER']);
  expect(parseOrcpt('rfc822;Bob@Example.COM', false)).toBe('rfc822;Bob@Example.COM');
});

test('xtext is decoded, addresses beyond ASCII too', () => {
  expect(parseEnvid('a+2Bb+3Dc+20d')).toBe('a+b=c d');
  expect(parseOrcpt('RFC822;a+2Bb@x', false)).toBe('rfc822;a+b@x');
  expect(parseOrcpt(Buffer.from('utf-8;grün@x').toString('latin1'), true)).toBe('utf-8;grün@x');
  expect(parseOrcpt('utf-8;gr\\x{FC}n@x', false)).toBe('utf-8;grün@x');
});

test('RFC 2852 §4: time, mode, trace', () => {
  expect(parseBy('120;R')).toEqual({ seconds: 120, mode: 'return', trace: false });
  expect(parseBy('-5;NT')).toEqual({ seconds: -5, mode: 'notify', trace: true });
  expect(parseBy('+1;rt')).toEqual({ seconds: 1, mode: 'return', trace: true });
});

test.each(
  [
    () => parseRet(null),
    () => parseRet('ALL'),
    () => parseEnvid(null),
    () => parseEnvid(''),
    () => parseEnvid('x'.repeat(101)),
    () => parseEnvid('a+0Ab'),
    () => parseEnvid('a+zz'),
    () => parseNotify(null),
    () => parseNotify(''),
    () => parseNotify('NEVER,SUCCESS'),
    () => parseNotify('SUCCESS,SUCCESS'),
    () => parseNotify('SOMETIMES'),
    () => parseOrcpt(null, true),
    () => parseOrcpt('Bob@Example.COM', true),
    () => parseOrcpt('rfc822;', true),
    () => parseOrcpt('rfc822;a+0D+0Ab', true),
    () => parseOrcpt(`rfc822;${'x'.repeat(500)}`, true),
    () => parseOrcpt('rfc822;gr\xfcn@x', true),
    () => parseOrcpt('utf-8;gr\xfcn@x', true),
    () => parseOrcpt(Buffer.from('utf-8;grün@x').toString('latin1'), false),
    () => parseOrcpt('utf-8;a\\b', true),
    () => parseOrcpt('utf-8;\\x{D800}', true),
    () => parseBy(null),
    () => parseBy('120'),
    () => parseBy('0;R'),
    () => parseBy('-1;R'),
    () => parseBy('1;X'),
    () => parseBy('1e3;N'),
    () => parseBy('1234567890;N'),
  ].map((parse, index) => [index, parse] as const),
)('malformed %#', (_index, parse) => {
  expect(parse).toThrow(MailError);
});
