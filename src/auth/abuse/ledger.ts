/**
 * Wrong passwords, counted: by user, by network, and by user and network where that user has logged in from there
 * before. What is counted are different ones, so that a telephone with an old password, which says the same thing a
 * thousand times, is one.
 *
 * Invariants
 * 1. Neither names nor passwords are in here: callers give digests of them.
 * 2. Memory is bounded: `limits.login_ledger_entries` counts of each kind, and in each fewer digests than its limit.
 * 3. Who does not exist is counted like who does.
 * 4. Somebody who has logged in from a network goes on from there whatever strangers do to the name or next door.
 */

import { limits } from '../../limits.ts';
import { networkOf } from '../../net/networks.ts';

export interface LedgerRules {
  /** Different wrong passwords for one user before nothing more is checked for it; 0 for no limit. */
  readonly user: number;
  /** The same for all users of one network. */
  readonly network: number;
  /** Seconds for which a wrong password is remembered. */
  readonly window: number;
  /** Seconds for which nothing is checked then; doubles each time. */
  readonly block: number;
}

interface Wrong {
  /** The second it is forgotten. */
  readonly until: number;
  /** The network it came from, or the user it was said of. */
  readonly of: string;
}

interface Count {
  /** By the digest of the password, the oldest first. */
  readonly wrong: Map<string, Wrong>;
  /** How often it was blocked. */
  level: number;
  blockedUntil: number;
  /** When it was last of interest. */
  touched: number;
}

/** What a failure led to. */
export interface Counted {
  /** Different wrong passwords so far; 0 for a repetition, which tells nothing new. */
  readonly distinct: number;
  /** Seconds for which nothing more is checked. */
  readonly blocked: number;
}

/** A day: how long a block can get, and how long it is remembered that there was one. */
const LONGEST = 86_400;

/** Counts of one kind, the one of least interest first. */
class Counts {
  readonly #counts = new Map<string, Count>();

  peek(key: string, now: number): Count | undefined {
    const found = this.#counts.get(key);
    return found === undefined || now - found.touched > LONGEST + found.level * LONGEST ? undefined : found;
  }

  touch(key: string, now: number): Count {
    const count = this.peek(key, now) ?? { wrong: new Map(), level: 0, blockedUntil: 0, touched: now };
    count.touched = now;
    this.#counts.delete(key);
    for (const oldest of this.#counts.keys()) {
      if (this.#counts.size < limits.login_ledger_entries.value) break;
      this.#counts.delete(oldest);
    }
    this.#counts.set(key, count);
    return count;
  }
}

export class LoginLedger {
  readonly #rules: LedgerRules;
  readonly #users = new Counts();
  readonly #networks = new Counts();
  /** Users where they have logged in before. */
  readonly #known = new Counts();

  constructor(rules: LedgerRules) {
    this.#rules = rules;
  }

  /**
   * Seconds for which nothing is checked for a user from an address; 0 for none.
   * @param now seconds of a clock that only goes forward
   */
  blocked(user: string, address: string, now: number): number {
    const network = networkOf(address, 3, 3);
    const known = this.#known.peek(`${user} ${network}`, now);
    const until = known !== undefined ? known.blockedUntil : Math.max(
      this.#users.peek(user, now)?.blockedUntil ?? 0,
      this.#networks.peek(network, now)?.blockedUntil ?? 0,
    );
    return Math.max(0, Math.ceil(until - now));
  }

  /** A password that was wrong; `secret` is its digest, different for different users. */
  failed(user: string, address: string, secret: string, now: number): Counted {
    const network = networkOf(address, 3, 3);
    const pair = `${user} ${network}`;
    let distinct: number;
    if (this.#known.peek(pair, now) !== undefined) {
      distinct = this.#add(this.#known.touch(pair, now), secret, user, this.#rules.user, now);
    } else {
      distinct = Math.max(
        this.#add(this.#users.touch(user, now), secret, network, this.#rules.user, now),
        this.#add(this.#networks.touch(network, now), secret, user, this.#rules.network, now),
      );
    }
    return { distinct, blocked: this.blocked(user, address, now) };
  }

  /** A login that went well: what was said of this user from here before were mistakes, and forgotten. */
  passed(user: string, address: string, now: number): void {
    const network = networkOf(address, 3, 3);
    this.#known.touch(`${user} ${network}`, now).wrong.clear();
    forget(this.#users.peek(user, now), network);
    forget(this.#networks.peek(network, now), user);
  }

  /** How many different ones there are now; 0 where this one was there. */
  #add(count: Count, secret: string, of: string, limit: number, now: number): number {
    if (limit === 0) return 0;
    const { wrong } = count;
    for (const [old, { until }] of wrong) {
      if (until > now) break;
      wrong.delete(old);
    }
    const repeated = wrong.delete(secret);
    wrong.set(secret, { until: now + this.#rules.window, of });
    const distinct = wrong.size;
    if (distinct >= limit && !repeated) {
      count.blockedUntil = now + Math.min(LONGEST, this.#rules.block * 2 ** count.level);
      count.level = Math.min(16, count.level + 1);
      wrong.clear();
    }
    return repeated ? 0 : distinct;
  }
}

function forget(count: Count | undefined, whose: string): void {
  for (const [secret, { of }] of count?.wrong ?? []) {
    if (of === whose) count?.wrong.delete(secret);
  }
}
