/**
 * A selected mailbox: the handle that carries the caller's rights.
 *
 * Invariants
 * 1. What the listener has been told plus the snapshot equals the index at any time it is asked (feed.ts invariant 1).
 * 2. \Seen in rows is the caller's own: the owner's stands in the flags, everybody else's in a set of UIDs.
 * 3. A right lost while the mailbox is open counts from the next call on: the listener hears of it, the writer checks again.
 */
import { userError } from '../../errors.ts';
import type {
  CopyResult,
  Identity,
  Lines,
  Mailbox,
  MailboxChange,
  MailboxListener,
  MailboxName,
  MailboxSnapshot,
  MessageContent,
  NarrowRow,
  PartColumn,
  QuotaRoot,
  StoreOperation,
  StoreResult,
  WideRow,
} from '../border.ts';
import { MAX_KEYWORDS, SEEN } from '../flags.ts';
import type { OwnerRow } from '../index/directory.ts';
import type { OwnerReader } from '../index/reader.ts';
import type { MailboxRow } from '../index/rows.ts';
import { quotaOf } from './quota.ts';
import { hasRight } from '../rights.ts';
import { openContent } from './content.ts';
import { UidSet } from '../uidset.ts';
import type { Published } from '../writer/publish.ts';
import type { Listener } from './feed.ts';
import { readLines } from './lines.ts';
import { expunge, storeFlags, transfer } from './messages.ts';
import { readPage, type ReadRows } from './page.ts';
import type { StoreParts } from './parts.ts';
import type { RecentPlace } from './recent.ts';

export class SelectedMailbox implements Mailbox, Listener {
  rights: string;
  private path: string;
  readonly mailboxid: string;
  keywords: readonly string[];
  snapshot: MailboxSnapshot;
  private readonly own: boolean;
  /** Expunged and appended after the snapshot and before `uids` was first asked for. */
  private expungedSince = UidSet.empty;
  private known: UidSet | null = null;
  /** Modseq of the snapshot, or of the last comparison with the index. */
  private floor = 0;
  /** The reader's `stamp` of the last comparison with the index. */
  private compared = 0;
  /** Highest modseq the listener was told about. */
  private lastModseq: number;
  private lastUidnext: number;
  private closed = false;
  /** Path of the quota root as of the snapshot. */
  private quotaroot: string | null = null;
  /** The snapshot is taken. */
  private taken = false;
  /** The writer tells this process about the owner. */
  private heard = false;
  /** The caller's \Seen set where it is not the owner; null until needed or after a change. */
  private seenCache: UidSet | null = null;

  constructor(
    private readonly parts: StoreParts,
    private readonly owner: OwnerRow,
    private readonly id: number,
    row: MailboxRow,
    private readonly identity: Identity,
    readonly readOnly: boolean,
    readonly origin: number,
    private readonly listener: MailboxListener | MailboxListener['heard'],
  ) {
    this.path = row.path;
    this.mailboxid = row.mailboxid;
    this.keywords = row.keywords;
    this.own = identity.userid === owner.userid;
    this.rights = parts.rights(row.acl, identity, owner.userid);
    this.lastModseq = 0;
    this.lastUidnext = 1;
    this.snapshot = this.snapshotOf(row, UidSet.empty);
  }

  get name(): MailboxName {
    return { owner: this.owner.userid, path: this.path };
  }

  private tell(change: MailboxChange): void {
    if (typeof this.listener === 'function') this.listener(change);
    else this.listener.heard(change);
  }

  private get reader(): OwnerReader {
    return this.parts.readers.of(this.owner);
  }

  private snapshotOf(row: MailboxRow, recent: UidSet): MailboxSnapshot {
    return {
      uidvalidity: row.uidvalidity,
      uidnext: row.uidnext,
      highestmodseq: row.highestmodseq,
      exists: row.messages,
      unseen: this.own
        ? row.unseen
        : row.messages - this.seen().intersect(this.parts.readers.uids(this.owner, row)).size,
      firstUnseen: this.own ? this.reader.knownUnseen(this.id) : undefined,
      recent,
      mailboxid: row.mailboxid,
    };
  }

