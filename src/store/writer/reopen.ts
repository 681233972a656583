/**
 * Owners whose index did not take records that are durable already: closed, and opened again when the records have been applied
 * (DESIGN rule 4). Nobody is told that the change failed; the owner's mailboxes are away for a while.
 */
import type { Log } from '../../telemetry/log.ts';
import { applyOwnerEvent } from '../index/apply.ts';
import { IndexDamage, isDamage } from '../index/damage.ts';
import type { OwnerRow } from '../index/directory.ts';
import type { OwnerIndex } from '../index/owner.ts';
import type { Layout } from '../layout.ts';
import type { LogRecord } from '../log/record.ts';
import { readLogOf } from '../log/closed.ts';
import { breakClaim } from './committed.ts';
import type { WriterState } from './context.ts';
import { errorText } from './errortext.ts';
import type { Healing } from './heal.ts';

/** Milliseconds from the attempt made at once to the next, and between further ones. */
const FIRST = 1000;
const FURTHER = 10_000;

/** What the writer knows and has to know. */
export interface ReopeningHooks {
  /** The LSN up to which the log may be read (DESIGN rule 9). */
  durableLsn(): number;
  /** The writer does nothing any more. */
  stopped(): boolean;
  /** Databases changed outside a batch: a sync that began before does not count for a checkpoint. */
  repaired(): void;
}

export class Reopening {
  constructor(
    private readonly state: WriterState,
    private readonly layout: Layout,
    private readonly log: Log,
    private readonly healing: Healing,
    private readonly hooks: ReopeningHooks,
  ) {
    state.owners.catchUp = (index) => this.catchUp(index);
  }

  /**
   * Takes an index whose commit failed out of use and applies its records again: at once, so that what is about to be answered
   * can be read, and where that fails later.
   */
  close(index: OwnerIndex, error: unknown): void {
    const { owners } = this.state;
    const owner = owners.ownerOf(index);
    breakClaim(this.layout);
    this.log.error('owner closed: commit failed', { userid: owner.userid, error: errorText(error) });
    this.hooks.repaired();
    owners.drop(owner.id);
    this.reopen(owner, FIRST);
  }

  /** After recovery: owners that were closed when a checkpoint passed them get what their indexes lack. */
  resume(behind: Iterable<number>): void {
    for (const id of behind) {
      const owner = this.state.directory.ownerById(id);
      if (owner === null) this.state.owners.release(id);
      else this.reopen(owner, FIRST);
    }
  }

  /** Applies the owner's records again from the log. */
  private reopen(owner: OwnerRow, next: number): void {
    const { directory, owners } = this.state;
    if (this.hooks.stopped() || directory.ownerById(owner.id) === null) return;
    owners.release(owner.id);
    try {
      const index = owners.open(owner, true);
      readLogOf(this.layout.log, owner.id, index.lsn, (record) => this.apply(index, record));
      const floor = owners.floor(owner.id);
      if (index.lsn < floor) throw gap(index, floor);
      index.commit();
      this.hooks.repaired();
      this.log.info('owner open again', { userid: owner.userid });
    } catch (error) {
      owners.drop(owner.id);
      if (isDamage(error)) return this.healing.damaged(owner, errorText(error));
      owners.quarantine(owner.id, `its index could not be written (${errorText(error)}); it is tried again`);
      setTimeout(() => this.reopen(owner, FURTHER), next).unref();
    }
  }

  /** Brings an index to what the log has of it: it was claimed to have that already. */
  private catchUp(index: OwnerIndex): void {
    this.log.warn('index is behind: its records are applied again', { path: index.path, lsn: index.lsn });
    readLogOf(this.layout.log, index.id, index.lsn, (record) => this.apply(index, record));
    index.commit();
    this.hooks.repaired();
  }

  private apply(index: OwnerIndex, record: LogRecord): void {
    if (record.l > this.hooks.durableLsn()) return;
    for (const section of record.s) {
      if (section.o !== index.id || index.lsn >= record.l) continue;
      if (index.lsn !== section.p) throw gap(index, section.p);
      index.begin();
      for (const event of section.e) applyOwnerEvent(index, event, record.blobs);
      index.applied(record.l);
    }
  }
}

/** What is missing here may be in the snapshot. */
function gap(index: OwnerIndex, until: number): IndexDamage {
  return new IndexDamage(index.id, index.path, `records between ${index.lsn} and ${until} are missing`);
}
