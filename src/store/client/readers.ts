/**
 * The read-only databases of a worker: directory.db and the owners' indexes in use. An index nobody has asked for a few
 * seconds is closed: clients that wait in IDLE hold none, and its 200 KB go back to the system.
 */
import { existsSync } from 'node:fs';
import { type MailError, serverError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import type { OwnerRow } from '../index/directory.ts';
import { DirectoryReader } from '../index/directoryreader.ts';
import { OwnerReader } from '../index/reader.ts';
import type { MailboxRow } from '../index/rows.ts';
import type { Layout } from '../layout.ts';
import type { UidSet } from '../uidset.ts';
import { MailboxUids } from './uids.ts';

/** What a user hears while the writer heals; the log has the reason. */
function closedForRepair(): MailError {
  return serverError('the mailbox is closed for repair; the administrator finds the reason in the log');
}

/** How often indexes are looked at: one is closed between once and twice this time after its last use. */
const SWEEP_MS = 5000;

/** Closing takes most of a millisecond: so many at a time, with pauses for others. */
const CLOSED_AT_ONCE = 4;
const PAUSE_MS = 20;

type Alarm = (owner: number, reason: string) => void;

export class Readers {
  readonly directory: DirectoryReader;
  /**
   * Opened for the first time in a while, in that order. Whoever logs in to wait for mail reads once and not again, and a
   * thousand who do should not make thousands of pages be touched; whoever comes back later than the next few is kept longer.
   */
  private readonly first = new Map<number, OwnerReader>();
  /** Owners whose index was closed because others were opened for the first time. */
  private readonly left = new Set<number>();
  /** Used since the last sweep. In order of use, as `resting`: the first is the longest unused. */
  private pool = new Map<number, OwnerReader>();
  /** Not used since: closed by the next sweep. */
  private resting = new Map<number, OwnerReader>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly known = new MailboxUids();

  /**
   * @param alarm hears of an owner whose index (0: directory.db) is damaged
   * @param closed owners whose index lacks changes that were acknowledged
   */
  constructor(
    private readonly layout: Layout,
    private readonly alarm: Alarm,
    private readonly closed: ReadonlySet<number> = new Set(),
  ) {
    this.directory = new DirectoryReader(layout.directory, (reason) => alarm(0, reason));
  }

  /** The index of an owner. Do not keep it over an await: it may be closed when others are opened. */
  of(owner: Pick<OwnerRow, 'id' | 'folder'>): OwnerReader {
    this.demandOpen(owner.id);
    const found = this.pool.get(owner.id);
    if (found !== undefined) {
      this.pool.delete(owner.id);
      this.pool.set(owner.id, found);
      return found;
    }
    const first = this.first.get(owner.id);
    if (first !== undefined) return first;
    const rested = this.resting.get(owner.id);
    if (rested !== undefined) {
      this.resting.delete(owner.id);
      this.pool.set(owner.id, rested);
      return rested;
    }
    if (this.openIndexes >= limits.store_open_indexes.value && !closeFirst(this.resting)) {
      closeFirst(this.pool);
    }
    const reader = this.open(owner);
    if (this.left.delete(owner.id)) this.pool.set(owner.id, reader);
    else this.welcome(owner.id, reader);
    this.timer ??= setTimeout(() => this.sweep(), SWEEP_MS).unref();
    return reader;
  }

  /** Opened for the first time in a while. */
  private welcome(owner: number, reader: OwnerReader): void {
    if (this.first.size >= limits.store_first_indexes.value) {
      const [id] = this.first.keys();
      this.left.add(id as number);
      if (this.left.size > limits.store_open_indexes.value) {
        const [oldest] = this.left;
        this.left.delete(oldest as number);
      }
      closeFirst(this.first);
    }
    this.first.set(owner, reader);
  }

  /** Throws while an owner's index must not be read. */
  demandOpen(owner: number): void {
    if (this.closed.has(owner)) throw closedForRepair();
  }

  /** Indexes that are open. */
  get openIndexes(): number {
    return this.first.size + this.pool.size + this.resting.size;
  }

  /** Closes what rested for a whole interval; what was used rests from now on. */
  sweep(): void {
    for (let count = 0; count < CLOSED_AT_ONCE && closeFirst(this.resting); count++);
    let next = PAUSE_MS;
    if (this.resting.size === 0) {
      [this.pool, this.resting] = [this.resting, this.pool];
      for (const [id, reader] of this.first) this.resting.set(id, reader);
      this.first.clear();
      next = SWEEP_MS;
    }
    clearTimeout(this.timer);
    this.timer = this.openIndexes === 0 ? undefined : setTimeout(() => this.sweep(), next).unref();
  }

  private open({ id, folder }: Pick<OwnerRow, 'id' | 'folder'>): OwnerReader {
    const path = this.layout.index(folder);
    const damaged = (reason: string): MailError => {
      this.alarm(id, reason);
      return closedForRepair();
    };
    // The floor first: the writer goes on.
    const floor = this.directory.floor(id);
    if (!existsSync(path)) throw damaged(`${path} is missing`);
    const reader = new OwnerReader(path, damaged);
    const { openedAt } = reader;
    if (openedAt >= floor) return reader;
    reader.close();
    throw damaged(`${path} is at ${openedAt} but had ${floor}: its journal was lost`);
  }

  /** The UIDs of a mailbox whose row was read just now. */
  uids(owner: Pick<OwnerRow, 'id' | 'folder'>, row: MailboxRow): UidSet {
    return this.known.of(owner.id, this.of(owner), row);
  }

  /** Lets others have their turn while the UIDs of a large mailbox are read for the first time; undefined if there is no need. */
  prepareUids(owner: Pick<OwnerRow, 'id' | 'folder'>, row: MailboxRow): Promise<void> | undefined {
    return this.known.prepare(owner.id, () => this.of(owner), row);
  }

  /** Forgets an owner's index, for instance because the user was removed. */
  drop(owner: number): void {
    this.left.delete(owner);
    for (const pool of [this.first, this.pool, this.resting]) {
      pool.get(owner)?.close();
      pool.delete(owner);
    }
    this.known.drop(owner);
  }

  /** Forgets all indexes: each is opened again when it is wanted. */
  dropAll(): void {
    for (const pool of [this.first, this.pool, this.resting]) while (closeFirst(pool));
  }

  /** There is another writer, which may have made any of the databases anew. */
  startOver(): void {
    this.dropAll();
    try {
      this.directory.follow();
    } catch {
      // The writer heard of it by the alarm; the next one is followed.
    }
  }

  close(): void {
    clearTimeout(this.timer);
    this.dropAll();
    this.directory.close();
  }
}

/** Closes the longest unused of them; false if there is none. */
function closeFirst(pool: Map<number, OwnerReader>): boolean {
  for (const [id, reader] of pool) {
    pool.delete(id);
    reader.close();
    return true;
  }
  return false;
}
