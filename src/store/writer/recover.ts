/**
 * Recovery: brings every database and every file to what the redo log says, after whatever ended the last run.
 *
 * Invariants
 * 1. The log's tail is durable before anything of it is applied (DESIGN rule 2; RedoLog.recover does it).
 * 2. A database gets the records above its own LSN and no others; a gap in its chain quarantines it (DESIGN rule 3).
 * 3. After a loss of power files are remade also for records a database has already: it may have been synced when its files
 *    were not.
 * 4. Nothing is unlinked here: what was purged goes with the next checkpoint (DESIGN rule 6).
 */
import type { Log } from '../../telemetry/log.ts';
import { errorText } from './errortext.ts';
import { applyOwnerEvent } from '../index/apply.ts';
import type { Directory, OwnerRow } from '../index/directory.ts';
import type { OwnerIndex } from '../index/owner.ts';
import type { PartData } from '../log/events.ts';
import { type AcceptedLosses, isAcceptedLoss, readLosses } from '../log/losses.ts';
import type { LogRecord, Section } from '../log/record.ts';
import { MailError } from '../../errors.ts';
import type { Spool } from '../spool/spool.ts';
import type { OwnerPool } from './owners.ts';
import { step } from '../step.ts';

/** Records that are taken together: each index they touch is opened and committed once for all of them. */
const SLICE_RECORDS = 20_000;
/** And how many bytes of bodies they may hold. */
const SLICE_BYTES = 64 << 20;

export interface RecoveryReport {
  records: number;
  applied: number;
  filesRemade: number;
  quarantined: number;
  /** Owners that lack records whose loss was accepted, with how many of the later ones could not be applied to them. */
  bridged: Map<number, number>;
  /** Ids in the log that directory.db does not know. */
  unknown: Set<number>;
}

/** A section that waits for its owner's turn. */
interface Waiting {
  readonly record: LogRecord;
  readonly section: Section;
  /** First file of the record with the same content: the others are linked to it. */
  readonly placed: Map<string, string>;
  /** Parts whose files could not be made. */
  readonly unmade: { part: PartData; error: unknown }[];
}

export class Recovery {
  readonly report: RecoveryReport = {
    records: 0,
    applied: 0,
    filesRemade: 0,
    quarantined: 0,
    bridged: new Map(),
    unknown: new Set(),
  };
  private readonly gone: OwnerRow[] = [];
  private readonly waiting = new Map<number, Waiting[]>();
  private records = 0;
  private bytes = 0;
  /** What is missing from the log with the administrator's consent. */
  private readonly losses: readonly AcceptedLosses[];

  /** @param verify compare contents of files too, not only their size: after a loss of power */
  constructor(
    private readonly directory: Directory,
    private readonly owners: OwnerPool,
    private readonly spool: Spool,
    private readonly log: Log,
    private readonly verify: boolean,
    logFolder: string,
  ) {
    spool.syncNames();
    this.losses = readLosses(logFolder);
  }

  /** Takes the next record of the log, in order. Owners get theirs when enough has come together. */
  apply(record: LogRecord): void {
    this.report.records++;
    for (const event of record.d?.e ?? []) if (event.k === 'ownergone') this.forget(event.id);
    // A new owner has to be known before its index can be opened, so the directory comes first here.
    if (record.d !== undefined && this.directory.lsn < record.l) this.applyDirectory(record, record.d);
    const placed = new Map<string, string>();
    for (const section of record.s) {
      const owner = this.directory.ownerById(section.o);
      if (owner === null && this.directory.anyOwner(section.o) === null) this.report.unknown.add(section.o);
      if (owner === null) continue;
      const one: Waiting = { record, section, placed, unmade: [] };
      // A file may be linked to one of an earlier record, whoever that belongs to: files in the order of the log. Also those of an
      // owner who is closed: what makes the index whole again looks at their sizes alone.
      if (this.verify) this.remakeFiles(owner, one);
      if (this.owners.closed.has(owner.id)) continue;
      const list = this.waiting.get(owner.id);
      if (list === undefined) this.waiting.set(owner.id, [one]);
      else list.push(one);
    }
    step('recovery.record');
    for (const blob of record.blobs) this.bytes += blob.length;
    if (++this.records >= SLICE_RECORDS || this.bytes >= SLICE_BYTES) this.settle();
  }

  private applyDirectory(record: LogRecord, { p, e: events }: NonNullable<LogRecord['d']>): void {
    if (this.directory.lsn < p && !isAcceptedLoss(this.losses, null, p)) {
      throw new MailError(
        'server',
        'corruption',
        `directory.db is at ${this.directory.lsn} but the log continues at ${p}: ` +
          `records are missing. Restore directory.db or the log from a backup.`,
      );
    }
    this.directory.begin();
    for (const event of events) this.directory.apply(event);
    this.directory.applied(record.l);
    this.report.applied++;
    step('recovery.directory');
  }

