import { expect, test } from 'bun:test';
import { runDamage } from './damage.ts';

/** Long enough for dozens of rounds; scripts/crash/damage runs as many as one likes. */
const MILLISECONDS = 25_000;

test('random damage is noticed, stays where it is, and is repaired where the bytes still are', async () => {
  const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 2 ** 31);
  const outcome = await runDamage({
    seed,
    rounds: Number(process.env['CRASH_ROUNDS'] ?? 100_000),
    milliseconds: MILLISECONDS,
    report: (text) => console.log(`seed ${seed}: ${text}`),
  });
  expect(outcome.wrong).toEqual([]);
  expect(outcome.rounds).toBeGreaterThan(5);
}, MILLISECONDS * 6);
