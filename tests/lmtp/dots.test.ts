/** Message data: dots, and the one end there is. */

import { expect, test } from 'bun:test';
import { DotDecoder } from '../../src/lmtp/dots.ts';
import { Random } from '../harness/random.ts';

/** Byte by byte, as RFC 5321 §4.5.2 says it. Null: the end has not come. */
function slowDecode(bytes: string): { message: string; end: number } | null {
  let message = '';
  let at = 0;
  let lineStart = true;
  while (at < bytes.length) {
    if (lineStart && bytes.startsWith('.\r\n', at)) return { message, end: at + 3 };
    if (lineStart && bytes[at] === '.') at++;
    lineStart = false;
    if (at >= bytes.length) break;
    if (bytes.startsWith('\r\n', at)) {
      message += '\r\n';
      at += 2;
      lineStart = true;
    } else message += bytes[at++];
  }
  return null;
}

function decode(chunks: readonly string[]): { message: string; end: number } | null {
  const decoder = new DotDecoder();
  let message = '';
  let before = 0;
  for (const chunk of chunks) {
    const end = decoder.push(
      Buffer.from(chunk, 'latin1'),
      0,
      (piece) => (message += piece.toString('latin1')),
    );
    if (end >= 0) return { message, end: before + end };
    before += chunk.length;
  }
  return null;
}

const CASES: readonly (readonly [name: string, bytes: string, message: string])[] = [
  ['an empty message', '.\r\n', ''],
  ['a line', 'a\r\n.\r\n', 'a\r\n'],
  ['a stuffed dot', '..\r\n.\r\n', '.\r\n'],
  ['a stuffed line', '..a\r\n.\r\n', '.a\r\n'],
  ['a dot that was not stuffed', '.a\r\n.\r\n', 'a\r\n'],
  ['dots inside lines', 'a.b\r\n.c.\r\n.\r\n', 'a.b\r\nc.\r\n'],
  ['a bare LF before the dot', 'a\n.\r\n.\r\n', 'a\n.\r\n'],
  ['a bare LF behind the dot', 'a\r\n.\nb\r\n.\r\n', 'a\r\n\nb\r\n'],
  ['bare LFs on both sides', 'a\n.\nb\r\n.\r\n', 'a\n.\nb\r\n'],
  ['a bare CR before the dot', 'a\r.\r\n.\r\n', 'a\r.\r\n'],
  ['a bare CR behind the dot', 'a\r\n.\rb\r\n.\r\n', 'a\r\n\rb\r\n'],
  ['bare CRs on both sides', 'a\r.\rb\r\n.\r\n', 'a\r.\rb\r\n'],
  ['CR CR LF', 'a\r\r\n.\r\n', 'a\r\r\n'],
  ['dot CR CR LF', 'a\r\n.\r\r\n.\r\n', 'a\r\n\r\r\n'],
  ['LF CR dot', 'a\n\r.\r\n.\r\n', 'a\n\r.\r\n'],
  ['NUL around the dot', 'a\r\n\0.\r\n.\0\r\n.\r\n', 'a\r\n\0.\r\n\0\r\n'],
];

test.each(CASES)('%s', (_name, bytes, message) => {
  expect(decode([bytes])).toEqual({ message, end: bytes.length });
  expect(decode([...bytes])).toEqual({ message, end: bytes.length });
  expect(slowDecode(bytes)).toEqual({ message, end: bytes.length });
});

test('any bytes in any cuts are decoded as by the slow model', () => {
  const seed = Date.now() >>> 0;
  const random = new Random(seed);
  const pieces = ['\r\n', '\r', '\n', '.', '..', '\r\n.', '\r\n.\r', 'a', 'bc', '\0', 'x'.repeat(40)];
  for (let round = 0; round < 3000; round++) {
    let bytes = '';
    for (let count = random.below(30); count > 0; count--) bytes += random.pick(pieces);
    if (!random.oneIn(4)) bytes += '\r\n.\r\n';
    if (random.oneIn(3)) bytes += 'QUIT\r\n';
    const chunks: string[] = [];
    for (let at = 0; at < bytes.length;) {
      const length = 1 + random.below(random.oneIn(2) ? 3 : 60);
      chunks.push(bytes.slice(at, at + length));
      at += length;
    }
    const context = `seed ${seed} round ${round}: ${JSON.stringify(chunks)}`;
    expect(`${context} ${JSON.stringify(decode(chunks))}`).toBe(
      `${context} ${JSON.stringify(slowDecode(bytes))}`,
    );
  }
});

test('decoding starts inside a chunk and leaves what follows the end untouched', () => {
  const chunk = Buffer.from('DATA\r\n..a\r\n..b\r\n.\r\nQUIT\r\n');
  let message = '';
  const end = new DotDecoder().push(chunk, 6, (piece) => (message += piece.toString('latin1')));
  expect(message).toBe('.a\r\n.b\r\n');
  expect(chunk.subarray(end).toString()).toBe('QUIT\r\n');
});
