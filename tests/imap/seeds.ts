/** Runs a property over seeded cases; a failure names the seed that repeats it. */

import { Random } from '../harness/random.ts';

export function forSeeds(count: number, property: (random: Random, seed: number) => void): void {
  for (let seed = 1; seed <= count; seed++) {
    try {
      property(new Random(seed), seed);
    } catch (thrown) {
      throw new Error(`seed ${seed}: ${thrown instanceof Error ? thrown.stack : String(thrown)}`, {
        cause: thrown,
      });
    }
  }
}
