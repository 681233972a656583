/**
 * What an identity provider said of a token, kept for a moment: a webmail shows the same token with every page.
 *
 * Invariants
 * 1. A token that was good is asked about again after `seconds`, and never counts beyond what it says of its own end.
 * 2. A token that was not good is asked about again after `limits.oauth_refused_seconds`; what could not be told, at once.
 * 3. Both kinds have a bound of their own, so that tokens nobody issued push out none that are good.
 * 4. No token is kept: keys are HMACs under a key that lives as long as the process.
 */

import { createHmac, randomBytes } from '../../crypto.ts';
import { limits } from '../../limits.ts';
import type { Claims, TokenCheck } from './check.ts';

/** A bounded map whose entries all live equally long. */
class Recent<Value> {
  readonly #lifeMs: number;
  readonly #entries = new Map<string, { readonly until: number; readonly value: Value }>();

  constructor(seconds: number) {
    this.#lifeMs = seconds * 1000;
  }

  get(key: string, now: number): Value | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.until > now ? entry.value : undefined;
  }

  set(key: string, value: Value, now: number): void {
    if (this.#lifeMs === 0) return;
    this.#entries.delete(key);
    for (const [old, { until }] of this.#entries) {
      if (until > now && this.#entries.size < limits.oauth_cache_entries.value) break;
      this.#entries.delete(old);
    }
    this.#entries.set(key, { until: now + this.#lifeMs, value });
  }
}

/**
 * The same check with a memory; questions about one token that come at once are asked as one.
 * @param holds whether claims that were good still are: time goes on
 * @param seconds how long a good answer is kept; 0 keeps nothing, not even bad ones
 * @param now milliseconds of a clock that only goes forward
 */
export function remembered(
  check: TokenCheck,
  holds: (claims: Claims) => boolean,
  seconds: number,
  now: () => number = () => performance.now(),
): TokenCheck {
  const key = randomBytes(32);
  const good = new Recent<Claims>(seconds);
  const refused = new Recent<true>(Math.min(seconds, limits.oauth_refused_seconds.value));
  const asking = new Map<string, Promise<Claims | null>>();

  const ask = async (token: string, id: string): Promise<Claims | null> => {
    try {
      const claims = await check(token);
      if (claims === null) refused.set(id, true, now());
      else good.set(id, claims, now());
      return claims;
    } finally {
      asking.delete(id);
    }
  };
  return (token) => {
    const id = createHmac('sha256', key).update(token).digest('base64');
    const known = good.get(id, now());
    if (known !== undefined) return Promise.resolve(holds(known) ? known : null);
    if (refused.get(id, now())) return Promise.resolve(null);
    const running = asking.get(id) ?? ask(token, id);
    asking.set(id, running);
    return running;
  };
}
