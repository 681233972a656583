import { expect, test } from 'bun:test';
import { Random } from '../harness/random.ts';
import { FAULTS, nameOf } from './faults.ts';
import { runRounds } from './rounds.ts';

/** So many of them, others in each run, and a write that is cut short; scripts/crash/run --faults goes through all. */
const ROUNDS = 8;
const CALLS = ['fdatasync', 'write', 'openat', 'pwrite64'];

test(
  'calls of the writer that fail: a temporary error, nothing half done, service goes on by itself',
  async () => {
    const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 2 ** 31);
    const random = new Random(seed);
    const all = FAULTS.filter(({ role, call }) => role === 'writer' && CALLS.includes(call));
    const short = FAULTS.filter(({ role, call }) => role === 'writer' && call === 'short');
    const faults = [random.pick(short), ...Array.from({ length: ROUNDS - 1 }, () => random.pick(all))];
    const outcome = await runRounds({
      seed,
      faults,
      rounds: faults.length,
      report: (text) => console.log(`seed ${seed}: ${text}`),
    });
    expect({ faults: faults.map(nameOf), wrong: outcome.wrong }).toEqual({
      faults: faults.map(nameOf),
      wrong: [],
    });
    expect(outcome.rounds).toBe(ROUNDS);
    expect(outcome.failed).toBeGreaterThanOrEqual(ROUNDS);
  },
  900_000,
);
