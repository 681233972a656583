/** Seeded random numbers (mulberry32), so that a failure can be repeated from the seed it prints. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer in [0, below). */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** A string of 0 to `most` characters of `alphabet`. */
  text(alphabet: string, most: number): string {
    let out = '';
    for (let n = this.below(most + 1); n > 0; n--) out += alphabet[this.below(alphabet.length)];
    return out;
  }
}

/** Runs `check` for `rounds` seeds and names the seed that failed. */
export function forSeeds(rounds: number, check: (random: Random, seed: number) => void): void {
  for (let seed = 1; seed <= rounds; seed++) {
    try {
      check(new Random(seed), seed);
    } catch (cause) {
      throw new Error(`seed ${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  }
}
