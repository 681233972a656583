import { expect, test } from 'bun:test';
import { losePower } from './power/run.ts';
import { SITES, UNNOTICED } from './power/sites.ts';

/** scripts/crash/power opens as many disks as one likes. */
const MILLISECONDS = 20_000;

test(
  'whatever a loss of power leaves, what was acknowledged is there once; no sync is missing or unknown',
  async () => {
    const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 2 ** 31);
    const outcome = await losePower({
      seed,
      rounds: 1,
      states: 100_000,
      milliseconds: MILLISECONDS,
      omissionStates: 200,
      report: (text) => console.log(`seed ${seed}: ${text}`),
    });
    expect(outcome.wrong).toEqual([]);
    expect(outcome.failures).toEqual([]);
    expect(outcome.states).toBeGreaterThan(50);
    expect(outcome.owed).toBeGreaterThan(outcome.states);
    expect(outcome.unknownSyncs).toBe(0);
    // The machine itself: every sync is made by the recorded store, and when it is not, that is noticed.
    const unmade = outcome.omissions.filter(({ syncs }) => syncs === 0).map(({ site }) => site);
    expect(unmade).toEqual([]);
    const unnoticed = outcome.omissions.filter(({ noticed }) => noticed === '').map(({ site }) => site);
    expect(unnoticed).toEqual(Object.keys(SITES).filter((site) => site in UNNOTICED));
  },
  600_000,
);