  /** Hears of changes from now on, claims \Recent, and takes the snapshot. `found` is the row as it was read just now. */
  async open(found: MailboxRow): Promise<void> {
    this.parts.feed.add(this.owner.id, this);
    try {
      let recent = UidSet.empty;
      let row = found;
      const preparing = this.parts.readers.prepareUids(this.owner, row);
      if (preparing !== undefined) {
        await preparing;
        row = this.row();
      }
      // The index has claims a moment later than the writer.
      const logged = this.own ? row.recentuid : this.reader.seen(this.id, this.identity.userid).recentuid;
      let told = Math.max(logged, this.parts.recent.upTo(this.place));
      for (; told < row.uidnext - 1; row = this.row()) {
        const last = row.uidnext - 1;
        if (this.readOnly) {
          const after = await this.parts.recent.look(this.place, (change) => this.change(change));
          recent = after < last ? UidSet.range(after + 1, last) : UidSet.empty;
        } else recent = recent.union(await this.claimRecent(last));
        told = last;
      }
      this.take(row, recent);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async claimRecent(upTo: number): Promise<UidSet> {
    return this.readOnly
      ? UidSet.empty
      : await this.parts.recent.claim(this.place, upTo, (change) => this.change(change));
  }

  get recentAsked(): boolean {
    return this.parts.recent.isAsked(this.place);
  }

  private get place(): RecentPlace {
    return { owner: this.owner.id, mailbox: this.id, by: this.identity };
  }

  private take(row: MailboxRow, recent: UidSet): void {
    // What the feed told before this was not listened to.
    this.path = row.path;
    this.rights = this.parts.rights(row.acl, this.identity, this.owner.userid);
    this.demandRead();
    this.seenCache = null;
    this.keywords = row.keywords;
    this.snapshot = this.snapshotOf(row, recent);
    this.floor = row.highestmodseq;
    this.lastModseq = row.highestmodseq;
    this.lastUidnext = row.uidnext;
    this.expungedSince = UidSet.empty;
    // Without gaps the row says which UIDs there are.
    this.known = row.messages === row.uidnext - 1 ? UidSet.range(1, row.messages) : null;
    this.quotaroot = row.quotaroot;
    this.taken = true;
  }

  get keywordsOpen(): boolean {
    return this.keywords.length < MAX_KEYWORDS && hasRight(this.rights, 'w');
  }

  uids(): UidSet {
    if (this.known !== null) return this.known;
    const row = this.row();
    // The index may be ahead of the snapshot, also of the feed: take back what came since, put back what went. Those that are
    // there are read first: what goes between the two reads is in both.
    const there = this.parts.readers.uids(this.owner, row);
    const expunged = this.row().highestmodseq === this.snapshot.highestmodseq
      ? UidSet.empty
      : this.reader.expungedSince(this.id, this.snapshot.highestmodseq);
    this.known = there.union(expunged).union(this.expungedSince).clip(1, this.snapshot.uidnext - 1);
    this.expungedSince = UidSet.empty;
    return this.known;
  }

  private row(): MailboxRow {
    const row = this.reader.mailboxById(this.id);
    if (row === null) throw userError('nonexistent', 'Mailbox does not exist');
    return row;
  }

  private seen(): UidSet {
    this.seenCache ??= this.reader.seen(this.id, this.identity.userid).uids;
    return this.seenCache;
  }

  quotaRoots(): QuotaRoot[] {
    if (this.quotaroot === null) return [];
    this.demandRead();
    const quota = this.reader.quotas().find((candidate) => candidate.path === this.quotaroot);
    return quota === undefined ? [] : [quotaOf(this.owner.userid, quota)];
  }

  firstUnseen(): number {
    if (this.own) return this.reader.firstUnseen(this.id);
    const unseen = this.uids().subtract(this.seen());
    return unseen.isEmpty ? 0 : unseen.min;
  }

  narrow(uids: UidSet, after: number, limit: number): NarrowRow[] {
    const read: ReadRows<NarrowRow> = (...range) => this.reader.narrow(this.id, ...range);
    return this.page(uids, after, limit, read);
  }

  wide<const Columns extends readonly PartColumn[]>(
    uids: UidSet,
    after: number,
    limit: number,
    columns: Columns,
  ): WideRow<Columns>[] {
    return this.page<WideRow<Columns>>(
      uids,
      after,
      limit,
      (lo, hi, count, expunged) => this.reader.wide(this.id, lo, hi, count, expunged, columns),
    );
  }

  /** One page of rows; where the living ones are fewer than asked for, expunged ones within their grace fill in. */
  private page<Row extends NarrowRow | WideRow>(
    uids: UidSet,
    after: number,
    limit: number,
    read: ReadRows<Row>,
  ): Row[] {
    this.demandRead();
    const out = readPage(uids, after, limit, read);
    if (!this.own) {
      const seen = this.seen();
      for (const row of out) row[1] = seen.has(row[0]) ? (row[1] | SEEN) >>> 0 : (row[1] & ~SEEN) >>> 0;
    }
    return out;
  }

  lines(...[uids, after, limit, line, positions]: Parameters<Mailbox['lines']>): Lines | null {
    this.demandRead();
    if (!this.own) return null;
    const { reader, id } = this;
    return readLines(uids, after, limit, positions, (lo, hi, shift) => reader.lines(id, lo, hi, shift, line));
  }

  private demandRead(): void {
    if (!hasRight(this.rights, 'r')) throw userError('noperm', "You lack the right 'r' needed to read here");
  }

  withFlags(all: { lo: number; hi: number }, none: { lo: number; hi: number }): UidSet {
    this.demandRead();
    if (this.own) return this.reader.withFlags(this.id, all, none);
    const strip = (bits: { lo: number; hi: number }) => ({ lo: (bits.lo & ~SEEN) >>> 0, hi: bits.hi });
    let found = this.reader.withFlags(this.id, strip(all), strip(none));
    if (all.lo & SEEN) found = found.intersect(this.seen());
    if (none.lo & SEEN) found = found.subtract(this.seen());
    return found;
  }

  changedSince(modseq: number): { changed: UidSet; expunged: UidSet } {
    this.demandRead();
    return this.reader.changedSince(this.id, modseq);
  }

  changedAmong(uids: UidSet, modseq: number): UidSet {
    this.demandRead();
    return uids.intersect(this.reader.changedBetween(this.id, modseq, uids.min, uids.max));
  }

  content(row: NarrowRow | WideRow, place = this.reader.place(row[7])): MessageContent {
    this.demandRead();
    if (place === null) throw userError('nonexistent', 'The message has been removed');
    return openContent(
      this.parts.spool.placed(place, this.owner.folder),
      row[4],
      this.owner.userid,
      () => this.reader.narrow(this.id, row[0], row[0], 1, false).length > 0,
    );
  }

  private change<Result>(change: Parameters<StoreParts['link']['change']>[0]): Promise<Result> {
    return this.parts.change(change, this.origin) as Promise<Result>;
  }

  async store(
    uids: UidSet,
    operation: StoreOperation,
    flags: readonly string[],
    unchangedSince?: number,
  ): Promise<StoreResult> {
    this.demandWrite();
    return await storeFlags(
      (change) => this.change(change),
      this.place,
      uids,
      operation,
      flags,
      unchangedSince ?? null,
    );
  }

  private demandWrite(): void {
    if (this.readOnly) throw userError('readonly', 'The mailbox was opened read-only');
  }

  async expunge(uids: UidSet | null): Promise<{ expunged: UidSet; modseq: number }> {
    this.demandWrite();
    // Where nothing is marked there is nothing to ask for, except whether the right is there.
    const { acl, deleted, highestmodseq: modseq } = this.row();
    const rights = this.parts.rights(acl, this.identity, this.owner.userid);
    if (hasRight(rights, 'e') && deleted === 0) return { expunged: UidSet.empty, modseq };
    return await expunge((change) => this.change(change), this.place, uids, false);
  }

  async remove(uids: UidSet): Promise<void> {
    this.demandWrite();
    await expunge((change) => this.change(change), this.place, uids, true);
  }

  copy(uids: UidSet, destination: MailboxName): Promise<CopyResult> {
    return transfer((change) => this.change(change), this.place, uids, destination, false);
  }

  move(uids: UidSet, destination: MailboxName): Promise<CopyResult> {
    this.demandWrite();
    return transfer((change) => this.change(change), this.place, uids, destination, true);
  }

  onEvents(events: readonly Published[], own: boolean): void {
    if (this.closed) return;
    for (const event of events) {
      if (!('mb' in event) || event.mb !== this.id) continue;
      this.onEvent(event, own);
    }
  }

  private onEvent(event: Exclude<Published, { k: 'list' }>, own: boolean): void {
    if (!this.taken || !this.heard) return;
    if ('q' in event) {
      if (event.q <= this.floor) return; // the snapshot has it already
      if (event.q > this.lastModseq) this.lastModseq = event.q;
    }
    switch (event.k) {
      case 'exists': {
        const uids = UidSet.parse(event.u).clip(this.lastUidnext, 0xffffffff);
        if (uids.isEmpty) return;
        this.lastUidnext = uids.max + 1;
        this.tell({ kind: 'exists', uids, uidnext: this.lastUidnext, modseq: event.q, own });
        return;
      }
      case 'flags': {
        if (event.userid !== undefined) {
          if (event.userid !== this.identity.userid) return;
          const before = this.seen();
          this.seenCache = UidSet.parse(event.u);
          const uids = before.subtract(this.seenCache).union(this.seenCache.subtract(before));
          if (!uids.isEmpty) this.tell({ kind: 'flags', uids, modseq: event.q, own });
          return;
        }
        this.tell({ kind: 'flags', uids: UidSet.parse(event.u), modseq: event.q, own });
        return;
      }
      case 'expunge': {
        const uids = UidSet.parse(event.u);
        if (this.known === null) this.expungedSince = this.expungedSince.union(uids);
        this.tell({ kind: 'expunge', uids, modseq: event.q, own });
        return;
      }
      case 'keywords':
        this.keywords = this.reader.mailboxById(this.id)?.keywords ?? this.keywords;
        this.tell({ kind: 'keywords' });
        return;
      case 'renamed':
        this.path = event.path;
        this.tell({ kind: 'renamed', name: this.name });
        return;
      case 'acl': {
        const row = this.reader.mailboxById(this.id);
        if (row === null) return;
        this.rights = this.parts.rights(row.acl, this.identity, this.owner.userid);
        this.tell({ kind: 'rights', rights: this.rights });
        return;
      }
      case 'deleted':
        this.tell({ kind: 'deleted' });
        return;
    }
  }

  /** The writer went away and came back: what the index has and the listener was not told is told now. */
  onLost(): void {
    this.heard = true;
    if (!this.closed && this.taken) this.compare();
  }

  onReady(): void {
    if (this.heard) return;
    this.heard = true;
    if (!this.closed && this.taken) this.compare();
  }

  refresh(): void {
    if (!this.closed) this.compare();
  }

  /** Tells what the index has and the listener was not told. */
  private compare(): void {
    const { reader } = this;
    const there = this.parts.owner(this.owner.userid)?.id === this.owner.id;
    // Mostly nobody has committed to the index since.
    const known = there ? reader.mailboxAsOf(this.compared, this.id) : null;
    if (
      known !== null && known.highestmodseq === this.floor &&
      this.parts.rights(known.acl, this.identity, this.owner.userid) === this.rights
    ) return;
    this.compared = 0;
    // Of one moment: what comes between two reads would be told twice, or never.
    const { row, since } = reader.consistent(() => {
      const row = there ? reader.mailboxById(this.id) : null;
      return {
        row,
        since: row !== null && row.highestmodseq > this.lastModseq
          ? reader.changedSince(this.id, this.lastModseq)
          : { changed: UidSet.empty, expunged: UidSet.empty },
      };
    });
    if (row === null) {
      this.tell({ kind: 'deleted' });
      return;
    }
    this.compared = reader.stamp;
    const modseq = row.highestmodseq;
    const seenBefore = this.seenCache;
    this.seenCache = null;
    this.lastModseq = modseq;
    this.floor = modseq;
    if (!since.expunged.isEmpty) {
      const uids = since.expunged.clip(1, this.lastUidnext - 1);
      if (this.known === null) this.expungedSince = this.expungedSince.union(uids);
      if (!uids.isEmpty) this.tell({ kind: 'expunge', uids, modseq, own: false });
    }
    const added = since.changed.clip(this.lastUidnext, 0xffffffff);
    const flags = since.changed.clip(1, this.lastUidnext - 1);
    if (row.uidnext > this.lastUidnext) {
      this.lastUidnext = row.uidnext;
      if (!added.isEmpty) {
        this.tell({ kind: 'exists', uids: added, uidnext: row.uidnext, modseq, own: false });
      }
    }
    if (!flags.isEmpty) this.tell({ kind: 'flags', uids: flags, modseq, own: false });
    if (!this.own && seenBefore !== null) {
      const uids = seenBefore.subtract(this.seen()).union(this.seen().subtract(seenBefore)).clip(
        1,
        this.lastUidnext - 1,
      );
      if (!uids.isEmpty) this.tell({ kind: 'flags', uids, modseq, own: false });
    }
    if (row.path !== this.path) {
      this.path = row.path;
      this.tell({ kind: 'renamed', name: this.name });
    }
    const rights = this.parts.rights(row.acl, this.identity, this.owner.userid);
    if (rights !== this.rights) {
      this.rights = rights;
      this.tell({ kind: 'rights', rights });
    }
    if (row.keywords.length !== this.keywords.length) {
      this.keywords = row.keywords;
      this.tell({ kind: 'keywords' });
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.parts.feed.remove(this.owner.id, this);
  }
}
