import { describe, expect, test } from 'bun:test';
import { compilePattern } from '../../src/imap/glob.ts';
import { forSeeds } from './seeds.ts';

/** The slow model: a table of which rest of the pattern matches which rest of the name. */
function model(pattern: string, name: string, separator: string): boolean {
  const table: boolean[][] = [];
  for (let p = pattern.length; p >= 0; p--) {
    const row: boolean[] = table[p] = [];
    for (let n = name.length; n >= 0; n--) {
      const [wanted, char] = [pattern[p], name[n]];
      if (wanted === undefined) row[n] = char === undefined;
      else if (wanted === '*' || wanted === '%') {
        const wide = char !== undefined && (wanted === '*' || char !== separator);
        row[n] = table[p + 1]?.[n] === true || (wide && row[n + 1] === true);
      } else row[n] = wanted === char && table[p + 1]?.[n + 1] === true;
    }
  }
  return table[0]?.[0] === true;
}

describe('LIST patterns', () => {
  test('agree with the model', () => {
    forSeeds(4000, (random) => {
      const separator = random.pick(['/', '.']);
      const text = (alphabet: string, length: number) =>
        Array.from({ length: random.below(length) }, () => random.pick([...alphabet])).join('');
      const pattern = text(`ab${separator}*%`, 9);
      const name = text(`ab${separator}`, 12);
      expect([pattern, name, compilePattern(pattern, separator)(name)])
        .toEqual([pattern, name, model(pattern, name, separator)]);
    });
  });

  test.each<[string, string, boolean]>([
    ['*', 'a/b/c', true],
    ['%', 'a/b', false],
    ['%', 'a', true],
    ['a/%', 'a/b', true],
    ['a/%', 'a/b/c', false],
    ['a/%', 'a', false],
    ['%/%', 'a/b', true],
    ['', 'a', false],
    ['a', 'A', false],
    ['INBOX', 'INBOX', true],
    ['inbox', 'INBOX', true],
    ['iNb*', 'INBOX', true],
    ['iNb*', 'INBOX/x', false],
    ['inbox/%', 'INBOX/x', true],
    ['inbox/X', 'INBOX/x', false],
    ['Ent%', 'Entwürfe', true],
  ])('%p on %p: %p', (pattern, name, expected) => {
    expect(compilePattern(pattern, '/')(name)).toBe(expected);
  });

  test('a pattern of thousands of wildcards ends at once', () => {
    const name = 'a'.repeat(1000);
    for (const pattern of ['*%'.repeat(20_000), '*a'.repeat(900) + 'b', '%a*'.repeat(600) + 'b']) {
      expect(compilePattern(pattern, '/')(name)).toBe(!pattern.endsWith('b'));
    }
  });
});
