import { describe, expect, test } from 'bun:test';
import { MailError } from '../../src/errors.ts';
import { MAX_UID, UidSet } from '../../src/store/uidset.ts';
import { Random } from '../harness/random.ts';
import { forSeeds } from '../imap/seeds.ts';

/** The slow, obvious model: the members in ascending order. */
type Model = number[];

function sorted(members: Iterable<number>): Model {
  return [...new Set(members)].sort((a, b) => a - b);
}

function generate(random: Random): { set: UidSet; model: Model } {
  const top = random.pick([5, 30, 200]);
  const members = new Set<number>();
  const pairs: number[] = [];
  for (let i = random.below(12); i > 0; i--) {
    const lo = 1 + random.below(top);
    const hi = lo + random.below(random.pick([1, 4, 40]));
    pairs.push(lo, hi);
    for (let uid = lo; uid <= hi; uid++) members.add(uid);
  }
  return { set: UidSet.fromRuns(pairs), model: sorted(members) };
}

/** The members and the one form a set has. */
function check(set: UidSet, model: Model): void {
  expect([...set]).toEqual(model);
  expect(set.size).toBe(model.length);
  expect(set.isEmpty).toBe(model.length === 0);
  expect(set.min).toBe(model[0] ?? 0);
  expect(set.max).toBe(model.at(-1) ?? 0);
  expect(set.runs.length % 2).toBe(0);
  for (let i = 0; i < set.runs.length; i++) {
    const [previous, current] = [set.runs[i - 1], set.runs[i] as number];
    if (previous === undefined) continue;
    if (i % 2 === 1) expect(current).toBeGreaterThanOrEqual(previous);
    else expect(current).toBeGreaterThan(previous + 1);
  }
  expect(UidSet.parse(set.toString()).equals(set)).toBe(true);
}

describe('UidSet against a list of numbers', () => {
  test('operations between sets', () => {
    forSeeds(600, (random) => {
      const a = generate(random);
      const b = generate(random);
      check(a.set, a.model);
      check(a.set.union(b.set), sorted([...a.model, ...b.model]));
      check(a.set.intersect(b.set), a.model.filter((uid) => b.model.includes(uid)));
      check(a.set.subtract(b.set), a.model.filter((uid) => !b.model.includes(uid)));
      expect(a.set.equals(b.set)).toBe(a.model.join() === b.model.join());
    });
  });

  test('ranges: clip, add, has, rank', () => {
    forSeeds(600, (random) => {
      const { set, model } = generate(random);
      const lo = 1 + random.below(250);
      const hi = lo + random.below(60) - 5;
      check(set.clip(lo, hi), model.filter((uid) => lo <= uid && uid <= hi));
      const added: number[] = [];
      for (let uid = lo; uid <= hi; uid++) added.push(uid);
      check(set.add(lo, hi), sorted([...model, ...added]));
      check(UidSet.range(lo, hi), added);
      for (let uid = 0; uid < 20; uid++) {
        const probe = random.below(260);
        expect(set.has(probe)).toBe(model.includes(probe));
        expect(set.rank(probe)).toBe(model.filter((member) => member <= probe).length);
        expect(set.positionOf(probe)).toBe(model.indexOf(probe) + 1);
      }
    });
  });

  test('positions are sequence numbers, both ways', () => {
    forSeeds(600, (random) => {
      const { set, model } = generate(random);
      const { set: other } = generate(random);
      for (let position = 0; position <= model.length + 1; position++) {
        expect(set.at(position)).toBe(model[position - 1] ?? 0);
      }
      const from = random.below(20);
      const to = from + random.below(40) - 3;
      check(set.slice(from, to), model.slice(Math.max(from, 1) - 1, Math.max(to, 0)));
      const positions = model.flatMap((uid, index) => other.has(uid) ? [index + 1] : []);
      check(set.positions(other), positions);
      check(set.atPositions(other), model.filter((_uid, index) => other.has(index + 1)));
      check(set.atPositions(set.positions(other)), [...set.intersect(other)]);
    });
  });

  test('a set does not change when others are made of it', () => {
    forSeeds(100, (random) => {
      const { set, model } = generate(random);
      const { set: other } = generate(random);
      set.union(other).subtract(set).add(1, 300);
      set.add(set.max + 1);
      set.add(Math.max(set.max - 1, 1), set.max + 3);
      check(set, model);
    });
  });

  test('fromSorted and of', () => {
    forSeeds(200, (random) => {
      const { set, model } = generate(random);
      check(UidSet.fromSorted(model), model);
      check(UidSet.fromSorted(model.flatMap((uid) => [uid, uid])), model);
      check(UidSet.of(...model.toReversed()), model);
      const runs: [number, number][] = [];
      set.forEachRun((lo, hi) => runs.push([lo, hi]));
      expect(runs.flat()).toEqual([...set.runs]);
      expect(set.runCount).toBe(runs.length);
    });
  });
});

