import { describe, expect, test } from 'bun:test';
import { decodeMutf7, encodeMutf7 } from '../../src/store/mutf7.ts';
import type { Random } from '../harness/random.ts';
import { forSeeds } from '../imap/seeds.ts';

const ALPHABETS = ['abc/. ~', '&', '&-', 'äöüß', '台北日本語', '😀𐍈', '\t', '+,/=', '\u0080ÿ\ufffd'];

function name(random: Random): string {
  let text = '';
  for (let i = random.below(12); i > 0; i--) text += random.pick([...random.pick(ALPHABETS)]);
  return text;
}

describe('modified UTF-7', () => {
  test('the examples of RFC 3501 §5.1.3', () => {
    expect(encodeMutf7('~peter/mail/台北/日本語')).toBe('~peter/mail/&U,BTFw-/&ZeVnLIqe-');
    expect(decodeMutf7('~peter/mail/&U,BTFw-/&ZeVnLIqe-')).toBe('~peter/mail/台北/日本語');
    expect(encodeMutf7('Entwürfe')).toBe('Entw&APw-rfe');
    expect(encodeMutf7('a&b')).toBe('a&-b');
  });

  test('encoding and decoding are inverse', () => {
    forSeeds(2000, (random) => {
      const text = name(random);
      const encoded = encodeMutf7(text);
      expect(encoded).toMatch(/^[\x20-\x7e]*$/);
      expect(decodeMutf7(encoded)).toBe(text);
    });
  });

  test('what decodes is in the one form there is', () => {
    forSeeds(2000, (random) => {
      const encoded = [...encodeMutf7(name(random))];
      for (let i = random.below(3); i >= 0; i--) {
        encoded.splice(random.below(encoded.length + 1), random.below(2), random.pick([...'&-AQ,+/=xé\0']));
      }
      const text = encoded.join('');
      const decoded = decodeMutf7(text);
      if (decoded !== null) expect(encodeMutf7(decoded)).toBe(text);
    });
  });

  test.each([
    ['&', 'a shift without end'],
    ['&U,BTFw', 'a shift cut off'],
    ['&U,BTF-', 'half a character'],
    ['&AGE-', 'ASCII that stands for itself'],
    ['&U,BT-&Fw-', 'two shifts where one would do'],
    ['&AOQ-&APY-', 'adjacent shifts'],
    ['&2D0-', 'a surrogate alone'],
    ['&3gDYPQ-', 'surrogates in the wrong order'],
    ['&AOR-', 'bits behind the last character'],
    ['&AOQ=-', 'padding'],
    ['&U/BTFw-', 'a slash in base64'],
    ['täst', '8-bit characters'],
    ['a\tb', 'a control character'],
  ])('%p is refused: %s', (encoded) => {
    expect(decodeMutf7(encoded)).toBeNull();
  });
});
