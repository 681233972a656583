import { expect, test } from 'bun:test';
import { Roster } from '../../src/net/roster.ts';

interface Somebody {
  readonly name: number;
  place: number;
}

test('who was added is there until deleted, whatever the order', () => {
  const roster = new Roster<'place', Somebody>('place');
  const all = Array.from({ length: 50 }, (_, name): Somebody => ({ name, place: -1 }));
  const there = new Set<Somebody>();
  let seed = 7;
  for (let step = 0; step < 2_000; step++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const somebody = all[(seed >>> 8) % all.length] as Somebody;
    expect(roster.has(somebody)).toBe(there.has(somebody));
    expect(roster.delete(somebody)).toBe(there.delete(somebody));
    if (seed & 0x80) {
      roster.add(somebody);
      there.add(somebody);
    }
    expect(roster.size).toBe(there.size);
  }
  expect(new Set(roster)).toEqual(there);
});

test('those who are deleted while all are gone through make nobody be left out', () => {
  const roster = new Roster<'place', Somebody>('place');
  const all = Array.from({ length: 20 }, (_, name): Somebody => ({ name, place: -1 }));
  for (const somebody of all) roster.add(somebody);
  const seen = new Set<number>();
  for (const somebody of roster) {
    seen.add(somebody.name);
    roster.delete(somebody);
    // Some take others with them.
    if (somebody.name % 5 === 0) roster.delete(all[(somebody.name + 7) % all.length] as Somebody);
    if (somebody.name === 3) roster.add({ name: 99, place: -1 });
  }
  const left = all.filter(({ name }) => !seen.has(name));
  expect(left.every((somebody) => !roster.has(somebody))).toBe(true);
  expect([...roster].map(({ name }) => name)).toEqual([99]);
});
