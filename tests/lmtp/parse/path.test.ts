/** Addresses as MAIL and RCPT carry them. */

import { expect, test } from 'bun:test';
import { MailError } from '../../../src/errors.ts';
import { decodeUtf8, parsePath } from '../../../src/lmtp/parse/path.ts';
import { Random } from '../../harness/random.ts';

test.each([
  ['<django@nausch.org>', 'django@nausch.org', 'django', 'nausch.org'],
  ['  <django@nausch.org> SIZE=1', 'django@nausch.org', 'django', 'nausch.org'],
  ['<django>', 'django', 'django', ''],
  ['<django+Lists/dev@nausch.org>', 'django+Lists/dev@nausch.org', 'django+Lists/dev', 'nausch.org'],
  ['<@a.example,@b.example:django@nausch.org>', 'django@nausch.org', 'django', 'nausch.org'],
  ['<@a.example:django>', 'django', 'django', ''],
  ['<"john doe"@example.org>', '"john doe"@example.org', 'john doe', 'example.org'],
  ['<"a\\"b\\\\c"@example.org>', '"a\\"b\\\\c"@example.org', 'a"b\\c', 'example.org'],
  ['<"a@b"@example.org>', '"a@b"@example.org', 'a@b', 'example.org'],
  ['<"a>b"@example.org>', '"a>b"@example.org', 'a>b', 'example.org'],
  ['<a@[192.0.2.1]>', 'a@[192.0.2.1]', 'a', '[192.0.2.1]'],
  ['<a@[IPv6:2001:db8::1]>', 'a@[IPv6:2001:db8::1]', 'a', '[IPv6:2001:db8::1]'],
  ['<.a..b.@docomo.example>', '.a..b.@docomo.example', '.a..b.', 'docomo.example'],
  ['<+shared.folder@example.org>', '+shared.folder@example.org', '+shared.folder', 'example.org'],
  ["<o'brien=x#y@example.org>", "o'brien=x#y@example.org", "o'brien=x#y", 'example.org'],
])('%s', (text, address, local, domain) => {
  const path = parsePath(text);
  expect(path).toMatchObject({ address, local, domain, eightBit: false });
  expect(text.slice(0, path.end).trim()).toStartWith('<');
  expect(text[path.end - 1]).toBe('>');
});

test('the null path', () => {
  expect(parsePath('<>')).toEqual({ address: '', local: '', domain: '', eightBit: false, end: 2 });
});

test.each([
  '',
  'django@nausch.org',
  '<django@nausch.org',
  '<@a.example>',
  '<@a.example:>',
  '<""@example.org>',
  '<"@example.org>',
  '<"a\\"@example.org>',
  '<a b@example.org>',
  '<a@b@c>',
  '<a@>',
  '<@>',
  '<a@[::1>',
  '<a<b>@c>',
  '<a@b,c>',
  `<${'a'.repeat(1025)}>`,
])('%j is no path', (text) => {
  expect(() => parsePath(text)).toThrow(MailError);
});

test('a local part of a kilobyte is an address like another', () => {
  expect(parsePath(`<${'a'.repeat(1000)}@b.example>`).local).toHaveLength(1000);
});

test('bytes above 127 are kept and told', () => {
  const text = Buffer.from('<bücher@müller.example>').toString('latin1');
  const path = parsePath(text);
  expect(path.eightBit).toBe(true);
  expect(decodeUtf8(path.local)).toBe('bücher');
  expect(decodeUtf8(path.domain)).toBe('müller.example');
  expect(decodeUtf8('b\xc3')).toBeNull();
  expect(decodeUtf8('\xc0\xaf')).toBeNull();
  expect(decodeUtf8('\xed\xa0\x80')).toBeNull();
});

test('mutated addresses either parse or throw a syntax error, in no time', () => {
  const seed = Date.now() >>> 0;
  const random = new Random(seed);
  const seeds = ['<@a,@b:"x y\\"z"@[1.2.3.4]>', '<django+x@nausch.org>', '<>', `<"${'\\"'.repeat(300)}"@x>`];
  for (let round = 0; round < 3000; round++) {
    const bytes = [...random.pick(seeds)];
    for (let count = random.below(4); count > 0; count--) {
      bytes[random.below(bytes.length)] = random.pick([
        '<',
        '>',
        '"',
        '\\',
        '@',
        ',',
        ':',
        ' ',
        '[',
        ']',
        'a',
        '\xc3',
      ]);
    }
    const text = bytes.join('');
    try {
      const path = parsePath(text);
      expect(path.end).toBeLessThanOrEqual(text.length);
    } catch (thrown) {
      expect(`seed ${seed} ${text} ${thrown instanceof MailError && thrown.kind}`).toBe(
        `seed ${seed} ${text} syntax`,
      );
    }
  }
});
