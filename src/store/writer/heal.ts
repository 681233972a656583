/**
 * Damage that is found while the store is in use: the owner is closed, named in the log with what was found, and its index
 * built anew from snapshot and log between two batches. Where that is not exact the owner stays closed and the log says what to
 * do. Others go on.
 */
import { MailError, serverError } from '../../errors.ts';
import type { Log } from '../../telemetry/log.ts';
import { checkDirectory, checkIndex } from '../check/index.ts';
import { IndexDamage, isDamage } from '../index/damage.ts';
import type { OwnerRow } from '../index/directory.ts';
import type { Layout } from '../layout.ts';
import type { WriterState } from './context.ts';
import { errorText } from './errortext.ts';
import { endRebuild, rebuildOwner, type Rebuilt } from './rebuild.ts';

/** Milliseconds in which an index that was found in order is not looked at again: looking takes time. */
const TRUSTED = 60_000;

/** Milliseconds until an index is built anew again that could not be, because a system call failed. */
const AGAIN = 2000;

/** What healing needs of the writer. */
export interface HealingHooks {
  /** The LSN up to which the log may be read (DESIGN rule 9). */
  durableLsn(): number;
  /** The writer does nothing any more. */
  stopped(): boolean;
  /** Has something done while no batch is under way. */
  between(work: () => void): void;
  /** Resolves when everything that was submitted before is done or refused. */
  settled(): Promise<void>;
  /** The owner's index is another file now. */
  replaced(owner: number): void;
  /** directory.db is damaged: the process must end, its successor derives it anew (writer/derive.ts). */
  directoryDamaged(reason: string): void;
}

export class Healing {
  /** Owners looked at after a suspicion and found in order, with the time. */
  private readonly trusted = new Map<number, number>();

  constructor(
    private readonly state: WriterState,
    private readonly layout: Layout,
    private readonly log: Log,
    private readonly hooks: HealingHooks,
  ) {
    state.owners.onDamage = (owner, reason) => this.damaged(owner, reason);
    state.owners.onDirectoryDamage = (reason) => this.suspect(0, reason);
  }

  /** Closes an owner and heals its index as soon as no batch is under way. */
  damaged(owner: OwnerRow, reason: string): void {
    const { owners } = this.state;
    this.log.error('index damaged, owner closed', { userid: owner.userid, reason });
    owners.quarantine(owner.id, reason);
    this.hooks.between(() => {
      if (!this.hooks.stopped() && this.state.directory.ownerById(owner.id) !== null) this.heal(owner);
    });
  }

  /** A missing or damaged index heals itself where snapshot and log allow it: after recovery, but for those that only lack records. */
  healClosed(behind: ReadonlySet<number>): void {
    const { directory, owners } = this.state;
    for (const id of [...owners.closed.keys()]) {
      if (behind.has(id)) continue;
      const owner = directory.ownerById(id);
      if (owner !== null) this.heal(owner);
      else {
        owners.release(id);
        endRebuild(this.layout.log, id);
      }
    }
  }

  /** Builds the index anew; where that fails the owner stays closed, and the log says why and what to do. */
  heal(owner: OwnerRow): void {
    try {
      this.rebuildNow(owner);
    } catch (error) {
      this.log.error('owner stays closed', { userid: owner.userid, reason: errorText(error) });
    }
  }

  /** A change failed in a way that may mean damage: whoever it is in is closed, the others go on. */
  failed(error: unknown, touched: Iterable<number>): void {
    if (error instanceof IndexDamage) return this.suspect(error.owner, errorText(error));
    if (!isDamage(error)) return;
    for (const id of touched) this.suspect(id, errorText(error));
  }

  /** Looks at an index (0: directory.db) that somebody found damaged, between two batches. */
  suspect(id: number, reason: string): void {
    if (performance.now() - (this.trusted.get(id) ?? -Infinity) < TRUSTED) return;
    this.trusted.set(id, performance.now());
    this.hooks.between(() => {
      if (this.hooks.stopped()) return;
      if (id === 0) return this.lookAtDirectory(reason);
      const owner = this.state.directory.ownerById(id);
      if (owner === null || this.state.owners.closed.has(id)) return;
      try {
        // One that lost its journal is in order by itself; opening compares it with what a checkpoint vouched for.
        this.state.owners.open(owner);
      } catch (error) {
        this.log.warn('index cannot be opened', { userid: owner.userid, reason: errorText(error) });
        return;
      }
      const found = checkIndex(this.layout.index(owner.folder), owner.userid)
        .find(({ severity }) => severity === 'damage');
      if (found === undefined) {
        this.log.warn('index looked at and in order', { userid: owner.userid, reason });
      } else {
        this.trusted.delete(id);
        this.damaged(owner, `${found.place}: ${found.text}`);
      }
    });
  }

  private lookAtDirectory(reason: string): void {
    const found = checkDirectory(this.layout.directory).find(({ severity }) => severity === 'damage');
    if (found === undefined) this.log.warn('directory.db looked at and in order', { reason });
    else this.hooks.directoryDamaged(`${found.place}: ${found.text}`);
  }

  /** Builds an owner's index anew from its snapshot and the log, between two batches. */
  async rebuild(id: number, acceptLoss: boolean): Promise<Rebuilt> {
    const owner = this.state.directory.ownerById(id);
    if (owner === null) throw serverError(`there is no owner ${id}`);
    // Whether it is whole as it is can only be said of one that is open.
    try {
      if (!this.state.owners.closed.has(id)) this.state.owners.open(owner);
    } catch (error) {
      this.log.info('index cannot be opened', { userid: owner.userid, reason: errorText(error) });
    }
    this.state.owners.quarantine(id, 'its index is being rebuilt');
    await this.hooks.settled();
    return this.rebuildNow(owner, acceptLoss);
  }

  private rebuildNow(owner: OwnerRow, acceptLoss = false): Rebuilt {
    const { owners, spool } = this.state;
    try {
      const report = rebuildOwner(owner, owners, spool, this.layout, this.hooks.durableLsn(), acceptLoss);
      this.hooks.replaced(owner.id);
      if (report.kept !== undefined) {
        this.log.warn('index in order and kept', { userid: owner.userid, notrebuilt: report.kept });
        return report;
      }
      this.log.warn('index rebuilt', {
        userid: owner.userid,
        snapshot: report.snapshot,
        records: report.records,
        filesremade: report.filesRemade,
        ...(acceptLoss ? { lossaccepted: true, skipped: report.skipped } : {}),
      });
      return report;
    } catch (error) {
      owners.quarantine(owner.id, errorText(error));
      // What is missing or damaged stays so; a disk that was full or failed for a moment need not.
      if (!isDamage(error) && !(error instanceof MailError && error.code === 'corruption')) this.again(owner);
      throw error;
    }
  }

  /** Tries once more after a while, unless somebody else did. */
  private again(owner: OwnerRow): void {
    const retry = (): void => {
      const { directory, owners } = this.state;
      const wanted = owners.closed.has(owner.id) && directory.ownerById(owner.id) !== null;
      if (wanted && !this.hooks.stopped()) this.heal(owner);
    };
    setTimeout(() => this.hooks.between(retry), AGAIN).unref();
  }
}
