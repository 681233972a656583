import { describe, expect, test } from 'bun:test';
import { compareTexts, sortText } from '../../../src/imap/sort/collate.ts';
import type { SortCriterion } from '../../../src/imap/sort/criterion.ts';
import { mergeSort, numericOrder, type SortMessage, SortTable } from '../../../src/imap/sort/order.ts';
import { limits } from '../../../src/limits.ts';
import { Random } from '../../harness/random.ts';
import { forSeeds } from '../seeds.ts';

const KEYS = ['ARRIVAL', 'CC', 'DATE', 'FROM', 'SIZE', 'SUBJECT', 'TO'] as const;
const TEXTS = ['', 'A', 'AB', 'B', '\u{1f600}', '\ufb01', '\ue000'];

function finish<Result>(steps: Generator<void, Result>): Result {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

function sorted(criteria: readonly SortCriterion[], messages: readonly SortMessage[]): number[] {
  const table = new SortTable(criteria);
  for (const message of messages) table.add(message);
  return finish(table.order());
}

/** The slow model: inserts each message before the first that is greater, comparing octets. */
function slowly(criteria: readonly SortCriterion[], messages: readonly SortMessage[]): number[] {
  const value = (message: SortMessage, key: SortCriterion['key']) =>
    ({
      ARRIVAL: message.internaldate,
      DATE: message.sent,
      SIZE: message.size,
      SUBJECT: message.subject,
      FROM: message.from,
      TO: message.to,
      CC: message.cc,
    })[key];
  const greater = (a: SortMessage, b: SortMessage): boolean => {
    for (const { key, reverse } of criteria) {
      const [x, y] = [value(a, key), value(b, key)];
      const order = typeof x === 'number' && typeof y === 'number'
        ? Math.sign(x - y)
        : Buffer.compare(Buffer.from(String(x)), Buffer.from(String(y)));
      if (order !== 0) return reverse ? order < 0 : order > 0;
    }
    return false;
  };
  const out: SortMessage[] = [];
  for (const message of messages) {
    const at = out.findIndex((other) => greater(other, message));
    out.splice(at < 0 ? out.length : at, 0, message);
  }
  return out.map(({ uid }) => uid);
}

describe('the order of SORT', () => {
  test('is that of the slow model', () => {
    forSeeds(300, (random) => {
      const messages = Array.from({ length: random.below(30) }, (_unused, index): SortMessage => ({
        uid: 3 * index + 1,
        internaldate: random.below(3),
        sent: random.below(3),
        size: random.below(3),
        subject: random.pick(TEXTS),
        from: random.pick(TEXTS),
        to: random.pick(TEXTS),
        cc: random.pick(TEXTS),
      }));
      const criteria = Array.from({ length: 1 + random.below(4) }, () => ({
        key: random.pick(KEYS),
        reverse: random.oneIn(2),
      }));
      expect(sorted(criteria, messages)).toEqual(slowly(criteria, messages));
    });
  });

  test('many messages are merged from runs, equals in their order', () => {
    const items = Array.from({ length: 30_000 }, (_unused, index) => ({ key: index * 7919 % 101, index }));
    const steps = finish(mergeSort(items, (a, b) => a.key - b.key));
    expect(steps).toEqual(items.toSorted((a, b) => a.key - b.key || a.index - b.index));
  });
});

describe('numbers', () => {
  for (const count of [0, 1, 1000, 70_000]) {
    test(`${count} of them, negative, equal and huge ones among them`, () => {
      for (const range of [3, 2e9, Number.MAX_SAFE_INTEGER]) {
        const random = new Random(count);
        const values = Array.from(
          { length: count },
          () => random.below(Math.min(range, 2 ** 31)) * (range > 2 ** 31 ? 2 ** 20 : 1) - 1,
        );
        for (const sign of [1, -1]) {
          const order = finish(numericOrder(values, sign));
          const model = values.map((value, index) => ({ value, index }))
            .sort((a, b) => sign * (a.value - b.value) || a.index - b.index).map(({ index }) => index);
          expect(order).toEqual(model);
        }
      }
    });
  }
});

describe('texts', () => {
  test('case does not count', () => {
    expect(sortText('Straße')).toBe(sortText('STRASSE'));
    expect(compareTexts('', 'A')).toBeLessThan(0);
    expect(compareTexts('\u{1f600}', '\ufb01')).toBeGreaterThan(0);
  });

  test('are compared up to imap_sort_text', () => {
    const most = limits.imap_sort_text.value;
    expect(sortText('x'.repeat(most + 5))).toBe('X'.repeat(most));
  });
});
