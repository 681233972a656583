import { expect, test } from 'bun:test';
import { DotEncoder } from '../../src/pop3/stuffing.ts';
import { asciiHeader } from '../../src/pop3/surrogate.ts';
import { Random } from '../harness/random.ts';

/** What RFC 1939 §3 says, done on the whole text. */
function stuffed(text: string): string {
  const lines = text.replace(/^\./, '..').replaceAll('\r\n.', '\r\n..');
  return `${lines}${text.endsWith('\r\n') ? '' : '\r\n'}.\r\n`;
}

test('however a message is cut, it is stuffed as a whole', () => {
  const random = new Random(1939);
  for (let round = 0; round < 3000; round++) {
    const text = Array.from(
      { length: random.below(30) },
      () => random.pick(['.', '\r', '\n', '\r\n', 'a', '\r\n.']),
    )
      .join('');
    const encoder = new DotEncoder();
    let got = '';
    for (let at = 0; at < text.length;) {
      const end = Math.min(text.length, at + 1 + random.below(5));
      got += Buffer.from(encoder.push(Buffer.from(text.slice(at, end), 'latin1'))).toString('latin1');
      at = end;
    }
    got += encoder.end();
    expect(got).toBe(stuffed(text));
  }
});

test('an ASCII header is the same object; any other is ASCII and says the same', () => {
  const ascii = Buffer.from('Subject: hello\r\n\r\n');
  expect(asciiHeader(ascii)).toBe(ascii);
  const random = new Random(6858);
  for (let round = 0; round < 500; round++) {
    const value = Array.from(
      { length: 1 + random.below(20) },
      () => random.pick(['ü', 'a', ' ', '漢', '😀', '=', 'é ', '?']),
    )
      .join('').trim();
    const got = Buffer.from(asciiHeader(Buffer.from(`Subject: ${value}\r\nTo: b\r\n\r\n`))).toString(
      'latin1',
    );
    expect(got).toMatch(/^[\x00-\x7f]*$/);
    for (const line of got.split('\r\n')) expect(line.length).toBeLessThan(200);
    const decoded = got.replace(/\?=\r\n =\?UTF-8\?B\?/g, '|').replace(
      /=\?UTF-8\?B\?([^?]*)\?=/g,
      (_, text: string) =>
        Buffer.concat(text.split('|').map((part) => Buffer.from(part, 'base64'))).toString('utf8'),
    );
    expect(decoded).toBe(`Subject: ${value}\r\nTo: b\r\n\r\n`);
  }
});
