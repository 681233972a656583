/**
 * What one connection has been told about its selected mailbox, and what it has yet to be told. Other connections change
 * the mailbox at any time; a client's sequence numbers change only when it is told so (RFC 9051 §5.2, §7.5.1).
 *
 * Invariants
 * 1. `uids` is exactly what the client can compute from the EXISTS and EXPUNGE lines sent so far: the message with
 *    sequence number n has the UID `uids.at(n)`.
 * 2. A change is pending until it is announced; a message that appears and goes unannounced is never told of.
 * 3. `gone` is a subset of `uids`: expunged, still counted by the client, its sequence number still taken.
 * 4. EXPUNGE lines are only made by `announceExpunges`, which the session calls when no command is in progress that refers
 *    to sequence numbers (`BY_SEQUENCE`); their UID forms may be interrupted (RFC 9051 §7.5.1).
 * 5. New messages have higher UIDs than all announced before and are announced behind them. What arrives below would
 *    renumber the client's messages unannounced, so it is not taken; the store hands arrivals on in the order of their UIDs.
 * 6. An expunge may be reported before the arrival it ends, since a session hears of its own at once; then the arrival
 *    is not taken either.
 */

import { MAX_UID, UidSet } from '../store/uidset.ts';

/** Commands during which EXPUNGE must not be sent (RFC 9051 §7.5.1, RFC 5256 §3). */
const BY_SEQUENCE: ReadonlySet<string> = new Set(['FETCH', 'STORE', 'SEARCH', 'SORT', 'THREAD']);

/** Whether expunges may be announced with the answer of this command; `uid` for its UID form. */
export function mayAnnounceExpunges(name: string, uid: boolean): boolean {
  return uid || !BY_SEQUENCE.has(name);
}

/** The session view of one selected mailbox. Pure: it neither reads the store nor writes lines. */
export class SessionView {
  #uids: UidSet;
  #new = UidSet.empty;
  #gone = UidSet.empty;
  #flagged = UidSet.empty;
  #recent: UidSet;
  /** Highest UID ever announced. */
  #top: number;
  /** Expunged above `#top`, whether they arrived yet or not. */
  #dead = UidSet.empty;

  /** `uids` are the messages announced with SELECT; `recent` those this session shows as \Recent. */
  constructor(uids: UidSet, recent: UidSet = UidSet.empty) {
    this.#uids = uids;
    this.#top = uids.max;
    this.#recent = recent;
  }

  /** Announced and not announced as expunged: what the client counts. */
  get uids(): UidSet {
    return this.#uids;
  }

  /** Number of messages as the client knows it. */
  get exists(): number {
    return this.#uids.size;
  }

  /** Announced and expunged since, but not told: they keep their sequence numbers. */
  get gone(): UidSet {
    return this.#gone;
  }

  /** Announced and not expunged: what a command can still work on. */
  get present(): UidSet {
    return this.#uids.subtract(this.#gone);
  }

  /** Messages this session shows as \Recent (RFC 3501 §2.3.2). */
  get recent(): UidSet {
    return this.#recent;
  }

  /** Whether there is anything to tell. */
  get pending(): boolean {
    return !this.#new.isEmpty || !this.#gone.isEmpty || !this.#flagged.isEmpty;
  }

  /** Messages arrived; `recent` are those of them that are \Recent here. Those announced before are ignored. */
  arrived(uids: UidSet, recent: UidSet = UidSet.empty): void {
    const fresh = this.#ahead(uids).subtract(this.#dead);
    this.#new = this.#new.union(fresh);
    this.#recent = this.#recent.union(fresh.intersect(recent));
  }

  /** Messages, announced already, are \Recent in this session. */
  becameRecent(uids: UidSet): void {
    this.#recent = this.#recent.union(uids.intersect(this.#uids));
  }

  /** Messages were expunged. */
  expunged(uids: UidSet): void {
    const ahead = this.#ahead(uids);
    this.#dead = this.#dead.union(ahead);
    this.#recent = this.#recent.subtract(ahead);
    this.#new = this.#new.subtract(uids);
    this.#flagged = this.#flagged.subtract(uids);
    this.#gone = this.#gone.union(this.#uids.intersect(uids));
  }

  /** Flags were changed; by this session itself with .SILENT means: do not call this. */
  flagsChanged(uids: UidSet): void {
    this.#flagged = this.#flagged.union(uids.subtract(this.#gone));
  }

  /** The flags of these were just sent: whatever was pending about them is told. */
  flagsSent(uids: UidSet): void {
    this.#flagged = this.#flagged.subtract(uids);
  }

  /**
   * Announces expunges: the sequence numbers for `* n EXPUNGE` lines in the order in which they must be sent. Descending,
   * so that each is right when it arrives: none that follows is shifted by it.
   */
  announceExpunges(): number[] {
    if (this.#gone.isEmpty) return [];
    const { runs } = this.#uids.positions(this.#gone);
    const numbers: number[] = [];
    for (let i = runs.length - 2; i >= 0; i -= 2) {
      for (let n = runs[i + 1] as number; n >= (runs[i] as number); n--) numbers.push(n);
    }
    this.#uids = this.#uids.subtract(this.#gone);
    this.#recent = this.#recent.subtract(this.#gone);
    this.#gone = UidSet.empty;
    return numbers;
  }

  /**
   * Announces new messages: the number for `* n EXISTS`, or null when there are none. Call it after `announceExpunges`
   * where both are due, so that the client counts once.
   */
  announceExists(): number | null {
    if (this.#new.isEmpty) return null;
    this.#uids = this.#uids.union(this.#new);
    this.#top = this.#new.max;
    this.#new = UidSet.empty;
    this.#dead = this.#ahead(this.#dead);
    return this.#uids.size;
  }

  /**
   * Announces flag changes: the UIDs whose flags are to be sent as FETCH lines, now. Those not announced yet are left out,
   * since the client will ask for their flags anyway, and those gone.
   */
  announceFlags(): UidSet {
    if (this.#flagged.isEmpty) return this.#flagged;
    const due = this.#flagged.intersect(this.#uids).subtract(this.#gone);
    this.#flagged = UidSet.empty;
    return due;
  }

  /** Those above all that was announced. */
  #ahead(uids: UidSet): UidSet {
    return uids.clip(this.#top + 1, MAX_UID);
  }
}
