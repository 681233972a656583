/**
 * The selected mailbox of a session: the store's handle, the client's view of it, and what the client is told of
 * changes others make.
 *
 * Invariants
 * 1. Changes go into the view as they happen, in any order and also twice; they reach the client only in `announce`.
 * 2. `saved` (RFC 9051 §6.4.4.1) holds UIDs, so it needs no renumbering; those announced as expunged leave it.
 * 3. A message that arrives is \Recent in the first session that tells of it (RFC 3501 §2.3.2): it is claimed when it is
 *    announced, and what shows flags waits in `settled` until that is decided.
 * 4. A mailbox that was deleted, or that the user may not read any more, ends the connection at the next command:
 *    the client's view has nothing left to stand for (RFC 2180 §3).
 */

import type { Mailbox, MailboxChange, MailboxListener, MailboxName, StoreSession } from '../store/border.ts';
import { UidSet } from '../store/uidset.ts';
import { StoredLines } from './fetch/stored.ts';
import type { FetchField } from './parse/command.ts';
import { resolveSequence, resolveUids, type SequenceSet } from './sequence.ts';
import { SessionView } from './view.ts';
import { permanentFlags } from './write/code.ts';
import { fetchLine, fieldRenderer } from './write/fetch.ts';
import { FlagWriter } from './write/flags.ts';
import { localZone } from './zone.ts';

/** Rows told of between two breaths. */
const SLICE = 1000;

/** What of the session a selected mailbox needs to speak to the client. */
export interface Speaker {
  readonly store: StoreSession;
  readonly rev2: boolean;
  readonly condstore: boolean;
  readonly closed: boolean;
  /** There is something to announce. */
  changed(): void;
  write(data: string | Uint8Array): void;
  spend(bytes: Uint8Array<ArrayBuffer>): void;
  untagged(text: string): void;
  bye(text: string): void;
  breathe(): Promise<void>;
}

/** Any of these makes a mailbox READ-WRITE (RFC 4314 §5.2). */
const CHANGING_RIGHTS = /[iestw]/;

/** How long a claim of \Recent is put off: others are told of the same messages, and one of them may be first then. */
const PUT_OFF_MS = 50;

export class Selected implements MailboxListener {
  readonly #session: Speaker;
  /** What the store reported before we held the handle. */
  #early: MailboxChange[] | undefined = [];
  mailbox!: Mailbox;
  view!: SessionView;
  /** As long as it is in use. */
  #flags: FlagWriter | undefined;
  /** The result of the last SEARCH RETURN (SAVE), as UIDs. */
  saved: UidSet = UidSet.empty;
  #highestModseq = 0;
  #uidnext = 0;
  #toldKeywords: readonly string[] = [];
  #toldReadOnly = false;
  #deleted = false;
  /** Announced up to here, and known up to here which of them are \Recent. */
  #told = 0;
  #claimed = 0;
  #claiming: Promise<void> | undefined;
  /** A claim that was put off. */
  #later: ReturnType<typeof setTimeout> | undefined;
  #recentDue = false;

  private constructor(session: Speaker) {
    this.#session = session;
  }

