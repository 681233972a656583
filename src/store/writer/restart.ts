/**
 * What a new writer does with the log: everything above the checkpoint is replayed (recover.ts); or, while the claim stands that
 * all of it is committed (committed.ts), the last batch alone. Then no other closed segment is read whose summary lies beside it
 * (log/summary.ts). The newest say what was answered: their batches are looked at, their records are read when somebody asks.
 */
import { existsSync, statSync } from 'node:fs';
import type { Log } from '../../telemetry/log.ts';
import type { OwnerRow } from '../index/directory.ts';
import type { Layout } from '../layout.ts';
import { readLosses } from '../log/losses.ts';
import type { LogRecord } from '../log/record.ts';
import { headersOf, readCheckpoint, readLog, RedoLog } from '../log/redo.ts';
import { holdsBatch, readHeaderOf, readSegment } from '../log/segment.ts';
import { readSummary, Summary, writeSummary } from '../log/summary.ts';
import { breakClaim, isCommitted } from './committed.ts';
import type { WriterState } from './context.ts';
import { errorText } from './errortext.ts';
import { Recovery, type RecoveryReport } from './recover.ts';
import { REMEMBERED, type Results } from './results.ts';

/** So many bytes of the log are read back for what was answered: nobody is owed an answer for longer; then whole segments are known. */
const ANSWERS_BYTES = 32 << 20;

export interface RestartOptions {
  readonly log: Log;
  /** Compare contents of files, too: after a loss of power. */
  readonly verifyFiles: boolean;
  /** Databases and log were put there by a restore. */
  readonly restoring?: boolean;
}

export interface Restarted {
  readonly redo: RedoLog;
  readonly report: RecoveryReport;
  /** Of everything above the checkpoint. */
  readonly summary: Summary;
}

export class Restart {
  private readonly recovery: Recovery;
  private readonly checkpoint: number;
  /** Only the last batch of the log is looked at. */
  private trusted: boolean;
  private readonly summary = new Summary();
  /** Of the segments that were read. */
  private readonly read = new Map<string, Summary>();
  private tail: LogRecord[] = [];
  private batch = -1;

  constructor(
    private readonly state: WriterState,
    private readonly layout: Layout,
    private readonly results: Results,
    private readonly options: RestartOptions,
  ) {
    const { directory, owners, spool } = state;
    this.recovery = new Recovery(directory, owners, spool, options.log, options.verifyFiles, layout.log);
    this.checkpoint = readCheckpoint(layout.log)?.lsn ?? 0;
    this.trusted = !options.verifyFiles && options.restoring !== true && owners.closed.size === 0 &&
      readLosses(layout.log).length === 0 &&
      isCommitted(layout);
    if (!this.trusted) breakClaim(layout);
  }

  /** Opens the log and brings the databases to what it says. */
  run(removeFolders: (owner: OwnerRow) => void): Restarted {
    const { state, layout, recovery, summary } = this;
    const wanted = this.trusted ? this.segmentsWithAnswers() : null;
    /** What was answered in these is read when somebody asks for it. */
    const unread: { path: string; last: number }[] = [];
    const { log: redo } = RedoLog.recover(
      layout.log,
      state.settings.log_segment_size,
      state.directory.start,
      (record, batch, segment) => this.take(record, batch, segment),
      ({ path, header }, last) => {
        const known = wanted === null || path === wanted.tail ? null : readSummary(path, header.id, last);
        if (known === null) return 'read';
        summary.take(known, this.checkpoint);
        if (wanted?.answers.has(path) !== true) return 'skip';
        unread.push({ path, last });
        return 'check';
      },
    );
    if (unread.length > 0) {
      this.results.later(() => {
        for (const { path, last } of unread) {
          readSegment(path, this.checkpoint, last, ({ c, r }) => this.results.remember(c, r));
        }
      });
    }
    const { owners: known } = summary;
    const bare = this.tail.length === 0 && known.size > 0;
    for (const one of this.read.values()) summary.take(one, this.checkpoint);
    summary.purges.sort((a, b) => a.lsn - b.lsn);
    if (this.trusted) {
      if (!bare && this.tailFits()) { for (const record of this.tail) recovery.apply(record); }
      else this.replayAll();
    }
    recovery.finish(removeFolders);
    if (this.trusted) this.lookForIndexes();
    this.keepSummaries(redo);
    return { redo, report: recovery.report, summary };
  }

