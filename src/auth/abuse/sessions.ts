/** How many connections of a user, and of an address, are logged in: over all workers, exactly. */

/** The two bounds; 0 for none (`maxlogins_per_user`, `maxlogins_per_host`). */
export interface SessionRules {
  readonly user: number;
  readonly host: number;
}

export class LoggedInSessions {
  readonly #rules: SessionRules;
  /** By user or address, then by worker. */
  readonly #counts = new Map<string, Map<number, number>>();

  constructor(rules: SessionRules) {
    this.#rules = rules;
  }

  /** Counts a session and answers '', or says which bound it would go beyond and does not count it. */
  enter(worker: number, user: string, host: string): '' | 'user' | 'host' {
    if (user !== '' && this.#rules.user > 0 && this.#count(`u ${user}`) >= this.#rules.user) return 'user';
    if (host !== '' && this.#rules.host > 0 && this.#count(`h ${host}`) >= this.#rules.host) return 'host';
    this.#change(worker, user, host, 1);
    return '';
  }

  /** A session that was counted is over. */
  leave(worker: number, user: string, host: string): void {
    this.#change(worker, user, host, -1);
  }

  /** A worker is gone, with all its connections. */
  forget(worker: number): void {
    for (const [key, workers] of this.#counts) {
      if (workers.delete(worker) && workers.size === 0) this.#counts.delete(key);
    }
  }

  /** How many users and addresses are counted. */
  get size(): number {
    return this.#counts.size;
  }

  #count(key: string): number {
    let sum = 0;
    for (const count of this.#counts.get(key)?.values() ?? []) sum += count;
    return sum;
  }

  #change(worker: number, user: string, host: string, by: 1 | -1): void {
    if (user !== '') this.#add(`u ${user}`, worker, by);
    if (host !== '') this.#add(`h ${host}`, worker, by);
  }

  #add(key: string, worker: number, by: number): void {
    const workers = this.#counts.get(key) ?? new Map<number, number>();
    const count = (workers.get(worker) ?? 0) + by;
    if (count > 0) workers.set(worker, count);
    else workers.delete(worker);
    if (workers.size > 0) this.#counts.set(key, workers);
    else this.#counts.delete(key);
  }
}
