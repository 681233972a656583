/**
 * The writer: the only code that changes anything. It takes all waiting changes, decides and applies each inside the open
 * transaction of its owner, makes their records durable with one sync, commits, tells the workers, and answers.
 *
 * Invariants
 * 1. Nothing is committed, published or answered before the batch's records are durable (promise 1).
 * 2. A change that fails leaves no trace: the batch is rolled back, its new files removed, and the others done again.
 * 3. Once the records are durable no change is answered as failed: an owner whose commit then fails is closed until its
 *    records have been applied again (DESIGN rule 4).
 * 4. After a failed append the process must end (`onFatal`); everybody is answered with a temporary failure first.
 * 5. The result of a change is kept with its id, also across a restart: asked again, it is answered, not done twice (rule 10).
 */
import { MailError, serverError } from '../../errors.ts';
import type { Settings } from '../../config/settings.ts';
import type { Log } from '../../telemetry/log.ts';
import { isDamage } from '../index/damage.ts';
import type { OwnerRow } from '../index/directory.ts';
import type { OwnerIndex } from '../index/owner.ts';
import { type Layout, layoutOf } from '../layout.ts';
import { encodeFrame } from '../log/frame.ts';
import { packHead, type RecordHead } from '../log/record.ts';
import type { RedoLog } from '../log/redo.ts';
import { Spool } from '../spool/spool.ts';
import { Alarm } from './alarm.ts';
import { breakClaim, claimCommitted } from './committed.ts';
import { Context, type WriterState } from './context.ts';
import { readFirstScript } from './firstscript.ts';
import { Batch, commitOrder, headOf } from './decided.ts';
import { decide, decideLong, type Removals } from './decide/decide.ts';
import { finishDirectory, openDirectory, reconcileDirectory } from './derive.ts';
import { noteDirectoryDamage } from './directorynote.ts';
import { asAnswer, errorText } from './errortext.ts';
import { removeOwnerFolders } from './folders.ts';
import { Healing } from './heal.ts';
import { refuseUnfinished } from './mark.ts';
import { LongChange } from './long.ts';
import { OwnerPool } from './owners.ts';
import { placeFiles } from './placement.ts';
import { type OwnerNews, publishedOf } from './publish.ts';
import { ChangeQueue, isLong, type Pending, whenDone } from './queue.ts';
import { RecentClaims } from './recent.ts';
import { closeUnfinished, type Rebuilt } from './rebuild.ts';
import type { RecoveryReport } from './recover.ts';
import { Reopening } from './reopen.ts';
import type { Reserve } from './reserve.ts';
import { Restart } from './restart.ts';
import { Results } from './results.ts';
import type { ChangeRequest } from './requests.ts';
import { Summaries } from './summaries.ts';
import { Unlinks, unlinksOf } from './unlinks.ts';
import { upgradeOwners } from './upgrade.ts';
import { step } from '../step.ts';

export interface WriterOptions {
  settings: Settings;
  log: Log;
  /** After this the process must exit: the log is closed (invariant 4). */
  onFatal: (error: Error) => void;
  /** Space for when the disk is full; without it the store grows until nothing works any more. */
  reserve?: Reserve;
  /** Verify the contents of files during recovery, not only their sizes. */
  verifyFiles: boolean;
  /** The restore, or accepting a loss of the log: they open the store before it is complete. */
  restoring?: boolean;
  acceptingLoss?: boolean;
}

export class Writer {
  readonly state: WriterState;
  readonly layout: Layout;
  readonly recovery: RecoveryReport;
  readonly redo: RedoLog;
  /** Called once per committed batch, before anybody is answered. */
  onNews: (news: readonly OwnerNews[]) => void = () => {};
  /** Called when an owner's index was replaced by another file or removed. */
  onReplaced: (owner: number) => void = () => {};
  /** Owners changed since the last complete checkpoint, with the LSN of the last change. */
  readonly dirty = new Map<number, number>();
  /** Grows when an owner is closed or opened again: a sync from before it does not stand for that owner (rule 7). */
  repairs = 0;

