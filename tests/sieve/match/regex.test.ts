/** `:regex` against a model that tries every way a tree can match. */

import { expect, test } from 'bun:test';
import { asciiCasemap } from '../../../src/sieve/match/asciicasemap.ts';
import type { Comparator } from '../../../src/sieve/match/comparator.ts';
import { octet } from '../../../src/sieve/match/octet.ts';
import { regex } from '../../../src/sieve/match/regex.ts';
import { parseRegex } from '../../../src/sieve/match/regex/parse.ts';
import type { RegexNode } from '../../../src/sieve/match/regex/syntax.ts';
import { unicodeCasemap } from '../../../src/sieve/match/unicodecasemap.ts';
import { Values } from '../../../src/sieve/match/values.ts';
import { fromOctets, toOctets } from '../../../src/sieve/octets.ts';
import { forSeeds, type Random } from '../../mime/random.ts';

/** The match and its groups, null for none. */
function find(pattern: string, value: string, comparator: Comparator = octet): string[] | null {
  let captured: readonly string[] = [];
  const matcher = regex.compile(comparator, [toOctets(pattern)], null);
  const values = new Values([toOctets(value)]);
  const found = matcher.match(values, { set: (groups) => captured = groups });
  expect(matcher.match(values, null)).toBe(found);
  return found ? captured.map(fromOctets) : null;
}

function wrong(pattern: string): string {
  return regex.check?.(pattern, octet, null) ?? 'nothing';
}

/** Groups while trying: start and end by number. */
type Groups = readonly (readonly [number, number] | undefined)[];

/** All ways a node matches `text` from `at`, in the order a greedy search tries them. */
function* ways(node: RegexNode, text: string, at: number, groups: Groups): Generator<[number, Groups]> {
  switch (node.kind) {
    case 'character':
      if (text.charCodeAt(at) === node.code) yield [at + 1, groups];
      return;
    case 'any':
      if (at < text.length) yield [at + 1, groups];
      return;
    case 'set':
      if (at < text.length && node.set.has(text.charCodeAt(at), 'exact')) yield [at + 1, groups];
      return;
    case 'assertion':
      if (node.what === 'start' ? at === 0 : at === text.length) yield [at, groups];
      return;
    case 'group':
      for (const [end, inner] of ways(node.node, text, at, groups)) {
        const next = [...inner];
        next[node.index] = [at, end];
        yield [end, next];
      }
      return;
    case 'sequence':
      yield* sequence(node.nodes, text, at, groups);
      return;
    case 'alternatives':
      for (const inner of node.nodes) yield* ways(inner, text, at, groups);
      return;
    case 'repeat':
      yield* repeated(node.node, node.min, node.max, text, at, groups);
  }
}

function* sequence(
  nodes: readonly RegexNode[],
  text: string,
  at: number,
  groups: Groups,
): Generator<[number, Groups]> {
  const [first, ...rest] = nodes;
  if (first === undefined) {
    yield [at, groups];
    return;
  }
  for (const [end, inner] of ways(first, text, at, groups)) yield* sequence(rest, text, end, inner);
}

function* repeated(
  node: RegexNode,
  min: number,
  max: number,
  text: string,
  at: number,
  groups: Groups,
): Generator<[number, Groups]> {
  if (max > 0) {
    for (const [end, inner] of ways(node, text, at, groups)) {
      // Repeating nothing for ever leads nowhere new.
      if (end === at && min <= 0 && max === Infinity) continue;
      yield* repeated(node, min - 1, max - 1, text, end, inner);
    }
  }
  if (min <= 0) yield [at, groups];
}

/** Leftmost, of these the longest, of these the first. */
function model(pattern: string, text: string): string[] | null {
  const { root, groups: count } = parseRegex(pattern, 'exact');
  for (let start = 0; start <= text.length; start++) {
    let best: [number, Groups] | null = null;
    for (const way of ways(root, text, start, [])) if (best === null || way[0] > best[0]) best = way;
    if (best === null) continue;
    const [end, groups] = best;
    const out = [text.slice(start, end)];
    for (let i = 1; i <= count; i++) {
      out.push(groups[i] === undefined ? '' : text.slice(...(groups[i] as [number, number])));
    }
    return out;
  }
  return null;
}

/** A random expression; `loops` inside each other only where nothing in them can be empty. */
function expression(random: Random, depth: number): string {
  const parts: string[] = [];
  for (let n = 1 + random.below(3); n > 0; n--) {
    let part: string;
    if (depth > 0 && random.once(3)) {
      part = `(${expression(random, depth - 1)}${random.once(2) ? '|' + expression(random, depth - 1) : ''})`;
    } else {
      part = random.pick(['a', 'b', 'c', '.', '[ab]', '[^a]', '[a-b]']);
    }
    const canBeEmpty = model(part, '') !== null;
    if (random.once(3)) {
      part += random.pick(canBeEmpty ? ['?'] : ['*', '+', '?', '{2}', '{1,2}', '{0,3}', '{2,}']);
    }
    parts.push(part);
  }
  if (random.once(10)) parts.unshift('^');
  if (random.once(10)) parts.push('$');
  return parts.join('');
}

