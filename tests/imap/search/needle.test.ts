import { expect, test } from 'bun:test';
import { Needle } from '../../../src/imap/search/needle.ts';
import { fold } from '../../../src/mime/fold.ts';
import { forSeeds } from '../seeds.ts';

/** What a search means: both folded, one in the other. */
function holds(text: string, part: string): boolean {
  return fold(text).includes(fold(part));
}

test('no character of Unicode brings ASCII about, or takes it away, unnoticed', () => {
  const ascii = Array.from({ length: 95 }, (_unused, i) => String.fromCharCode(32 + i));
  const all = new Needle(ascii.join(''));
  const unchanged = fold(ascii.join(''));
  const few = [new Needle('k'), new Needle('S')];
  const each = ascii.map((letter) => new Needle(letter));
  for (let code = 0x80; code < 0x110000; code++) {
    if (code === 0xd800) code = 0xe000;
    const character = String.fromCodePoint(code);
    // Only marks join with what stands before them; those are tried behind every letter.
    if (code < 0x3000 || /\p{M}/u.test(character)) {
      const text = ascii.map((letter) => letter + character).join('');
      const folded = fold(text);
      const plain = folded.replace(/[^\x00-\x7f]/g, '') === unchanged;
      for (const needle of plain ? few : each) {
        if (needle.inText(text) !== folded.includes(needle.folded)) throw new Error(`U+${code.toString(16)}`);
      }
    } else if (code % 7 === 0 || fold(character) !== character) {
      const text = `a=${character}z`;
      const wrong = ['A=', '=Z', 'Z', 'S', 'I', 'K', 'F'].find((part) =>
        new Needle(part).inText(text) !== fold(text).includes(part)
      );
      if (wrong !== undefined) throw new Error(`U+${code.toString(16)} and ${wrong}`);
    }
  }
  expect(all.inText(ascii.join(''))).toBe(true);
});

test('found is what folding both finds', () => {
  const pieces = [
    'a',
    'S',
    'ß',
    'ss',
    'ſ',
    'ﬁ',
    'fi',
    'é',
    'e',
    '\u0301',
    'Σ',
    'ς',
    'K',
    'k',
    ' ',
    '.',
    '*',
    '\\',
    '日',
    '\n',
  ];
  forSeeds(5000, (random) => {
    const word = (most: number) =>
      Array.from({ length: random.below(most) }, () => random.pick(pieces)).join('');
    const [text, part] = [word(8), word(3)];
    expect({ text, part, found: new Needle(part).inText(text) }).toEqual({
      text,
      part,
      found: holds(text, part),
    });
  });
});

test('what is special in a regular expression is looked for as it is', () => {
  for (const text of ['a.b', '(x', '[', '\\d', '$', '^', 'a|b', '{2}', '?', '*', '+', '/']) {
    expect(new Needle(text).inText(`-${text}-`)).toBe(true);
    expect(new Needle(text).inText('-dxab2-')).toBe(false);
  }
});