  private readonly queue = new ChangeQueue();
  private long: LongChange | null = null;
  private readonly between: (() => void)[] = [];
  private readonly healing: Healing;
  private readonly reopening: Reopening;
  private readonly results = new Results();
  readonly recent: RecentClaims;
  /** Starts with the server; until then no message wakes. */
  readonly alarm: Alarm;
  private readonly summaries: Summaries;
  /** Files of purged parts, by the LSN of the purge: they go with the checkpoint that has it (DESIGN rule 6). */
  private readonly unlinks: Unlinks;
  private running: Promise<void> | null = null;
  private current: Promise<void> = Promise.resolve();
  private fatal: Error | null = null;
  private readonly log: Log;
  private readonly removals: Removals;
  /** Everything up to this LSN is durable and committed. */
  durableLsn: number;

  private constructor(private readonly options: WriterOptions) {
    const { settings, log } = options;
    this.log = log;
    this.layout = layoutOf(settings);
    refuseUnfinished(this.layout.log, options);
    const spool = new Spool(settings.partition);
    const { directory, derived } = openDirectory(this.layout, settings, log, options.acceptingLoss);
    const owners = new OwnerPool(this.layout, spool, (owner) => directory.floor(owner));
    this.state = { settings, directory, owners, spool, firstScript: readFirstScript(settings, log) };
    this.recent = new RecentClaims(this.state, (request) => this.submit(request, []));
    this.alarm = new Alarm(this.state, log, (request) => this.submit(request, []));
    const behind = closeUnfinished(this.layout.log, owners);
    const restart = new Restart(this.state, this.layout, this.results, options);
    const { redo, report, summary } = restart.run((owner) => this.removeFolders(owner));
    this.redo = redo;
    this.recovery = report;
    for (const [owner, lsn] of summary.owners) this.dirty.set(owner, lsn);
    const remove = (path: string): boolean => this.attempt(() => spool.remove(path));
    this.unlinks = new Unlinks(unlinksOf(summary, directory, spool), owners.closed, remove);
    this.summaries = new Summaries(redo, log);
    // Kept at once: should the log folder be lost, the next run must not give its LSNs again (rule 3).
    directory.begin();
    directory.start = redo.start;
    directory.commit();
    this.durableLsn = redo.next - 1;
    const hooks = {
      durableLsn: () => this.durableLsn,
      stopped: () => this.fatal !== null,
      repaired: () => this.repairs++,
      between: (work: () => void) => this.betweenBatches(work),
      settled: () => this.settled(),
      replaced: (owner: number) => {
        this.repairs++;
        this.onReplaced(owner);
      },
      directoryDamaged: (reason: string) => this.directoryDamaged(reason),
    };
    this.healing = new Healing(this.state, this.layout, log, hooks);
    this.reopening = new Reopening(this.state, this.layout, log, this.healing, hooks);
    this.healing.healClosed(behind);
    this.reopening.resume(behind);
    upgradeOwners(this.state, log);
    if (derived) reconcileDirectory(this.state, log);
    finishDirectory(this.layout);
    this.claimCommitted();
    this.removals = {
      folders: (owner) => this.removeFolders(owner),
      files: (owner, lsn, files) => this.unlinks.add(spool, owner, lsn, files),
    };
  }

  /** Opens the store for changing: recovers, then is ready. The caller holds the store's lock. */
  static open(options: WriterOptions): Writer {
    try {
      return new Writer(options);
    } catch (error) {
      // Owners' indexes are closed one by one: it is directory.db, where opening did not look.
      if (!isDamage(error)) throw error;
      noteDirectoryDamage(layoutOf(options.settings), errorText(error));
      return new Writer(options);
    }
  }

