/** Decoding piece by piece against decoding at once. */

import { expect, test } from 'bun:test';
import { decodedPieces, measure } from '../../../src/imap/fetch/decoded.ts';
import { decodeTransfer } from '../../../src/mime/transfer.ts';
import type { MessageContent } from '../../../src/store/border.ts';
import { Random } from '../../harness/random.ts';

const SEEDS = [1, 2, 3, 4];

/** A message whose reads all come in the same memory, as the border allows. */
function contentOf(bytes: Uint8Array): MessageContent {
  const memory = Buffer.alloc(bytes.length);
  return {
    size: bytes.length,
    read(start, end) {
      memory.fill(0xff);
      memory.set(bytes.subarray(start, end));
      return memory.subarray(0, Math.min(end, bytes.length) - start);
    },
    readInto(target, start) {
      const found = bytes.subarray(start, start + target.length);
      target.set(found);
      return found.length;
    },
    close() {},
  };
}

function joined(bytes: Uint8Array, encoding: 'BASE64' | 'QUOTED-PRINTABLE' | '8BIT'): Buffer {
  const pieces: Buffer[] = [];
  for (const piece of decodedPieces(contentOf(bytes), 0, bytes.length, encoding)) {
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}

/** Lines of base64 of some hundred KB with what senders put between: blanks, stray characters, sometimes padding. */
function base64(random: Random): Buffer {
  const data = Buffer.from(Array.from({ length: 300_000 + random.below(5) }, () => random.below(256)));
  let text = '';
  const encoded = data.toString('base64');
  for (let at = 0; at < encoded.length;) {
    const length = 1 + random.below(100);
    text += encoded.slice(at, at + length) + random.pick(['\r\n', '\n', ' \r\n', '!\r\n', '\t']);
    at += length;
  }
  return Buffer.from(text + random.pick(['', 'trailing words', '\r\n']), 'latin1');
}

function quotedPrintable(random: Random): Buffer {
  let text = '';
  while (text.length < 700_000) {
    text += random.pick([
      '=3D',
      '=C3=BC',
      '=\r\n',
      ' \r\n',
      'word ',
      '\t\r\n',
      '=',
      '=G1',
      '\r\n',
      'x'.repeat(70),
    ]);
  }
  return Buffer.from(text, 'latin1');
}

for (const seed of SEEDS) {
  test(`base64 in pieces is base64 at once (seed ${seed})`, () => {
    const bytes = base64(new Random(seed));
    expect(joined(bytes, 'BASE64').equals(Buffer.from(decodeTransfer(bytes, 'BASE64')))).toBe(true);
  });

  test(`quoted-printable in pieces is quoted-printable at once (seed ${seed})`, () => {
    const bytes = quotedPrintable(new Random(seed));
    expect(joined(bytes, 'QUOTED-PRINTABLE').equals(Buffer.from(decodeTransfer(bytes, 'QUOTED-PRINTABLE'))))
      .toBe(true);
  });
}

test('other encodings leave the bytes as they are; sizes and NUL are counted', async () => {
  const bytes = Buffer.alloc(600_000, 'abc');
  const counted = () => measure(decodedPieces(contentOf(bytes), 0, bytes.length, '8BIT'), () => undefined);
  expect(joined(bytes, '8BIT').equals(bytes)).toBe(true);
  expect(await counted()).toEqual({ size: 600_000, hasNul: false });
  bytes[599_999] = 0;
  expect(await counted()).toEqual({ size: 600_000, hasNul: true });
});