  /** A user was removed: nothing of the old records is wanted any more, and the folders may have survived. */
  private forget(id: number): void {
    this.waiting.delete(id);
    this.owners.drop(id);
    this.owners.release(id);
    const owner = this.directory.anyOwner(id);
    if (owner !== null) this.gone.push(owner);
  }

  /** Applies what waits, owner by owner, and commits it. */
  private settle(): void {
    for (const [id, list] of this.waiting) {
      const owner = this.directory.ownerById(id);
      if (owner === null || this.owners.closed.has(id)) continue;
      try {
        for (const one of list) this.applySection(owner, one);
      } catch (error) {
        this.quarantine(owner, error);
        continue;
      }
      this.owners.peek(id)?.commit();
      step('recovery.committing');
    }
    this.directory.commit();
    this.waiting.clear();
    this.records = this.bytes = 0;
  }

  private applySection(owner: OwnerRow, waiting: Waiting): void {
    const { record, section } = waiting;
    if (section.p === 0) this.owners.allowNew(owner);
    const index = this.owners.open(owner);
    if (index.lsn >= record.l) {
      // Files are made before their record is logged: without a loss of power they are there.
      for (const { part, error } of waiting.unmade) {
        // Another owner's copy may need a purged part, too; where it cannot be made and is purged, nobody missed it.
        const row = index.sql('SELECT 1 FROM part WHERE id = ? AND file = ?').get(part.id, part.file);
        if (row !== null) throw error;
      }
      return;
    }
    const bridging = this.report.bridged.has(owner.id) || this.isBridge(owner.id, index.lsn, section);
    if (!bridging && index.lsn !== section.p) {
      throw new Error(`its index is at ${index.lsn} but the log continues at ${section.p}`);
    }
    if (!this.verify) this.remakeFiles(owner, waiting);
    if (bridging) return this.applyBehindLoss(index, waiting);
    index.begin();
    this.applyEvents(index, waiting);
    index.applied(record.l);
    this.report.applied++;
    step('recovery.section');
  }

  private applyEvents(index: OwnerIndex, { record, section, unmade: [unmade] }: Waiting): void {
    if (unmade !== undefined) throw unmade.error;
    for (const event of section.e) applyOwnerEvent(index, event, record.blobs);
  }

  private isBridge(owner: number, lsn: number, { p }: Section): boolean {
    return lsn < p && isAcceptedLoss(this.losses, owner, p);
  }

  /** Something before this record is missing: what cannot be applied without it is left out, as a whole. */
  private applyBehindLoss(index: OwnerIndex, waiting: Waiting): void {
    const { record } = waiting;
    index.commit();
    let failed = this.report.bridged.get(index.id) ?? 0;
    index.begin();
    try {
      this.applyEvents(index, waiting);
    } catch (error) {
      failed++;
      this.log.warn('record behind the lost ones not applied', {
        userid: index.userid,
        lsn: record.l,
        reason: errorText(error),
      });
      index.rollback();
      index.begin();
    }
    this.report.bridged.set(index.id, failed);
    index.applied(record.l);
    index.commit();
    this.report.applied++;
  }

  /** Makes files that are missing or torn. */
  private remakeFiles(owner: OwnerRow, { record, section, placed, unmade }: Waiting): void {
    for (const event of section.e) {
      if (event.k !== 'add') continue;
      for (const part of event.parts) {
        const path = this.spool.path(part.partition, owner.folder, part.file);
        if (this.owners.intact(path, part, this.verify)) {
          if (!placed.has(part.hash)) placed.set(part.hash, path);
          continue;
        }
        try {
          this.make(path, part, record, placed);
          this.report.filesRemade++;
        } catch (error) {
          unmade.push({ part, error });
        }
      }
    }
  }

  private make(path: string, part: PartData, record: LogRecord, placed: Map<string, string>): void {
    // An adopted file is its own and only source.
    if ('link' in part.source && part.source.link === path) return;
    // What a loss of power left may have the right size and the wrong bytes.
    this.spool.remove(path);
    this.owners.place(path, part, record.blobs, placed);
  }

  private quarantine(owner: OwnerRow, error: unknown): void {
    const reason = errorText(error);
    this.owners.drop(owner.id);
    this.owners.quarantine(owner.id, reason);
    this.report.quarantined++;
    this.log.error('owner closed until repaired', { userid: owner.userid, reason });
  }

  /** Applies what is left, removes the folders of users that are gone. */
  finish(removeFolders: (owner: OwnerRow) => void): void {
    this.settle();
    for (const owner of this.gone) {
      if (this.directory.owner(owner.userid) === null) removeFolders(owner);
      step('recovery.gone');
    }
    step('recovery.done');
  }
}