  /** Asks for a change. Resolves with its result when it is durable and visible. */
  submit(request: ChangeRequest, blobs: readonly Uint8Array[]): Promise<unknown> {
    if (this.fatal !== null) return Promise.reject(serverError('the store is restarting', this.fatal));
    const { change } = request;
    if (change.op === 'recent') return new Promise((resolve) => resolve(this.recent.claim(change)));
    const bytes = blobs.reduce((sum, { length }) => sum + length, 1024);
    const answer = new Promise<unknown>((resolve, reject) => {
      const long = isLong(change) && this.results.get(request.id) === undefined;
      this.queue.push({ request, blobs, bytes, long, resolve, reject });
    });
    // Whatever arrives in this turn of the event loop shares the batch.
    this.running ??= new Promise((resolve) => setImmediate(resolve)).then(() => this.run());
    return answer;
  }

  /** Has something done while no batch is under way: at once, or behind the running one. */
  betweenBatches(work: () => void): void {
    this.running === null ? this.attempt(work) : void this.between.push(work);
  }

  /** The result of a change by its id if it was logged, else undefined: then it never happened. */
  resultOf = (id: string): unknown => this.results.get(id);
  /** Has answers of before the start read, if they are not yet. Throws where they cannot be read. */
  loadResults = (): void => this.results.load();

  /** Builds an owner's index anew between two batches (rebuild.ts). */
  rebuild(id: number, acceptLoss = false): Promise<Rebuilt> {
    return this.healing.rebuild(id, acceptLoss);
  }

  /** A reader found an owner's index (0: directory.db) damaged: it is looked at, and healed if so. */
  suspect(id: number, reason: string): void {
    this.healing.suspect(id, reason);
  }

  /** Resolves when nothing is waiting any more, put off or not. */
  async idle(): Promise<void> {
    this.recent.flush();
    while (this.running !== null) await this.running;
  }

  /** Resolves when everything that was submitted before is done or refused. */
  async settled(): Promise<void> {
    const waiting = [...this.queue.all()];
    if (this.long !== null) waiting.push(this.long.pending);
    await Promise.all([this.current, ...waiting.map(whenDone)]);
  }

  /**
   * Unlinks the files of parts whose purge is part of a checkpoint that is about to be recorded: whatever was linked or copied
   * from them is durable by now.
   */
  unlinkThrough(lsn: number): Promise<void> {
    return this.unlinks.through(lsn);
  }

  async close(): Promise<void> {
    this.alarm.stop();
    await this.idle();
    this.recent.stop();
    this.fatal ??= new Error('the store is closed');
    this.redo.close();
    this.state.owners.emptyJournals();
    this.state.owners.closeAll();
    this.state.directory.close();
  }

  private async run(): Promise<void> {
    try {
      while ((this.queue.length > 0 || this.long !== null) && this.fatal === null) {
        this.startLong();
        const taken = this.queue.take(this.state.owners.held, this.state.directory);
        if (taken.length > 0) await this.guarded(this.batch(taken), taken);
        if (this.long !== null && this.fatal === null) await this.guarded(this.stepLong(this.long), []);
        // One may ask for more of it.
        for (let work = this.between.shift(); work !== undefined; work = this.between.shift()) {
          this.attempt(work);
        }
      }
    } finally {
      this.running = null;
      if (this.fatal !== null) this.refuse([], serverError('the store is restarting', this.fatal));
    }
  }

  private async guarded(work: Promise<void>, taken: readonly Pending[]): Promise<void> {
    this.current = work.catch((error: unknown) => this.fail(error, taken));
    await this.current;
  }

  /** Begins the next long change when none is under way. */
  private startLong(): void {
    const { owners, directory } = this.state;
    const next = this.long === null ? this.queue.takeLong(directory) : null;
    if (next === null) return;
    const { pending } = next;
    const held = new Set(next.owners);
    const context = new Context(this.state, this.redo.next, Math.floor(Date.now() / 1000), held);
    owners.held = held;
    this.long = new LongChange(pending, context, decideLong(context, pending.request.change, this.removals));
  }

