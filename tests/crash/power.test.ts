import { expect, test } from 'bun:test';
import { losePower } from './power/run.ts';

/** scripts/crash/power opens as many disks as one likes. */
const MILLISECONDS = 15_000;

/** Syncs whose lack shows on one of the first disks; scripts/crash/power --syncs leaves out all kinds. */
const SOON_NOTICED = [
  'log batch',
  'log header',
  'log folder, new segment',
  'folder of the log',
  'folder of configdirectory',
  'folder of a partition',
  'stage file',
  'stage folder',
  'syncfs of configdirectory',
  'syncfs of a partition',
  'syncfs before a user goes',
  'syncfs before an owner is replaced',
  'note of a rebuild',
  'syncfs after a rebuild',
  'syncfs, new directory.db',
  'syncfs of a backup',
  'mark of a restore',
  'syncfs of a restore',
];

test(
  'whatever a loss of power leaves, what was acknowledged is there once; no sync is missing or unknown',
  async () => {
    const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 2 ** 31);
    const outcome = await losePower({
      seed,
      rounds: 1,
      states: 100_000,
      milliseconds: MILLISECONDS,
      again: { recoveries: 2, states: 5, milliseconds: MILLISECONDS },
      omissionStates: 200,
      sites: SOON_NOTICED,
      report: (text) => console.log(`seed ${seed}: ${text}`),
    });
    expect(outcome.wrong).toEqual([]);
    expect(outcome.failures).toEqual([]);
    expect(outcome.states).toBeGreaterThan(20);
    expect(outcome.second).toBeGreaterThan(1);
    expect(outcome.owed).toBeGreaterThan(outcome.states);
    expect(outcome.unknownSyncs).toBe(0);
    // The machine itself: each of these syncs is made by the recorded store, and when it is not, that is noticed.
    const unnoticed = outcome.omissions.filter(({ syncs, noticed }) => syncs === 0 || noticed === '');
    expect(unnoticed).toEqual([]);
  },
  600_000,
);
