/**
 * The maildrop of a session: the messages that were there at the login, locked for this session alone (RFC 1939 §4).
 *
 * Invariants
 * 1. Message n is the same message for the whole session; what arrives meanwhile is seen at the next login.
 * 2. Nothing is removed before `commit`, which only QUIT calls: a connection that breaks removes nothing (§6).
 * 3. Memory is 13 bytes per message and one page of rows.
 */

import { userError } from '../errors.ts';
import { DELETED } from '../store/flags.ts';
import {
  type Mailbox,
  type MaildropLock,
  type MessageContent,
  NARROW_COLUMNS,
  type WideRow,
} from '../store/border.ts';
import { UidSet } from '../store/uidset.ts';

/** Rows read at a time. */
const PAGE = 2000;
/** Rows of messages that are probably fetched next. */
const AHEAD = 100;
const PLACE = ['place'] as const;

export interface MaildropOptions {
  /** `popuseimapflags`: messages marked \Deleted are not there, messages retrieved become \Seen. */
  readonly flags: boolean;
}

export class Maildrop {
  readonly mailbox: Mailbox;
  readonly #lock: MaildropLock;
  readonly #options: MaildropOptions;
  readonly #uids: Uint32Array;
  readonly #sizes: Float64Array;
  readonly #deleted: Uint8Array;
  readonly #seen = new Set<number>();
  /** Rows of the last page, by UID. */
  readonly #page = new Map<number, WideRow<typeof PLACE>>();

  private constructor(
    mailbox: Mailbox,
    lock: MaildropLock,
    options: MaildropOptions,
    uids: Uint32Array,
    sizes: Float64Array,
  ) {
    this.mailbox = mailbox;
    this.#lock = lock;
    this.#options = options;
    this.#uids = uids;
    this.#sizes = sizes;
    this.#deleted = new Uint8Array(uids.length);
  }

  /** Reads what is there. */
  static read(mailbox: Mailbox, lock: MaildropLock, options: MaildropOptions): Maildrop {
    const all = mailbox.uids();
    const uids = new Uint32Array(all.size);
    const sizes = new Float64Array(all.size);
    let count = 0;
    for (let after = 0;;) {
      const rows = mailbox.narrow(all, after, PAGE);
      for (const [uid, flags, , , size] of rows) {
        after = uid;
        if (options.flags && (flags & DELETED) !== 0) continue;
        uids[count] = uid;
        sizes[count++] = size;
      }
      if (rows.length < PAGE) break;
    }
    return new Maildrop(mailbox, lock, options, uids.subarray(0, count), sizes.subarray(0, count));
  }

  /** Messages there were at the login: numbers go from 1 to this. */
  get length(): number {
    return this.#uids.length;
  }

  /** What STAT counts: messages not deleted, and their bytes. */
  get total(): { readonly messages: number; readonly size: number } {
    let messages = 0;
    let size = 0;
    for (let at = 0; at < this.#uids.length; at++) {
      if (this.#deleted[at] !== 0) continue;
      messages++;
      size += this.#sizes[at] as number;
    }
    return { messages, size };
  }

  isDeleted(number: number): boolean {
    return this.#deleted[number - 1] === 1;
  }

  size(number: number): number {
    return this.#sizes[number - 1] as number;
  }

  uid(number: number): number {
    return this.#uids[number - 1] as number;
  }

  /** Marks a message; `commit` removes it. */
  delete(number: number): void {
    this.#deleted[number - 1] = 1;
  }

  /** Nothing is marked any more (RSET). */
  reset(): void {
    this.#deleted.fill(0);
  }

  /**
   * Opens a message. Rows are read a page at a time: clients fetch one message after the other. Throws 'nonexistent' where
   * another client has expunged it for good.
   */
  content(number: number): MessageContent {
    const uid = this.uid(number);
    let row = this.#page.get(uid);
    if (row === undefined) {
      this.#page.clear();
      const uids = UidSet.fromSorted(this.#uids.subarray(number - 1, number - 1 + AHEAD));
      for (const one of this.mailbox.wide(uids, 0, AHEAD, PLACE)) this.#page.set(one[0], one);
      row = this.#page.get(uid);
    }
    if (row === undefined) throw userError('nonexistent', 'The message was removed by another client');
    return this.mailbox.content(row, row[NARROW_COLUMNS]);
  }

  retrieved(number: number): void {
    if (this.#options.flags) this.#seen.add(this.uid(number));
  }

  /** The UPDATE state (§6): removes what was marked. Resolves when that is durable. */
  async commit(): Promise<void> {
    const marked = this.#select((at) => this.#deleted[at] === 1);
    if (marked.isEmpty) return;
    await this.mailbox.remove(marked);
  }

  /** Ends the session's hold on the mailbox; what was retrieved is \Seen where that is wanted. */
  async close(): Promise<void> {
    try {
      const seen = this.#select((at) => this.#seen.has(this.#uids[at] as number) && this.#deleted[at] === 0);
      if (!seen.isEmpty && !this.mailbox.readOnly) await this.mailbox.store(seen, 'add', ['\\Seen']);
    } finally {
      this.mailbox.close();
      this.#lock.release();
    }
  }

  #select(wanted: (at: number) => boolean): UidSet {
    const uids: number[] = [];
    for (let at = 0; at < this.#uids.length; at++) if (wanted(at)) uids.push(this.#uids[at] as number);
    return UidSet.fromSorted(uids);
  }
}
