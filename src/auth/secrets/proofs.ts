/**
 * Passwords that were right a moment ago, so that a webmail which logs in for every page costs one hash a minute.
 *
 * Invariants
 * 1. The key covers everything the answer depends on (CVE-2025-30189: a cache that left one input out let users into
 *    each other's mail), the stored record with its time of change included: a new password is noticed at once.
 * 2. Only success is kept, and no password: keys are HMACs under a key that lives as long as the process.
 * 3. At most `limits.login_cache_entries`, each for as long as it is told, `limits.login_cache_seconds` otherwise.
 */

import { createHmac, randomBytes } from '../../crypto.ts';
import { limits } from '../../limits.ts';

/** Remembers proofs. */
export class Proofs {
  readonly #key = randomBytes(32);
  readonly #now: () => number;
  readonly #lifeMs: number;
  /** Proof to the moment it ends; in the order of that moment, as all live equally long. */
  readonly #until = new Map<string, number>();

  /**
   * @param now milliseconds of a clock that only goes forward
   * @param seconds how long a proof lasts
   */
  constructor(
    now: () => number = () => performance.now(),
    seconds: number = limits.login_cache_seconds.value,
  ) {
    this.#now = now;
    this.#lifeMs = seconds * 1000;
  }

  /** The proof of these inputs; distinct lists have distinct proofs. */
  proof(inputs: readonly (string | number)[]): string {
    return createHmac('sha256', this.#key).update(JSON.stringify(inputs)).digest('base64');
  }

  holds(proof: string): boolean {
    const until = this.#until.get(proof);
    return until !== undefined && until > this.#now();
  }

  remember(proof: string): void {
    const now = this.#now();
    this.#until.delete(proof);
    for (const [old, until] of this.#until) {
      if (until > now && this.#until.size < limits.login_cache_entries.value) break;
      this.#until.delete(old);
    }
    this.#until.set(proof, now + this.#lifeMs);
  }

  get size(): number {
    return this.#until.size;
  }
}
