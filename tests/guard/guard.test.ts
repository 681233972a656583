/**
 * No operation becomes dearer unnoticed: system calls, bytes written, syncs and, where the machine counts them,
 * instructions are compared with those in figures.json. scripts/bench/record writes that file anew.
 */

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import stored from './figures.json' with { type: 'json' };
import { compare, type Stored } from './compare.ts';
import { countable } from './instructions.ts';
import { GuardedStore, type Operation, OPERATIONS } from './operations.ts';

/** How often an operation may be measured: a busy machine makes the odd call more, never one less. */
const TRIES = 3;

const { tolerance, operations }: Stored = stored;
let store: GuardedStore;

beforeAll(async () => {
  store = await GuardedStore.start();
  if (!await countable()) {
    console.log('instructions cannot be counted on this machine: they are not compared');
  }
});

afterAll(async () => {
  await store.dispose();
});

async function dearer(operation: Operation): Promise<string[]> {
  let complaints: string[] = [];
  for (let round = 0; round < TRIES; round++) {
    const measured = await store.measure(operation);
    complaints = compare(operation.name, operations[operation.name], measured, tolerance);
    if (complaints.length === 0) break;
  }
  return complaints;
}

describe('no operation is dearer than recorded', () => {
  for (const operation of OPERATIONS) {
    test(operation.name, async () => {
      expect(await dearer(operation)).toEqual([]);
    });
  }
});

test('nothing is recorded that is not measured', () => {
  expect(Object.keys(operations).sort()).toEqual(OPERATIONS.map(({ name }) => name).sort());
});

describe('what is dearer is found', () => {
  const before = { calls: 20, syncs: 1, written: 8000, instructions: 1e6 };
  const cases = [
    ['more calls', { calls: 24 }, 'an operation: 24.0 calls instead of 20.0, 20 % more'],
    ['one sync more', { syncs: 1.02 }, 'an operation: 1.0 syncs instead of 1.0, 2 % more'],
    ['more bytes', { written: 12_000 }, 'an operation: 12000.0 written instead of 8000.0, 50 % more'],
    [
      'more instructions',
      { instructions: 2e6 },
      'an operation: 2000000.0 instructions instead of 1000000.0, 100 % more',
    ],
  ] as const;
  for (const [title, change, complaint] of cases) {
    test(title, () => {
      expect(compare('an operation', before, { ...before, ...change }, tolerance)).toEqual([complaint]);
    });
  }

  test('what is within the tolerance or cannot be counted is not', () => {
    const now = { calls: 22, syncs: 1, written: 8100, instructions: null };
    expect(compare('an operation', before, now, tolerance)).toEqual([]);
  });
});