  private take(record: LogRecord, batch: number, segment: string): void {
    let summary = this.read.get(segment);
    if (summary === undefined) this.read.set(segment, summary = new Summary());
    summary.note(record);
    this.results.remember(record.c, record.r);
    if (!this.trusted) return this.recovery.apply(record);
    if (batch !== this.batch) this.tail = [];
    this.batch = batch;
    this.tail.push(record);
  }

  /** The newest segment with records, and those before it in which stands what was answered. */
  private segmentsWithAnswers(): {
    readonly tail: string | undefined;
    readonly answers: ReadonlySet<string>;
  } {
    const found = headersOf(this.layout.log, false, this.checkpoint);
    const answers = new Set<string>();
    let [bytes, records] = [0, 0];
    let tail: string | undefined;
    for (let at = found.length - 1; at >= 0; at--) {
      const { path, header } = found[at] as (typeof found)[number];
      const size = statSync(path).size;
      if (tail !== undefined && (bytes >= ANSWERS_BYTES || records >= REMEMBERED)) break;
      answers.add(path);
      const next = found[at + 1];
      const count = next === undefined ? 0 : next.header.predecessorLast - header.firstLsn + 1;
      bytes += size;
      records += Math.max(0, count);
      if (count > 0 || next === undefined && holdsBatch(path)) tail ??= path;
    }
    return { tail, answers };
  }

  /** Whether everything before the last batch is where the claim says: as far as the last batch touches it. */
  private tailFits(): boolean {
    const { directory, owners } = this.state;
    const needed = this.tail.find(({ d }) => d !== undefined)?.d?.p ?? this.summary.directory;
    if (directory.lsn < needed) return false;
    const seen = new Set<number>();
    for (const { s } of this.tail) {
      for (const { o: id, p } of s) {
        if (seen.has(id)) continue;
        seen.add(id);
        const owner = directory.ownerById(id);
        if (p === 0 || owner === null) continue;
        try {
          if (owners.open(owner).lsn < p) return false;
        } catch (error) {
          this.options.log.warn('index cannot be opened', { userid: owner.userid, reason: errorText(error) });
          return false;
        }
      }
    }
    return true;
  }

  /** Something is not as it was claimed. */
  private replayAll(): void {
    this.options.log.warn('databases are behind: the whole log is replayed');
    breakClaim(this.layout);
    this.trusted = false;
    this.results.clear();
    readLog(this.layout.log, this.checkpoint, (record) => {
      this.results.remember(record.c, record.r);
      this.recovery.apply(record);
    });
  }

  /** Opening an index finds out whether it is as old as it should be. One that is missing is found at once. */
  private lookForIndexes(): void {
    const { directory, owners } = this.state;
    for (const id of this.summary.owners.keys()) {
      const owner = directory.ownerById(id);
      if (owner === null || owners.closed.has(id) || existsSync(this.layout.index(owner.folder))) continue;
      owners.quarantine(id, `the index of ${owner.userid} is missing`);
    }
    owners.expect(this.summary.owners);
  }

  /** For the next restart. */
  private keepSummaries(redo: RedoLog): void {
    for (const { path, lastLsn } of redo.segments) {
      const summary = this.read.get(path);
      const header = summary === undefined ? null : readHeaderOf(path);
      if (summary === undefined || header === null) continue;
      try {
        writeSummary(path, header.id, lastLsn, summary);
      } catch (error) {
        this.options.log.debug('summary not written', { path, error: errorText(error) });
      }
    }
  }
}
