import { describe, expect, test } from 'bun:test';
import { MailError } from '../../src/errors.ts';
import {
  matchSequence,
  parseSequenceSet,
  resolveSequence,
  resolveUids,
  SAVED_RESULT,
} from '../../src/imap/sequence.ts';
import { limits } from '../../src/limits.ts';
import { UidSet } from '../../src/store/uidset.ts';
import { forSeeds } from './seeds.ts';

describe('sequence-set', () => {
  test('as in RFC 9051 §9', () => {
    const fifteen = resolveSequence(parseSequenceSet('2,4:7,9,12:*', false), 15);
    expect([...fifteen]).toEqual([2, 4, 5, 6, 7, 9, 12, 13, 14, 15]);
    const ten = resolveSequence(parseSequenceSet('*:4,5:7', false), 10);
    expect(ten.toString()).toBe('4:10');
    // 3291:* includes the last UID even if that is less than 3291.
    expect(resolveUids(parseSequenceSet('3291:*', false), 120).toString()).toBe('120:3291');
  });

  test('what is no set', () => {
    const wrong = [
      '',
      '0',
      '0:3',
      '1:0',
      '01',
      'a',
      '1,',
      ',1',
      '1,,2',
      '1:',
      ':1',
      '1:2:3',
      '**',
      '1 2',
      '-1',
      '+1',
    ];
    for (
      const text of [...wrong, '4294967296', '99999999999999999999999', '1:4294967296', '$', '1,$', '$,1']
    ) {
      expect(() => parseSequenceSet(text, false)).toThrow(MailError);
    }
    expect(parseSequenceSet('4294967295', false).pairs).toEqual([4294967295, 4294967295]);
  });

  test('$ only where it was announced, and alone', () => {
    expect(parseSequenceSet('$', true)).toBe(SAVED_RESULT);
    expect(() => parseSequenceSet('$,1', true)).toThrow(MailError);
    const saved = UidSet.of(3, 9);
    expect(resolveSequence(SAVED_RESULT, 0, saved)).toBe(saved);
    expect(resolveUids(SAVED_RESULT, 1, saved)).toBe(saved);
  });

  test('sequence numbers beyond the mailbox are the client’s mistake', () => {
    expect(() => resolveSequence(parseSequenceSet('1:4', false), 3)).toThrow('there is no message 4');
    expect(() => resolveSequence(parseSequenceSet('*', false), 0)).toThrow('empty');
    expect(() => resolveSequence(parseSequenceSet('1:*', false), 0)).toThrow('empty');
  });

  test('as a SEARCH key a set matches what exists of it', () => {
    const match = (text: string, exists: number): string =>
      matchSequence(parseSequenceSet(text, false), exists).toString();
    expect(match('1000', 6)).toBe('');
    expect(match('2,5:1000', 6)).toBe('2,5:6');
    expect(match('9:*', 6)).toBe('6');
    expect(match('1:*', 0)).toBe('');
    expect(match('*', 0)).toBe('');
  });

  test('UIDs need not exist', () => {
    expect(resolveUids(parseSequenceSet('1:*', false), 1).toString()).toBe('1');
    expect(resolveUids(parseSequenceSet('4294967295:*', false), 9).toString()).toBe('9:4294967295');
  });

  test('elements are counted', () => {
    const most = limits.imap_sequence_elements.value;
    const many = Array.from({ length: most }, (_unused, index) => 2 * index + 1);
    expect(resolveUids(parseSequenceSet(many.join(','), false), 1).runCount).toBe(most);
    expect(() => parseSequenceSet([...many, 2 * most + 1].join(','), false)).toThrow('at most');
  });

  test('any order and overlap resolve to the same set as one number after the other', () => {
    forSeeds(300, (random) => {
      const exists = 1 + random.below(40);
      const expected = new Set<number>();
      const text = Array.from({ length: 1 + random.below(8) }, () => {
        const [a, b] = [random.below(exists + 1), random.below(exists + 1)];
        const [from, to] = [a || exists, random.oneIn(2) ? b || exists : a || exists];
        for (let n = Math.min(from, to); n <= Math.max(from, to); n++) expected.add(n);
        const [left, right] = [
          from === exists && random.oneIn(2) ? '*' : from,
          to === exists && random.oneIn(2) ? '*' : to,
        ];
        return from === to && random.oneIn(2) ? `${left}` : `${left}:${right}`;
      }).join(',');
      const resolved = resolveSequence(parseSequenceSet(text, false), exists);
      expect([...resolved]).toEqual([...expected].sort((a, b) => a - b));
    });
  });
});