  /** One step of the long change; the last one makes it durable. What fails before that leaves no trace. */
  private async stepLong(long: LongChange): Promise<void> {
    const { owners, spool } = this.state;
    const { pending, context } = long;
    const letGo = (): void => {
      owners.held = new Set();
      this.long = null;
    };
    try {
      this.options.reserve?.check(pending.request.change);
      long.step(spool);
    } catch (error) {
      letGo();
      this.healing.failed(error, context.touched);
      this.rollback([context]);
      if (context.emitted) {
        this.log.warn('change failed', { op: pending.request.change.op, error: errorText(error) });
      }
      pending.reject(asAnswer(error));
      return;
    }
    // Requests that came meanwhile are taken in between two steps.
    if (long.done === null) return await new Promise((resolve) => setImmediate(resolve));
    letGo();
    context.lsn = this.redo.next;
    const batch = new Batch();
    batch.contexts.push(context);
    this.add(batch, pending, context, long.done.result);
    await this.complete(batch, [pending]);
  }

  /** Something failed that must not: nothing more is decided on a state that may be wrong, the successor recovers. */
  private fail(error: unknown, taken: readonly Pending[]): void {
    this.fatal = error instanceof Error ? error : new Error(String(error));
    this.refuse(taken, serverError('the change could not be completed', error));
    this.options.onFatal(this.fatal);
  }

  /** Nothing can be done without it: the successor derives it anew, warned by a note. */
  private directoryDamaged(reason: string): void {
    this.log.error('directory.db is damaged', { reason });
    this.attempt(() => noteDirectoryDamage(this.layout, reason));
    this.options.onFatal(this.fatal = new Error(`directory.db: ${reason}`));
  }

  /** Answers everybody who waits, and those who were taken, that nothing came of it. */
  private refuse(taken: readonly Pending[], answer: MailError): void {
    const long = this.long === null ? [] : [this.long.pending];
    for (const pending of [...taken, ...long, ...this.queue.drain()]) pending.reject(answer);
  }

  private async batch(taken: Pending[]): Promise<void> {
    const batch = new Batch();
    const now = Math.floor(Date.now() / 1000);
    step('batch.taken');
    if (this.options.reserve?.look() === false) this.redo.relinquish();
    for (const pending of taken) {
      const known = this.results.get(pending.request.id);
      if (known !== undefined) {
        batch.outcomes.push({ pending, result: known });
        continue;
      }
      const context = new Context(this.state, this.redo.next + batch.records.length, now);
      batch.contexts.push(context);
      try {
        this.options.reserve?.check(pending.request.change);
        const result = decide(context, pending.request.change, pending.blobs, this.removals);
        step('batch.decided');
        this.add(batch, pending, context, result);
      } catch (error) {
        this.healing.failed(error, context.touched);
        if (error instanceof MailError && !context.emitted) {
          batch.outcomes.push({ pending, error });
          continue;
        }
        return await this.abort(error, taken, batch.contexts);
      }
    }
    try {
      placeFiles(batch.contexts, this.state.spool);
      step('files.placed');
    } catch (error) {
      return await this.abort(error, taken, batch.contexts);
    }
    await this.complete(batch, taken);
  }

  /** Puts a decided change into the batch: its answer, and its record if it changed something. */
  private add(batch: Batch, pending: Pending, context: Context, result: unknown): void {
    batch.outcomes.push({ pending, result });
    if (!context.emitted) return;
    const head = headOf(context, pending.request.id, result);
    batch.heads.push(head);
    batch.records.push(encodeFrame(packHead(head), context.blobs));
    for (const { index, events } of context.sections) {
      batch.news.push({ owner: index.id, origin: pending.request.origin, events: publishedOf(events) });
    }
  }

