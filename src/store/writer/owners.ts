/**
 * The open indexes of the writer: a least-recently-used pool, from which goes what nobody used for a while, and the placing
 * of part files.
 *
 * Invariants
 * 1. An index with an open transaction, or that a long change is at work on, is never closed.
 * 2. A file found under a part's name is kept only if it has the part's size (and content, when asked to verify).
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { MailError, serverError } from '../../errors.ts';
import type { OwnerRow } from '../index/directory.ts';
import { ownerOfIndex } from '../index/database.ts';
import { IndexDamage, isDamage } from '../index/damage.ts';
import { OwnerIndex } from '../index/owner.ts';
import type { Layout } from '../layout.ts';
import type { PartData } from '../log/events.ts';
import type { Spool } from '../spool/spool.ts';
import { limits } from '../../limits.ts';
import { breakClaim } from './committed.ts';
import { errorText } from './errortext.ts';
import { step } from '../step.ts';

/** Milliseconds the end of the writer may take for folding journals back; those left are read by the next one as they are. */
const SETTLE_MS = 3000;

/** How often indexes are looked at: one is closed between once and twice this time after its last use. */
const SWEEP_MS = 30_000;

/** Closing one takes a millisecond, and a sync where its journal was not folded back: so many at a time, with pauses. */
const CLOSED_AT_ONCE = 2;
const PAUSE_MS = 50;

interface Opened {
  readonly index: OwnerIndex;
  readonly owner: OwnerRow;
  /** Number of the sweep before which it was used last. */
  used: number;
}

export class OwnerPool {
  /** In order of use: the first is the longest unused. */
  private readonly pool = new Map<number, Opened>();
  private sweeps = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Owners that may not be used, with the reason (DESIGN rules 3 and 4). */
  private readonly quarantined = new Map<number, string>();

  /** Owners whose index may be created because nothing was ever applied to it. */
  private readonly fresh = new Set<number>();

  /** The LSN an index has at least when it is opened first: nobody looked at it when the store was (restart.ts). */
  private readonly expected = new Map<number, number>();
  /** Applies the records of the log that an index lacks, and commits them. */
  catchUp: (index: OwnerIndex) => void = () => {};

  /** Called when an index that is damaged or missing was asked for; it is closed already. */
  onDamage: (owner: OwnerRow, reason: string) => void = () => {};

  /** Called when what lies in the folders says that directory.db is damaged. */
  onDirectoryDamage: (reason: string) => void = () => {};

  /** Owners a long change is at work on: nobody else's until it is done (long.ts). */
  held: ReadonlySet<number> = new Set();

  /** @param floor the LSN an owner's index has at least, unless it lost its journal */
  /** Called when an owner is closed or opened again: an index that lacks what was acknowledged must not be read. */
  onClosed: (owner: number, closed: boolean) => void = () => {};

  constructor(
    private readonly layout: Layout,
    private readonly spool: Spool,
    readonly floor: (owner: number) => number,
  ) {}

  /**
   * The index of an owner, opened if need be. Throws 'unavailable' for a quarantined one. One that is damaged, or whose file is
   * missing although it should be there, is closed: an empty index in its place would hide the loss.
   * @param behind the log is about to be applied: the index may be older than a checkpoint vouched for
   */
  open(owner: OwnerRow, behind = false): OwnerIndex {
    const reason = this.quarantined.get(owner.id);
    if (reason !== undefined) {
      throw serverError('the mailbox is closed for repair; the administrator finds the reason in the log');
    }
    const found = this.pool.get(owner.id);
    if (found !== undefined) {
      this.pool.delete(owner.id);
      this.pool.set(owner.id, found);
      found.used = this.sweeps;
      return found.index;
    }
    this.shrink();
    const path = this.layout.index(owner.folder);
    if (this.fresh.has(owner.id)) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    let index: OwnerIndex;
    try {
      index = this.openFile(path, owner, behind);
    } catch (error) {
      const text = errorText(error);
      if (isDamage(error)) {
        this.quarantine(owner.id, text);
        this.onDamage(owner, text);
      }
      throw error instanceof MailError ? error : serverError(`opening ${path} failed: ${text}`, error);
    }
    this.fresh.delete(owner.id);
    this.pool.set(owner.id, { index, owner, used: this.sweeps });
    this.timer ??= setTimeout(() => this.sweep(), SWEEP_MS).unref();
    return index;
  }

  private openFile(path: string, owner: OwnerRow, behind: boolean): OwnerIndex {
    const fresh = this.fresh.has(owner.id);
    if (!fresh && !existsSync(path)) {
      throw new IndexDamage(owner.id, path, `the index of ${owner.userid} is missing`);
    }
    const index = new OwnerIndex(path, owner, fresh);
    const floor = behind || fresh ? 0 : this.floor(owner.id);
    if (index.lsn < (behind || fresh ? 0 : this.expected.get(owner.id) ?? 0)) this.bringUp(index);
    this.expected.delete(owner.id);
    if (index.lsn >= floor) return index;
    index.close();
    throw new IndexDamage(owner.id, path, `it is at ${index.lsn} but had ${floor}: its journal was lost`);
  }

  private bringUp(index: OwnerIndex): void {
    try {
      this.catchUp(index);
    } catch (error) {
      index.close();
      throw isDamage(error) ? error : new IndexDamage(index.id, index.path, errorText(error));
    }
  }

