import { expect, test } from 'bun:test';
import { runRounds } from './rounds.ts';

/** Long enough for hundreds of rounds; scripts/crash/run runs as many as one likes. */
const MILLISECONDS = 90_000;

test('whatever is killed, what was acknowledged is there once', async () => {
  const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 2 ** 31);
  const outcome = await runRounds({
    seed,
    rounds: Number(process.env['CRASH_ROUNDS'] ?? 100_000),
    milliseconds: MILLISECONDS,
    report: (text) => console.log(`seed ${seed}: ${text}`),
  });
  expect(outcome.wrong).toEqual([]);
  expect(outcome.acknowledged).toBeGreaterThan(outcome.rounds);
}, MILLISECONDS * 3);
