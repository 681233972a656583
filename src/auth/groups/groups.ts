/**
 * Groups users are in, for the identifiers `group:name` of ACLs: asked for at login and kept for a while (the part of
 * Cyrus's ptloader and its cache).
 *
 * Invariants
 * 1. What is kept longer than `pts_cache` is asked for anew at the next login; a session that looks at its rights meanwhile
 *    goes on with what is known and has it renewed behind its back.
 * 2. A source that cannot answer never gives rights: what was known stays for `limits.groups_grace`, after that a user is in
 *    no group, and what an ACL takes away from any group is taken away (`Identity.groupsUnknown`).
 * 3. At most `limits.groups_entries` users are kept; one lookup per user runs at a time.
 */

import { limits } from '../../limits.ts';
import type { Identity } from '../../store/border.ts';
import type { Log } from '../../telemetry/log.ts';

/** Names of the groups of a user, without `group:`; empty where the source does not know the user. @throws any Error */
export type GroupLookup = (userid: string) => Promise<readonly string[]>;

export interface GroupsOptions {
  readonly lookups: readonly GroupLookup[];
  /** Seconds what was found counts as fresh. */
  readonly life: number;
  readonly log: Log;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

interface Entry {
  groups: readonly string[];
  /** When the source last answered; -Infinity before. */
  answered: number;
  /** When it was last asked. */
  asked: number;
  running: Promise<void> | undefined;
  /** The administrator wants it asked for anew. */
  expired: boolean;
}

/** Asks again this soon after a failure, so that a directory that is down is not asked for every decision. */
const RETRY_MS = 10_000;

export class Groups {
  readonly #options: GroupsOptions;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();

  constructor(options: GroupsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** The identity with its groups, which follow the source while the identity is used. Never rejects. */
  async identify(identity: Identity): Promise<Identity> {
    if (this.#options.lookups.length === 0) return identity;
    const { userid, admin } = identity;
    const entry = this.#entry(userid);
    if (this.#stale(entry)) await this.#renew(userid, entry);
    const current = () => this.#current(userid, entry);
    const unknown = () => entry.groups.length === 0 && entry.answered < this.#now() - this.#graceMs;
    return {
      userid,
      admin,
      get groups() {
        return current();
      },
      get groupsUnknown() {
        return unknown();
      },
    };
  }

  /** Has everything asked for anew, also for sessions that go on; what is known counts until the answer. */
  expire(): void {
    for (const entry of this.#entries.values()) entry.expired = true;
  }

  get size(): number {
    return this.#entries.size;
  }

  get #graceMs(): number {
    return (this.#options.life + limits.groups_grace.value) * 1000;
  }

  #stale(entry: Entry): boolean {
    return entry.expired || this.#now() - entry.answered >= this.#options.life * 1000;
  }

  #current(userid: string, entry: Entry): readonly string[] {
    const now = this.#now();
    if (this.#stale(entry) && now - entry.asked >= RETRY_MS) void this.#renew(userid, entry);
    if (now - entry.answered > this.#graceMs) entry.groups = [];
    return entry.groups;
  }

  #entry(userid: string): Entry {
    const known = this.#entries.get(userid);
    this.#entries.delete(userid);
    const entry = known ??
      { groups: [], answered: -Infinity, asked: -Infinity, running: undefined, expired: false };
    this.#entries.set(userid, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= limits.groups_entries.value) break;
      this.#entries.delete(oldest);
    }
    return entry;
  }

  #renew(userid: string, entry: Entry): Promise<void> {
    return entry.running ??= this.#ask(userid, entry).finally(() => entry.running = undefined);
  }

  async #ask(userid: string, entry: Entry): Promise<void> {
    entry.asked = this.#now();
    try {
      const found = await Promise.all(this.#options.lookups.map((lookup) => lookup(userid)));
      const names = new Set<string>();
      // Names of groups in a directory differ in more than case; ACLs that come from Cyrus hold them in lower case.
      for (const name of found.flat()) names.add(name).add(name.toLowerCase());
      entry.groups = [...names];
      entry.answered = this.#now();
      entry.expired = false;
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.#options.log.error('groups cannot be told', { user: userid, reason });
    }
  }
}
