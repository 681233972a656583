/** What `deliver` sends, and that the server's side gives back what it should. */

import { expect, test } from 'bun:test';
import { DotDecoder } from '../../src/lmtp/dots.ts';
import { MessageEncoder } from '../../src/lmtp/encoder.ts';
import { Random } from '../harness/random.ts';

function encode(chunks: readonly string[]): string {
  const encoder = new MessageEncoder();
  const pieces = chunks.map((chunk) => encoder.push(Buffer.from(chunk, 'latin1')));
  return Buffer.concat([...pieces, encoder.end()]).toString('latin1');
}

/** The message as it should be stored. */
function slowModel(text: string): string {
  const message = text.startsWith('From ') ? text.replace(/^[^\n]*(?:\n|$)/, '') : text;
  const lines = message.replace(/\r?\n/g, '\r\n');
  return lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`;
}

test('line ends, the mbox line, dots, the last line', () => {
  expect(encode(['From a@b Mon\nSubject: x\n\n.\n..y\nend'])).toBe(
    'Subject: x\r\n\r\n..\r\n...y\r\nend\r\n.\r\n',
  );
  expect(encode(['From: a\r\n\r\nx\r\n'])).toBe('From: a\r\n\r\nx\r\n.\r\n');
  expect(encode([''])).toBe('.\r\n');
  expect(encode(['From '])).toBe('.\r\n');
  expect(encode(['Fro'])).toBe('Fro\r\n.\r\n');
  expect(encode(['a\r', '\nb\r', 'c\n'])).toBe('a\r\nb\rc\r\n.\r\n');
});

test('what is encoded in any cuts is decoded to the message', () => {
  const seed = Date.now() >>> 0;
  const random = new Random(seed);
  const pieces = ['\n', '\r\n', '\r', '.', '..', 'From ', 'F', 'x', 'yz: ', '\0\xff'];
  for (let round = 0; round < 3000; round++) {
    let text = random.oneIn(4) ? 'From x\n' : '';
    for (let count = random.below(20); count > 0; count--) text += random.pick(pieces);
    const chunks: string[] = [];
    for (let at = 0; at < text.length;) {
      const length = 1 + random.below(8);
      chunks.push(text.slice(at, at + length));
      at += length;
    }
    let decoded = '';
    const bytes = Buffer.from(encode(chunks), 'latin1');
    const end = new DotDecoder().push(bytes, 0, (piece) => (decoded += piece.toString('latin1')));
    const context = `seed ${seed} round ${round} ${JSON.stringify(chunks)}`;
    expect([context, decoded, end]).toEqual([context, slowModel(text), bytes.length]);
  }
});