  /** Makes a decided batch durable, commits it, tells the news, and answers. */
  private async complete(batch: Batch, taken: readonly Pending[]): Promise<void> {
    const { records, heads, contexts, news, outcomes } = batch;
    if (records.length > 0 && !(await this.makeDurable(records, taken, contexts))) return;
    step('batch.durable');
    this.commit(heads);
    step('batch.committed');
    for (const head of heads) {
      this.results.remember(head.c, head.r);
      this.summaries.note(head);
    }
    this.alarm.note(heads);
    // A replay does it again.
    for (const action of batch.afterCommit) if (!this.attempt(action)) breakClaim(this.layout);
    step('batch.aftercommit');
    if (news.length > 0) this.attempt(() => this.onNews(news));
    step('batch.told');
    for (const { pending, result, error } of outcomes) {
      if (error === undefined) pending.resolve(result);
      else pending.reject(error);
    }
    step('batch.answered');
    // Behind the answer.
    if (records.length > 0 && this.queue.leavesAlone(taken)) setImmediate(() => this.redo.prepare());
  }

  /** Invariant 2: undoes a batch in which something failed, and does its changes one by one. */
  private async abort(
    error: unknown,
    taken: readonly Pending[],
    contexts: readonly Context[],
  ): Promise<void> {
    this.rollback(contexts);
    const [only] = taken;
    if (taken.length === 1 && only !== undefined) {
      this.log.warn('change failed', { op: only.request.change.op, error: errorText(error) });
      only.reject(asAnswer(error));
      return;
    }
    for (const one of taken) {
      if (this.fatal === null) await this.batch([one]);
      else one.reject(serverError('the store is restarting', this.fatal));
    }
  }

  /** False when the log failed: everything is rolled back and answered, and the process is to end. */
  private async makeDurable(
    records: readonly Buffer[],
    taken: readonly Pending[],
    contexts: readonly Context[],
  ): Promise<boolean> {
    try {
      await this.redo.append(records, this.queue.leavesAlone(taken));
      this.durableLsn = this.redo.next - 1;
      return true;
    } catch (error) {
      this.fatal = error instanceof Error ? error : new Error(String(error));
      this.rollback(contexts);
      this.refuse(taken, serverError('the change could not be made durable; nothing was changed', error));
      this.options.onFatal(this.fatal);
      return false;
    }
  }

  private rollback(contexts: readonly Context[]): void {
    for (const index of [...this.state.owners.opened()]) {
      if (!index.inTransaction) continue;
      try {
        index.rollback();
      } catch (error) {
        // What cannot be read again is damaged; opening it once more says so (heal.ts).
        this.log.error('index not readable after a rollback', { path: index.path, error: errorText(error) });
        this.state.owners.drop(index.id);
      }
      step('rollback.owner');
    }
    if (this.state.directory.inTransaction) this.state.directory.rollback();
    for (const context of contexts) {
      for (const { path } of context.planned) this.attempt(() => this.state.spool.remove(path));
      step('rollback.files');
    }
  }

  private commit(heads: readonly RecordHead[]): void {
    const directoryFirst = heads.some((head) => head.d?.first === true);
    if (directoryFirst) this.commitDirectory();
    for (const index of commitOrder(heads, this.state.owners)) this.commitOwner(index);
    if (!directoryFirst) this.commitDirectory();
  }

  private commitOwner(index: OwnerIndex): void {
    this.dirty.set(index.id, index.lsn);
    try {
      index.commit();
      step('commit.owner');
    } catch (error) {
      this.reopening.close(index, error);
    }
  }

  private commitDirectory(): void {
    if (this.state.directory.inTransaction) step('commit.directorynext');
    try {
      this.state.directory.commit();
      step('commit.directory');
    } catch (error) {
      this.fatal = new Error(`directory.db: ${errorText(error)}`);
      this.options.onFatal(this.fatal);
    }
  }

  private attempt(action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      this.log.warn('clean-up failed', { error: errorText(error) });
      return false;
    }
  }

  /** Says that everything is committed, unless an owner is closed: between two batches. */
  claimCommitted(): void {
    if (this.fatal === null && this.state.owners.closed.size === 0) claimCommitted(this.layout);
  }

  private removeFolders(owner: OwnerRow): void {
    this.state.owners.drop(owner.id);
    this.state.owners.release(owner.id);
    this.dirty.delete(owner.id);
    this.onReplaced(owner.id);
    removeOwnerFolders(this.state, this.layout, owner);
  }
}
