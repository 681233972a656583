/**
 * Nonces that were used for a login, for subsequent authentication (RFC 2831 §2.2): a client that remembers its last
 * login may skip the challenge, with a nonce count one higher. Each count is good once.
 */

import { limits } from '../../limits.ts';

interface Used {
  readonly username: string;
  readonly realm: string;
  count: number;
  readonly until: number;
}

/** The nonces of one process; bounded in number and age. */
export class Nonces {
  readonly #used = new Map<string, Used>();
  readonly #now: () => number;

  /** @param now milliseconds of a clock that only goes forward */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Remembers the nonce of a login that succeeded. */
  remember(nonce: string, username: string, realm: string): void {
    const now = this.#now();
    for (const [old, { until }] of this.#used) {
      if (until > now && this.#used.size < limits.digest_nonces.value) break;
      this.#used.delete(old);
    }
    this.#used.set(nonce, {
      username,
      realm,
      count: 1,
      until: now + limits.login_cache_seconds.value * 1000,
    });
  }

  /** Whether this count of the nonce may be used now by this user; it may not a second time. */
  take(nonce: string, username: string, realm: string, count: number): boolean {
    const used = this.#used.get(nonce);
    if (used === undefined || used.until <= this.#now()) return false;
    if (used.username !== username || used.realm !== realm || used.count + 1 !== count) return false;
    used.count = count;
    return true;
  }
}