  /** Says how far indexes should be that were not looked at. */
  expect(lsns: ReadonlyMap<number, number>): void {
    for (const [owner, lsn] of lsns) this.expected.set(owner, lsn);
  }

  /**
   * Allows the index of a new owner to be created. What an earlier owner of the same folder left behind is removed: owner
   * ids are never reused, its records can never be applied to the new one.
   * @param keep puts it aside under another name instead
   */
  expectNew(owner: OwnerRow, keep = false): void {
    this.fresh.add(owner.id);
    this.drop(owner.id);
    const folder = this.layout.userFolder(owner.folder);
    if (!existsSync(folder)) return;
    const aside = `${folder}.${keep ? 'damaged' : 'gone'}-${owner.id}`;
    rmSync(aside, { recursive: true, force: true });
    renameSync(folder, aside);
    step('owner.aside');
    if (!keep) rmSync(aside, { recursive: true, force: true });
  }

  /** Lets recovery create an index whose first record is being replayed, also over that of an earlier owner of the folder. */
  allowNew(owner: OwnerRow): void {
    if (this.pool.has(owner.id)) return;
    const path = this.layout.index(owner.folder);
    if (!existsSync(path)) this.fresh.add(owner.id);
    else if (ownerOfIndex(path) !== owner.id) this.expectNew(owner);
  }

  /** Closes an owner. The log is needed for it again, whatever was claimed (committed.ts). */
  quarantine(id: number, reason: string): void {
    breakClaim(this.layout);
    this.quarantined.set(id, reason);
    this.onClosed(id, true);
  }

  release(id: number): void {
    if (this.quarantined.delete(id)) this.onClosed(id, false);
  }

  /** Closed owners and why. */
  get closed(): ReadonlyMap<number, string> {
    return this.quarantined;
  }

  private shrink(): void {
    if (this.pool.size >= limits.store_open_indexes.value) this.closeUnused(1, this.sweeps);
  }

  /** Closes what was last used before the sweep before this one; its journal is folded back and empty then. */
  sweep(): void {
    const before = this.sweeps - 1;
    const more = this.closeUnused(CLOSED_AT_ONCE, before, (index) => index.emptyJournal(0));
    if (!more) this.sweeps++;
    clearTimeout(this.timer);
    this.timer = this.pool.size === 0
      ? undefined
      : setTimeout(() => this.sweep(), more ? PAUSE_MS : SWEEP_MS).unref();
  }

  /** Closes so many of the longest unused, if they were last used at that sweep or before; false if there were fewer. */
  private closeUnused(count: number, upTo: number, first: (index: OwnerIndex) => void = () => {}): boolean {
    let left = count;
    for (const [id, { index, used }] of this.pool) {
      if (used > upTo) break;
      if (index.inTransaction || this.held.has(id)) continue;
      this.pool.delete(id);
      first(index);
      index.close();
      if (--left === 0) return true;
    }
    return false;
  }

  /** Where the index of an owner with this folder lies. */
  indexPath(folder: string): string {
    return this.layout.index(folder);
  }

  /** Closes one owner's index, for good or until it is asked for again. */
  drop(id: number): void {
    const found = this.pool.get(id);
    if (found === undefined) return;
    this.pool.delete(id);
    found.index.close(); // an open transaction is rolled back by it
  }

  /** All that are open, but those a long change holds. */
  *opened(): IterableIterator<OwnerIndex> {
    for (const { index } of this.pool.values()) if (!this.held.has(index.id)) yield index;
  }

  ownerOf(index: OwnerIndex): OwnerRow {
    const found = this.pool.get(index.id);
    if (found === undefined) throw serverError(`owner ${index.id} is not open`);
    return found.owner;
  }

  /** The index of an owner if it is open. */
  peek(id: number): OwnerIndex | undefined {
    return this.pool.get(id)?.index;
  }

  partPath(index: OwnerIndex, part: Pick<PartData, 'partition' | 'file'>): string {
    return this.spool.path(part.partition, this.ownerOf(index).folder, part.file);
  }

  /**
   * Makes a part's file exist. The first file of a record is written or linked from its source, further ones with the
   * same content are linked to it.
   */
  place(
    path: string,
    part: PartData,
    blobs: readonly Uint8Array[],
    placed: Map<string, string>,
  ): void {
    const shared = placed.get(part.hash);
    if ('link' in part.source && part.source.link === path) return;
    if (shared !== undefined) {
      this.spool.link(shared, path, part.size);
      return;
    }
    const { source } = part;
    if ('blob' in source) {
      const bytes = blobs[source.blob];
      if (bytes === undefined) throw serverError(`the log record of ${path} lacks its body`);
      this.spool.create(path, bytes);
    } else this.spool.link('stage' in source ? source.stage : source.link, path, part.size);
    placed.set(part.hash, path);
  }

  /** Whether the file of a part is there and whole. */
  intact(path: string, part: PartData, verify: boolean): boolean {
    if (!existsSync(path) || statSync(path).size !== part.size) return false;
    if (!verify) return true;
    return new Bun.CryptoHasher('sha256').update(readFileSync(path)).digest('hex') === part.hash;
  }

  /** Folds the journals of all open indexes back, as far as there is time: a store at rest keeps nothing twice. */
  emptyJournals(): void {
    const end = performance.now() + SETTLE_MS;
    for (const index of this.opened()) {
      if (performance.now() > end) return;
      index.emptyJournal();
    }
  }

  closeAll(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const { index } of this.pool.values()) index.close();
    this.pool.clear();
  }
}