  #begin(mailbox: Mailbox): void {
    this.mailbox = mailbox;
    const { snapshot } = mailbox;
    this.view = new SessionView(mailbox.uids(), snapshot.recent);
    this.#highestModseq = snapshot.highestmodseq;
    this.#uidnext = snapshot.uidnext;
    this.#toldKeywords = mailbox.keywords;
    this.#toldReadOnly = this.readOnly;
    this.#told = snapshot.uidnext - 1;
    this.#claimed = this.#told;
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const change of early) this.note(change);
  }

  /** Opens a mailbox for a session. Changes from its very snapshot on are taken note of. */
  static async open(session: Speaker, name: MailboxName, readOnly: boolean): Promise<Selected> {
    const selected = new Selected(session);
    selected.#begin(await session.store.select(name, readOnly, selected));
    return selected;
  }

  /** The mailbox has changed. */
  heard(change: MailboxChange): void {
    if (this.#early !== undefined) this.#early.push(change);
    else {
      this.note(change);
      this.#session.changed();
    }
  }

  /**
   * Nothing here can be changed: opened so, or no right to change anything is left (RFC 4314 §5.2). May change while
   * the mailbox is selected.
   */
  get readOnly(): boolean {
    const { readOnly, rights } = this.mailbox;
    return readOnly || !CHANGING_RIGHTS.test(rights);
  }

  /** The highest UID there is, announced or not; 0 in an empty mailbox. */
  get lastUid(): number {
    return this.#uidnext - 1;
  }

  /** The highest modseq the client may have been told of. */
  get highestModseq(): number {
    return this.#highestModseq;
  }

  /** Takes note of a change; nothing is told yet. Also for what a command of this session just did. */
  note(change: MailboxChange): void {
    switch (change.kind) {
      case 'exists':
        // EXAMINE claims nothing, so all that is new is \Recent there.
        this.view.arrived(change.uids, this.mailbox.readOnly ? change.uids : UidSet.empty);
        this.#uidnext = Math.max(this.#uidnext, change.uidnext);
        break;
      case 'flags':
        // What this session changed itself is in the answer of its STORE or FETCH.
        if (!change.own) this.view.flagsChanged(change.uids);
        break;
      case 'expunge':
        this.view.expunged(change.uids);
        break;
      case 'deleted':
        this.#deleted = true;
        break;
      case 'keywords':
      case 'renamed':
      case 'rights':
        // Seen by comparing with the handle, in announce.
        break;
    }
    if ('modseq' in change && change.modseq > this.#highestModseq) this.#highestModseq = change.modseq;
  }

  /**
   * The UIDs a set of a command means. Sequence numbers beyond the mailbox are BAD, UIDs nobody has are left out
   * (RFC 9051 §6.4.9); messages expunged but not announced are still meant.
   */
  resolve(set: SequenceSet, uid: boolean): UidSet {
    const { uids } = this.view;
    if (set.saved) return this.saved.intersect(uids);
    if (!uid) return uids.atPositions(resolveSequence(set, uids.size));
    return resolveUids(set, uids.max || this.mailbox.snapshot.uidnext).intersect(uids);
  }

  /** UIDs in the numbers a command uses: as they are, or as sequence numbers. */
  numbers(uids: UidSet, uid: boolean): UidSet {
    return uid ? uids.intersect(this.view.uids) : this.view.uids.positions(uids);
  }

  /** The same of UIDs in another order than theirs. */
  numbersInOrder(uids: readonly number[], uid: boolean): number[] {
    const all = this.view.uids;
    const numbers: number[] = [];
    for (const each of uids) {
      const position = all.positionOf(each);
      if (position > 0) numbers.push(uid ? each : position);
    }
    return numbers;
  }

  /** Writes flags, with the keywords the client knows of. */
  get flags(): FlagWriter {
    return this.#flags ??= new FlagWriter(this.#toldKeywords);
  }

  /** Nothing is being told, and may not be for long. */
  rest(): void {
    this.#flags = undefined;
  }

  /** `FLAGS (...)`: the flags defined in the mailbox (RFC 9051 §7.3.5). */
  definedFlags(): string {
    return this.flags.defined;
  }

  /** The PERMANENTFLAGS code: what this user can change here (RFC 9051 §7.1, RFC 4314 §4). */
  permanentFlags(): string {
    const { rights, keywordsOpen } = this.mailbox;
    return this.readOnly ? permanentFlags([], false) : this.flags.permanent(rights, keywordsOpen);
  }

  /** Tells of keywords the client does not know, before a FETCH uses one (RFC 9051 §7.3.5). */
  tellKeywords(session: Speaker): void {
    const { keywords } = this.mailbox;
    if (keywords === this.#toldKeywords) return;
    this.#toldKeywords = keywords;
    this.flags.use(keywords);
    session.untagged(this.definedFlags());
    session.untagged(`OK [${this.permanentFlags()}] Ok`);
  }

  /**
   * Sends what is pending: expunges only where the command allows it, then new messages, then flags. With `hasten` what
   * depends on \Recent is left to the next time: who sends one APPEND behind the other waits for one change each, not two.
   * Undefined when it is done, as mostly it is at once.
   */
  announce(session: Speaker, expunges: boolean, hasten = false): Promise<void> | undefined {
    if (this.#deleted) session.bye('The selected mailbox was deleted');
    else if (!this.mailbox.rights.includes('r')) {
      session.bye('The selected mailbox may not be read any more');
    } else {
      this.tellKeywords(session);
      this.#tellReadOnly(session);
      if (this.view.pending || this.#recentDue) return this.#announcePending(session, expunges, hasten);
    }
    return undefined;
  }

  async #announcePending(session: Speaker, expunges: boolean, hasten: boolean): Promise<void> {
    if (expunges && !this.view.gone.isEmpty) this.#tellExpunges(session);
    const exists = this.view.announceExists();
    if (exists !== null) {
      // One of many sessions that are told of the same messages says all of it at once, in one packet.
      const behind = !session.rev2 && !hasten && this.mailbox.recentAsked;
      if (!behind) session.untagged(`${exists} EXISTS`);
      // RFC 9051 Appendix E 12: no RECENT once the client speaks IMAP4rev2.
      if (!session.rev2) this.#claimRecent(hasten);
      if (behind) {
        await this.settled();
        session.untagged(`${exists} EXISTS`);
      }
    }
    if (hasten && (this.#claiming !== undefined || this.#later !== undefined)) return;
    if (this.#recentDue) {
      await this.settled();
      this.#recentDue = false;
      session.untagged(`${this.view.recent.size} RECENT`);
    }
    const flagged = this.view.announceFlags();
    if (!flagged.isEmpty) await this.tellFlags(session, flagged, changedFields(session));
  }

  /** Resolves when it is known of every announced message whether it is \Recent here. */
  settled(): Promise<void> | undefined {
    if (this.#later !== undefined) this.#claimNow();
    return this.#claiming;
  }

  /**
   * Claims what was just announced. One claim is on its way at a time; it takes along what was announced meanwhile. With
   * `hasten` it waits a moment for more: one claim for many an APPEND.
   */
  #claimRecent(hasten: boolean): void {
    this.#recentDue = true;
    this.#told = this.view.uids.max;
    if (this.mailbox.readOnly) return;
    if (!hasten) this.#claimNow();
    else if (this.#claiming === undefined) this.#later ??= setTimeout(() => this.#claimNow(), PUT_OFF_MS);
  }

  #claimNow(): void {
    clearTimeout(this.#later);
    this.#later = undefined;
    if (this.#claiming === undefined && this.#claimed < this.#told) this.#claiming = this.#claimAll();
  }

  async #claimAll(): Promise<void> {
    while (this.#claimed < this.#told) {
      const upTo = this.#told;
      let recent: UidSet;
      try {
        recent = await this.mailbox.claimRecent(upTo);
      } catch {
        // RFC 3501 §2.3.2: where it cannot be known who was told first, the message is \Recent.
        recent = UidSet.range(this.#claimed + 1, upTo);
      }
      this.view.becameRecent(recent);
      this.#claimed = upTo;
    }
    this.#claiming = undefined;
  }

  /** FETCH lines with these fields for these messages, in slices. */
  async tellFlags(session: Speaker, uids: UidSet, fields: readonly FetchField[]): Promise<void> {
    const { view, mailbox } = this;
    const render = fieldRenderer(fields, {
      flags: this.flags,
      recent: (uid) => !session.rev2 && view.recent.has(uid),
      zone: localZone,
    });
    const there = uids.subtract(view.gone);
    const stored = new StoredLines(mailbox, view, there, fields, !session.rev2);
    let after = 0;
    while (!session.closed) {
      this.tellKeywords(session);
      const stores = stored.next(after, SLICE);
      if (stores !== null) {
        for (const chunk of stores.chunks) session.spend(chunk);
        this.#highestModseq = Math.max(this.#highestModseq, stores.modseq);
        after = stores.last;
        await session.breathe();
        continue;
      }
      const rows = mailbox.narrow(there, after, SLICE);
      let lines = '';
      for (const row of rows) {
        if (view.gone.has(row[0])) continue;
        const sequence = view.uids.positionOf(row[0]);
        if (sequence > 0) lines += fetchLine(sequence, render(row));
        if (row[3] > this.#highestModseq) this.#highestModseq = row[3];
      }
      session.write(lines);
      const last = rows.at(-1);
      if (last === undefined || rows.length < SLICE) return;
      after = last[0];
      await session.breathe();
    }
  }

  close(): void {
    clearTimeout(this.#later);
    this.mailbox.close();
  }

  #tellExpunges(session: Speaker): void {
    this.saved = this.saved.subtract(this.view.gone);
    let lines = '';
    for (const sequence of this.view.announceExpunges()) lines += `* ${sequence} EXPUNGE\r\n`;
    session.write(lines);
  }

  #tellReadOnly(session: Speaker): void {
    const { readOnly } = this;
    if (readOnly === this.#toldReadOnly) return;
    this.#toldReadOnly = readOnly;
    session.untagged(`OK [READ-${readOnly ? 'ONLY' : 'WRITE'}] The rights have changed`);
    session.untagged(`OK [${this.permanentFlags()}] Ok`);
  }
}

/**
 * What an unsolicited FETCH tells of a changed message: its UID too for IMAP4rev2 (RFC 9051 §7.5.2) and, with its
 * modseq, for CONDSTORE clients (RFC 7162 §3.1.4.2, §3.2.4).
 */
export function changedFields(session: Speaker): FetchField[] {
  const fields: FetchField[] = [{ kind: 'field', field: 'FLAGS' }];
  if (session.rev2 || session.condstore) fields.push({ kind: 'field', field: 'UID' });
  if (session.condstore) fields.push({ kind: 'field', field: 'MODSEQ' });
  return fields;
}
