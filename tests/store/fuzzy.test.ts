import { expect, test } from 'bun:test';
import { nearestPath } from '../../src/store/fuzzy.ts';

const PATHS = ['', 'telephone', 'Ice Cream', 'Lists', 'Lists/Bikes', 'lists/bikes/old'];

test.each(
  [
    ['telephone', 'telephone'],
    ['TELEPHONE', 'telephone'],
    ['ice_cream', 'Ice Cream'],
    ['Ice Cream', 'Ice Cream'],
    ['lists/bikes/new/old', 'Lists/Bikes'],
    ['LISTS/BIKES/OLD', 'lists/bikes/old'],
    ['Lists/Cars', 'Lists'],
    ['Listsx', null],
    ['List', null],
    ['nowhere/at/all', null],
  ] as const,
)('%s is %p', (wanted, found) => {
  expect(nearestPath(PATHS, wanted)).toBe(found);
});

test('the exact one before those that only look alike', () => {
  expect(nearestPath(['inbox_x', 'Inbox X', 'inbox x'], 'inbox x')).toBe('inbox x');
});