describe('UidSet at its edges', () => {
  test('the largest UID', () => {
    const set = UidSet.range(1, MAX_UID);
    expect(set.size).toBe(MAX_UID);
    expect(set.at(MAX_UID)).toBe(MAX_UID);
    expect(set.positionOf(MAX_UID)).toBe(MAX_UID);
    expect(set.union(UidSet.of(MAX_UID)).equals(set)).toBe(true);
    expect(set.subtract(UidSet.range(2, MAX_UID)).toString()).toBe('1');
    expect(UidSet.of(MAX_UID - 1).add(MAX_UID).toString()).toBe('4294967294:4294967295');
  });

  test('a large mailbox without gaps is one run', () => {
    const set = UidSet.fromSorted(Array.from({ length: 100_000 }, (_unused, index) => index + 7));
    expect(set.toString()).toBe('7:100006');
  });

  test('text that is no set', () => {
    for (const text of ['0', 'a', '1,', ',1', '1:', ':1', '1:*', '4294967296', '1 2', '-1', '1:2:3', '1e3']) {
      expect(() => UidSet.parse(text)).toThrow(MailError);
    }
    expect(UidSet.parse('5:1,7,6').toString()).toBe('1:7');
    expect(UidSet.parse('')).toBe(UidSet.empty);
  });

  test('numbers that are no UIDs are refused as a bug', () => {
    expect(() => UidSet.of(0)).toThrow('0 is no UID');
    expect(() => UidSet.of(1.5)).toThrow('1.5 is no UID');
    expect(() => UidSet.range(1, MAX_UID + 1)).toThrow('4294967296 is no UID');
    expect(() => UidSet.fromRuns([3, 2])).toThrow('reversed');
    expect(() => UidSet.fromSorted([3, 2])).toThrow('UID 2 follows 3');
  });
});

test('positions are right in sets that grew out of others whose positions were asked for', () => {
  forSeeds(500, (random) => {
    const model: number[] = [];
    let set = UidSet.empty;
    for (let step = 0; step < 20; step++) {
      const lo = (model.at(-1) ?? 0) + 1 + random.pick([0, 0, 1, 5]);
      const hi = lo + random.below(4);
      for (let uid = lo; uid <= hi; uid++) model.push(uid);
      set = random.oneIn(2) ? set.add(lo, hi) : set.union(UidSet.range(lo, hi));
      if (random.oneIn(2)) expect(set.positionOf(hi)).toBe(model.length);
      if (!random.oneIn(3)) continue;
      const gone = model.filter(() => random.oneIn(5));
      set = set.subtract(UidSet.of(...gone));
      for (const uid of gone) model.splice(model.indexOf(uid), 1);
    }
    expect(set.size).toBe(model.length);
    expect([...set]).toEqual(model);
    expect(model.map((uid) => set.positionOf(uid))).toEqual(model.map((_uid, i) => i + 1));
    expect(model.map((_uid, i) => set.at(i + 1))).toEqual(model);
  });
});