test('any expression over any text is what trying everything gives', () => {
  forSeeds(4_000, (random) => {
    const pattern = expression(random, 2);
    const text = random.text('abc', 9);
    expect({ pattern, text, found: find(pattern, text) }).toEqual({
      pattern,
      text,
      found: model(pattern, text),
    });
  });
});

test("and what the runtime's expressions say about there being a match at all", () => {
  forSeeds(4_000, (random) => {
    const pattern = expression(random, 3) + random.pick(['', '|', '()*', '(a*)*', '(|b)+']);
    const text = random.text('abcd', 12);
    expect({ pattern, text, found: find(pattern, text) !== null }).toEqual({
      pattern,
      text,
      found: new RegExp(pattern).test(text),
    });
  });
});

test('the leftmost match and of these the longest', () => {
  expect(find('a|ab|abc', 'xabcd')).toEqual(['abc']);
  expect(find('abcd|bc', 'abce')).toEqual(['bc']);
  expect(find('(foo|foobar)(bar)?', 'foobar')).toEqual(['foobar', 'foo', 'bar']);
  expect(find('\\[([^]]+)\\] *(.*)$', 'Re: [acme] out now')).toEqual(['[acme] out now', 'acme', 'out now']);
});

test('letters by the comparator', () => {
  expect(find('MONEY', 'money')).toBeNull();
  expect(find('[m-n]ONEY', 'Money', asciiCasemap)).toEqual(['Money']);
  expect(find('[^m]', 'M', asciiCasemap)).toBeNull();
  expect(find('ÄRGER', 'ärger', asciiCasemap)).toBeNull();
  expect(find('^[ä-ü]RGER$', 'Ärger', unicodeCasemap)).toEqual(['Ärger']);
  expect(find('straße', 'STRAßE', unicodeCasemap)).toEqual(['STRAßE']);
});

test('a dot is a character, whatever its octets; what is no UTF-8 is octets', () => {
  expect(find('^.(.)$', 'ä😀')).toEqual(['ä😀', '😀']);
  expect(regex.compile(octet, ['^..$'], null).match(new Values(['\xff\xe4']), null)).toBe(true);
});

test('bracket expressions', () => {
  expect(find('[]x-]+', 'a]-x]b')).toEqual([']-x]']);
  expect(find('[^]a]+', ']ab]')).toEqual(['b']);
  expect(find('[[:digit:][:upper:]_]+', 'ab1A_2c')).toEqual(['1A_2']);
  expect(find('[[.-.][=a=]]+', 'b-a-')).toEqual(['-a-']);
  expect(find('[[:alpha:]]+', '1äß2')).toEqual(['äß']);
  expect(find('[\\n]+', 'a\\n')).toEqual(['\\n']);
  expect(find('[a-]+', 'b-a')).toEqual(['-a']);
});

test('words and classes as GNU writes them', () => {
  expect(find('\\<cat\\>', 'concat cat')).toEqual(['cat']);
  expect(find('\\bcat', 'concat cat')).toEqual(['cat']);
  expect(find('\\Bcat', 'cat concat')).toEqual(['cat']);
  expect(find('\\w+\\s\\W', 'ab_1 !')).toEqual(['ab_1 !']);
  expect(find('\\d+\\D', 'a12b')).toEqual(['12b']);
  expect(find('\\$\\.\\{', '$.{')).toEqual(['$.{']);
});

test('what is wrong is told with its place', () => {
  expect(wrong('a(b')).toBe("regular expression, character 2: '(' without ')'");
  expect(wrong('ab)')).toBe("regular expression, character 3: ')' without '('");
  expect(wrong('ab[c')).toBe("regular expression, character 3: '[' without ']'");
  expect(wrong('*a')).toBe("regular expression, character 1: nothing before '*' that could be repeated");
  expect(wrong('a|+')).toBe("regular expression, character 3: nothing before '+' that could be repeated");
  expect(wrong('a{2')).toContain("character 2: '{' needs one or two numbers");
  expect(wrong('a{3,2}')).toContain('character 2: the least number of times');
  expect(wrong('[z-a]')).toContain('character 2: a range whose end');
  expect(wrong('[[:frop:]]')).toContain("character 2: no class of characters is called 'frop'");
  expect(wrong('(a)\\1')).toContain('character 4: back-references');
  expect(wrong('a\\')).toContain('character 2: a backslash with nothing');
});

test('a program is bounded', () => {
  expect(wrong('a{256}')).toContain('cannot repeat more than 255 times');
  expect(wrong('((a{255}){255}){255}')).toContain('too large');
  expect(wrong('('.repeat(65) + ')'.repeat(65))).toContain('more than 64 groups inside each other');
  expect(wrong('('.repeat(64) + ')'.repeat(64))).toBe('nothing');
  expect(wrong('(a{255}){31}')).toBe('nothing');
});
