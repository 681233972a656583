/** `:matches` against a model that tries every way to fill the wildcards. */

import { expect, test } from 'bun:test';
import { asciiCasemap } from '../../../src/sieve/match/asciicasemap.ts';
import type { Comparator } from '../../../src/sieve/match/comparator.ts';
import { matches } from '../../../src/sieve/match/matches.ts';
import { octet } from '../../../src/sieve/match/octet.ts';
import { unicodeCasemap } from '../../../src/sieve/match/unicodecasemap.ts';
import { Values } from '../../../src/sieve/match/values.ts';
import { fromOctets, toOctets } from '../../../src/sieve/octets.ts';
import { forSeeds } from '../../mime/random.ts';

/** The captures of a match, null for none. */
function glob(pattern: string, value: string, comparator: Comparator = octet): string[] | null {
  let captured: readonly string[] = [];
  const found = matches.compile(comparator, [toOctets(pattern)], null).match(
    new Values([toOctets(value)]),
    { set: (groups) => captured = groups },
  );
  return found ? captured.map(fromOctets) : null;
}

/** Every way, the one with the shortest texts from left to right first. */
function model(pattern: string, value: string): string[] | null {
  if (pattern === '') return value === '' ? [] : null;
  const rest = pattern.slice(1);
  if (pattern[0] === '*') {
    for (let length = 0; length <= value.length; length++) {
      const found = model(rest, value.slice(length));
      if (found !== null) return [value.slice(0, length), ...found];
    }
    return null;
  }
  if (value === '') return null;
  if (pattern[0] === '?') {
    const found = model(rest, value.slice(1));
    return found === null ? null : [value[0] as string, ...found];
  }
  const literal = pattern[0] === '\\' && rest !== '' ? rest[0] : pattern[0];
  return literal === value[0]
    ? model(pattern[0] === '\\' && rest !== '' ? rest.slice(1) : rest, value.slice(1))
    : null;
}

test('wildcards hold as little as possible, from left to right', () => {
  // RFC 5229 §3.2.
  expect(glob('[*] *', '[acme-users] [fwd] version 1.0 is out')).toEqual([
    '[acme-users] [fwd] version 1.0 is out',
    'acme-users',
    '[fwd] version 1.0 is out',
  ]);
  expect(glob('coyote@**.com', 'coyote@ACME.Example.COM', asciiCasemap)).toEqual([
    'coyote@ACME.Example.COM',
    '',
    'ACME.Example',
  ]);
  expect(glob('*<*@*', 'Frop <list@example.org>')).toEqual([
    'Frop <list@example.org>',
    'Frop ',
    'list',
    'example.org>',
  ]);
});

test('a backslash makes a wildcard a character', () => {
  expect(glob('\\*?\\?\\\\', '*x?\\')).toEqual(['*x?\\', 'x']);
  expect(glob('\\*', 'a')).toBeNull();
  expect(glob('a\\', 'a\\')).toEqual(['a\\']);
});

test('any pattern over any value is what trying everything gives', () => {
  forSeeds(12_000, (random) => {
    const pattern = random.text(random.once(2) ? 'ab*?' : 'ab***\\?', 9);
    const value = random.text('aab', 12);
    const found = model(pattern, value);
    expect({ pattern, value, found: glob(pattern, value) }).toEqual({
      pattern,
      value,
      found: found === null ? null : [value, ...found],
    });
  });
});

test('long pieces, with and without ?, are found wherever they stand', () => {
  forSeeds(150, (random) => {
    const piece = random.text('ab', 40) + random.text('ab', 50) + random.text('ab', 50) + 'c';
    const holes = piece.replace(/[ab]/g, (letter) => random.once(6) ? '?' : letter);
    const before = random.text('ab', 200);
    const value = before + piece + random.text('ab', 60);
    for (const pattern of [`*${piece}*`, `*${holes}*`]) {
      const at = glob(pattern, value)?.[1]?.length;
      const expression = new RegExp(pattern.slice(1, -1).replaceAll('?', '.'));
      expect({ pattern, value, at }).toEqual({ pattern, value, at: expression.exec(value)?.index });
    }
  });
});

test('? is an octet with i;octet and i;ascii-casemap, a character with i;unicode-casemap', () => {
  // RFC 5228 §2.7.1.
  expect(glob('?', 'é')).toBeNull();
  expect(glob('??', 'é', asciiCasemap)?.length).toBe(3);
  expect(glob('?', 'é', unicodeCasemap)).toEqual(['é', 'é']);
  expect(glob('?', 'e\u0301', unicodeCasemap)?.[1]).toBe('é');
  expect(glob('x?*Z', 'X😀 ÄÖz', unicodeCasemap)).toEqual(['X😀 ÄÖz', '😀', ' ÄÖ']);
  expect(glob('*ärger?', 'Viel ÄRGER!', unicodeCasemap)).toEqual(['Viel ÄRGER!', 'Viel ', '!']);
  expect(glob('?l?', 'ﬂx', unicodeCasemap)).toBeNull();
});

test('more wildcards than match variables still match', () => {
  expect(glob('?'.repeat(100), 'a'.repeat(100))?.length).toBe(33);
});
