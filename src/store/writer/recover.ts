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
import { type AcceptedLosses, isAcceptedLoss, readLosses } from '../log/loss.ts';
import type { LogRecord, Section } from '../log/record.ts';
import { MailError } from '../../errors.ts';
import type { Spool } from '../spool/spool.ts';
import type { OwnerPool } from './owners.ts';
import type { Unlink } from './unlinks.ts';
import { step } from '../step.ts';

/** Records between two commits of a long replay. */
const COMMIT_EVERY = 500;

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

export class Recovery {
  readonly report: RecoveryReport = {
    records: 0,
    applied: 0,
    filesRemade: 0,
    quarantined: 0,
    bridged: new Map(),
    unknown: new Set(),
  };
  /** Files of purged parts, by the LSN of the purge. */
  readonly unlinks: Unlink[] = [];
  private readonly gone: OwnerRow[] = [];
  private sinceCommit = 0;
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
    this.losses = readLosses(logFolder);
    spool.syncNames();
  }

  /** Takes the next record of the log, in order. */
  apply(record: LogRecord): void {
    this.report.records++;
    for (const event of record.d?.e ?? []) if (event.k === 'ownergone') this.forget(event.id);
    // A new owner has to be known before its index can be opened, so the directory comes first here.
    if (record.d !== undefined && this.directory.lsn < record.l) {
      if (this.directory.lsn < record.d.p && !isAcceptedLoss(this.losses, null, record.d.p)) {
        throw new MailError(
          'server',
          'corruption',
          `directory.db is at ${this.directory.lsn} but the log continues at ${record.d.p}: ` +
            `records are missing. Restore directory.db or the log from a backup.`,
        );
      }
      this.directory.begin();
      for (const event of record.d.e) this.directory.apply(event);
      this.directory.applied(record.l);
      this.report.applied++;
      step('recovery.directory');
    }
    const placed = new Map<string, string>();
    for (const section of record.s) this.applySection(record, section, placed);
    step('recovery.record');
    if (++this.sinceCommit >= COMMIT_EVERY) this.commit();
  }

  /** A user was removed: nothing of the old records is wanted any more, and the folders may have survived. */
  private forget(id: number): void {
    this.owners.drop(id);
    this.owners.release(id);
    const owner = this.directory.anyOwner(id);
    if (owner !== null) this.gone.push(owner);
  }

  private applySection(record: LogRecord, section: Section, placed: Map<string, string>): void {
    const owner = this.directory.ownerById(section.o);
    if (owner === null && this.directory.anyOwner(section.o) === null) this.report.unknown.add(section.o);
    if (owner === null || this.owners.closed.has(owner.id)) return;
    try {
      if (section.p === 0) this.owners.allowNew(owner);
      const index = this.owners.open(owner);
      if (index.lsn >= record.l) {
        // Files are made before their record is logged: without a loss of power they are there.
        if (this.verify) this.remake(index, section, record, placed);
      } else if (this.report.bridged.has(owner.id) || this.isBridge(owner.id, index.lsn, section)) {
        this.applyBehindLoss(index, section, record, placed);
      } else if (index.lsn !== section.p) {
        throw new Error(`its index is at ${index.lsn} but the log continues at ${section.p}`);
      } else {
        index.begin();
        this.applyEvents(index, section, record, placed);
        index.applied(record.l);
        this.report.applied++;
        step('recovery.section');
      }
      for (const event of section.e) {
        if (event.k === 'purge') this.remember(owner, record.l, event.files);
      }
    } catch (error) {
      this.quarantine(owner, error);
    }
  }

  private applyEvents(
    index: OwnerIndex,
    section: Section,
    record: LogRecord,
    placed: Map<string, string>,
  ): void {
    for (const event of section.e) {
      if (event.k === 'add') {
        for (const part of event.parts) {
          const path = this.owners.partPath(index, part);
          if (this.owners.intact(path, part, this.verify)) {
            if (!placed.has(part.hash)) placed.set(part.hash, path);
            continue;
          }
          this.make(path, part, record, placed);
        }
      }
      applyOwnerEvent(index, event, record.blobs);
    }
  }

  private isBridge(owner: number, lsn: number, { p }: Section): boolean {
    return lsn < p && isAcceptedLoss(this.losses, owner, p);
  }

  /** Something before this record is missing: what cannot be applied without it is left out, as a whole. */
  private applyBehindLoss(
    index: OwnerIndex,
    section: Section,
    record: LogRecord,
    placed: Map<string, string>,
  ): void {
    index.commit();
    let failed = this.report.bridged.get(index.id) ?? 0;
    index.begin();
    try {
      this.applyEvents(index, section, record, placed);
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

  /** The database has the record; its files may be missing or torn. */
  private remake(
    index: OwnerIndex,
    section: Section,
    record: LogRecord,
    placed: Map<string, string>,
  ): void {
    for (const event of section.e) {
      if (event.k !== 'add') continue;
      for (const part of event.parts) {
        const path = this.owners.partPath(index, part);
        if (this.owners.intact(path, part, this.verify)) {
          placed.set(part.hash, path);
          continue;
        }
        try {
          this.make(path, part, record, placed);
          this.report.filesRemade++;
        } catch (error) {
          // Another owner's copy may need a purged part, too; where it cannot be made and is purged, nobody missed it.
          const row = index.sql('SELECT 1 FROM part WHERE id = ? AND file = ?').get(part.id, part.file);
          if (row !== null) throw error;
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

  private remember({ id, folder }: OwnerRow, lsn: number, files: readonly [string, string][]): void {
    if (files.length === 0) return;
    this.unlinks.push({
      lsn,
      owner: id,
      paths: files.map(([partition, file]) => this.spool.path(partition, folder, file)),
    });
  }

  private quarantine(owner: OwnerRow, error: unknown): void {
    const reason = errorText(error);
    this.owners.drop(owner.id);
    this.owners.quarantine(owner.id, reason);
    this.report.quarantined++;
    this.log.error('owner closed until repaired', { userid: owner.userid, reason });
  }

  private commit(): void {
    for (const index of this.owners.opened()) {
      index.commit();
      step('recovery.committing');
    }
    this.directory.commit();
    this.sinceCommit = 0;
  }

  /** Commits what is left, removes the folders of users that are gone. */
  finish(removeFolders: (owner: OwnerRow) => void): void {
    this.commit();
    for (const owner of this.gone) {
      if (this.directory.owner(owner.userid) === null) removeFolders(owner);
      step('recovery.gone');
    }
    step('recovery.done');
  }
}
