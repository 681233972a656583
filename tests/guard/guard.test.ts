/**
 * No operation becomes dearer unnoticed: system calls, bytes written, syncs and, where the machine counts them,
 * instructions are compared with those in figures.json. scripts/bench/record writes that file anew.
 */

import { describe, expect, test } from 'bun:test';
import stored from './figures.json' with { type: 'json' };
import { compare, type Stored } from './compare.ts';
import { countable } from './instructions.ts';
import { measureOperations, OPERATIONS } from './operations.ts';

const { tolerance, operations } = stored as Stored;
const measured = await measureOperations();
if (!await countable()) console.log('instructions cannot be counted on this machine: not compared');

describe('no operation is dearer than recorded', () => {
  for (const { name } of OPERATIONS) {
    test(name, () => {
      expect(compare(name, operations[name], measured.get(name), tolerance)).toEqual([]);
    });
  }
});

test('nothing is recorded that is not measured', () => {
  expect(Object.keys(operations).sort()).toEqual(OPERATIONS.map(({ name }) => name).sort());
});
