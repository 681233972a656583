/**
 * What SORT and THREAD ask of messages again and again, kept from one command to the next and shared by all sessions of a
 * process: it stands beside long columns in the index, and reading those costs more than sorting.
 *
 * Invariants
 * 1. Only what never changes of a message is kept. A UID never means two messages, nor a mailbox id two mailboxes: what
 *    is known of one stays true.
 * 2. A session gets what it asks for by UIDs that its handle gave it; nothing here tells which messages there are.
 * 3. All together weigh `limits.imap_kept` at most; the mailboxes longest unused are forgotten.
 */

import { limits } from '../limits.ts';
import type { Mailbox } from '../store/border.ts';
import { UidSet } from '../store/uidset.ts';

/** Messages looked at in one go. */
const SLICE = 500;

/** What of a session long work asks between its slices. */
export interface Breathing {
  readonly closed: boolean;
  readonly due: boolean;
  breathe(): Promise<void>;
}

/** What is kept of the messages of one kind, and where it comes from. */
export interface Kind<Value> {
  /** Reads it for messages that are not known; those that are gone are left out. */
  read(mailbox: Mailbox, uids: UidSet): (readonly [uid: number, value: Value])[];
  /** What a value counts of `limits.imap_kept`. */
  weigh(value: Value): number;
}

interface Known<Value> {
  uids: UidSet;
  weight: number;
  readonly values: Map<number, Value>;
}

/** One kind of knowledge about messages. */
export class Kept<Value> {
  /** By mailbox, in order of use: the first is the longest unused. */
  readonly #mailboxes = new Map<string, Known<Value>>();
  readonly #kind: Kind<Value>;
  #weight = 0;

  constructor(kind: Kind<Value>) {
    this.#kind = kind;
  }

  /** What all that is kept weighs. */
  get weight(): number {
    return this.#weight;
  }

  /** Hands out what is known of each message, in the order of their UIDs. Stops when the client is gone. */
  async each(
    session: Breathing,
    mailbox: Mailbox,
    uids: UidSet,
    take: (uid: number, value: Value) => void,
  ): Promise<void> {
    const key = `${mailbox.mailboxid} ${mailbox.snapshot.uidvalidity}`;
    for (let from = 1; from <= uids.size && !session.closed; from += SLICE) {
      const page = uids.slice(from, from + SLICE - 1);
      const { values } = this.#of(key, mailbox, page);
      for (const uid of page) {
        const value = values.get(uid);
        if (value !== undefined) take(uid, value);
      }
      if (session.due) await session.breathe();
    }
  }

  /** What is known of a mailbox, these messages included. */
  #of(key: string, mailbox: Mailbox, uids: UidSet): Known<Value> {
    const known = this.#mailboxes.get(key) ??
      { uids: UidSet.empty, weight: 0, values: new Map<number, Value>() };
    const missing = uids.subtract(known.uids);
    let weight = 0;
    if (!missing.isEmpty) {
      for (const [uid, value] of this.#kind.read(mailbox, missing)) {
        known.values.set(uid, value);
        weight += this.#kind.weigh(value);
      }
      known.uids = known.uids.union(missing);
    }
    this.#mailboxes.delete(key);
    this.#mailboxes.set(key, known);
    known.weight += weight;
    this.#weight += weight;
    this.#shrink();
    return known;
  }

  #shrink(): void {
    for (const [key, { weight }] of this.#mailboxes) {
      if (this.#weight <= limits.imap_kept.value) return;
      this.#weight -= weight;
      this.#mailboxes.delete(key);
    }
  }
}
