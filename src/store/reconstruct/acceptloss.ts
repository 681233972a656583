/**
 * Going on after a part of the log was lost for good: `mailstore reconstruct --accept-log-loss`.
 *
 * 1. The losses are noted, the segments joined around them, what is damaged kept under another name (log/loss.ts).
 * 2. Who may have changes among the lost records is found out before anything is replayed: whose index is not beyond them, and whose
 *    chain of records does not continue without a gap. That is noted as well: a crash from here on loses none of it.
 * 3. The store is recovered. What can be applied behind a gap is.
 * 4. Those owners' UIDNEXTs, modseqs and part ids are raised beyond what the lost records can have given, so that no UID ever
 *    means two messages. Message files that lost records made become messages of INBOX.
 * 5. Everybody else's snapshot is made anew: an older one could not be brought over the gap any more.
 *
 * As long as this is not complete nobody else may open the store.
 */
import type { Settings } from '../../config/settings.ts';
import { MailError, userError } from '../../errors.ts';
import type { Log } from '../../telemetry/log.ts';
import { checkIndex } from '../check/index.ts';
import { ChangeIds } from '../client/link.ts';
import type { OwnerRow } from '../index/directory.ts';
import { DirectoryReader } from '../index/directoryreader.ts';
import { identify } from '../index/salvage.ts';
import { syncEverything } from '../janitor/sync.ts';
import { layoutOf } from '../layout.ts';
import { tryLock } from '../lock.ts';
import { joinLog, planJoining } from '../log/loss.ts';
import { type AcceptedLosses, type Loss, readLosses, writeLosses } from '../log/losses.ts';
import { readLog } from '../log/redo.ts';
import { makeSnapshot, snapshotPath } from '../snapshot.ts';
import { partFileLsn } from '../spool/spool.ts';
import { completeCheckpoint } from '../writer/checkpoint.ts';
import { UNKNOWN_UIDS } from '../writer/decide/restore.ts';
import { foundIndexes } from '../writer/derive.ts';
import { errorText } from '../writer/errortext.ts';
import { Writer } from '../writer/writer.ts';
import { adoptFiles } from './adopt.ts';

/** What the acceptance came to for one user. */
export interface AffectedUser {
  readonly userid: string;
  /** Changes are missing for certain: later ones continue behind a gap. Else nobody knows whether there were any. */
  readonly certain: boolean;
  /** Messages whose files were found without a row: they are in INBOX as new ones. */
  readonly adopted: number;
  /** Later changes that could not be done without the lost ones. */
  readonly skipped: number;
  /** What is wrong still, and what to do; null where nothing is. */
  readonly problem: string | null;
}

export interface LossReport {
  readonly losses: readonly Loss[];
  readonly users: readonly AffectedUser[];
  /** There are records of so many users who are not known: they were made in lost records. */
  readonly unknown: number;
}

/** Accepts what is lost of the log. Throws a user error 'nothing' where nothing keeps the store from starting. */
export async function acceptLogLoss(settings: Settings, log: Log): Promise<LossReport> {
  const layout = layoutOf(settings);
  const lock = tryLock(layout.log);
  if (lock === null) {
    throw new MailError(
      'user',
      'inuse',
      `another process changes the store in ${layout.configdirectory}; stop it first`,
    );
  }
  try {
    const all = readLosses(layout.log);
    const acceptance = noteLosses(layout.log, all);
    acceptance.owners ??= ownersConcerned(settings, acceptance.losses);
    writeLosses(layout.log, all);
    const report = await open(settings, log, acceptance);
    acceptance.done = true;
    writeLosses(layout.log, all);
    return report;
  } finally {
    lock.release();
  }
}

/** Steps 1: the pending acceptance, a new one or that which a crash ended. */
function noteLosses(folder: string, all: AcceptedLosses[]): AcceptedLosses {
  const plan = planJoining(folder);
  let acceptance = all.find(({ done }) => !done);
  if (plan.losses.length === 0 && plan.writings.length === 0 && acceptance === undefined) {
    throw userError('nonexistent', 'Nothing of the log is missing that the store needs; nothing was changed');
  }
  if (acceptance === undefined) {
    acceptance = { losses: [], owners: null, done: false };
    all.push(acceptance);
  }
  if (plan.losses.length > 0) {
    acceptance.losses.push(...plan.losses);
    acceptance.owners = null;
  }
  writeLosses(folder, all);
  joinLog(folder, plan);
  return acceptance;
}

/** Step 2. */
function ownersConcerned(settings: Settings, losses: readonly Loss[]): number[] {
  const layout = layoutOf(settings);
  const lsns = new Map<number, number>();
  for (const id of knownOwners(layout.directory)) lsns.set(id, 0);
  const indexes = new Set<number>();
  for (const { path } of foundIndexes(layout, settings)) {
    const found = identify(path);
    // Snapshots come last: one counts where the index itself is lost.
    if (found === null || indexes.has(found.owner)) continue;
    indexes.add(found.owner);
    lsns.set(found.owner, found.lsn);
  }
  const concerned = new Set<number>();
  for (const { from, through } of losses) {
    const behind = new Map<number, number>();
    readLog(layout.log, through, (record) => {
      for (const { o, p } of record.s) {
        if (!behind.has(o)) behind.set(o, p);
        if (p >= from && p <= through && (lsns.get(o) ?? 0) < p) concerned.add(o);
      }
    });
    for (const [owner, lsn] of lsns) {
      if (lsn >= through) continue;
      const previous = behind.get(owner);
      // The next record says what came before it: where that is not lost, nothing of this owner was.
      if (previous === undefined || previous >= from) concerned.add(owner);
    }
  }
  return [...concerned].sort((a, b) => a - b);
}

function knownOwners(path: string): number[] {
  try {
    const directory = new DirectoryReader(path);
    try {
      return directory.owners().map(({ id }) => id);
    } finally {
      directory.close();
    }
  } catch {
    // Damaged or missing: opening the store makes it anew.
    return [];
  }
}

/** Steps 3 to 5. */
async function open(settings: Settings, log: Log, acceptance: AcceptedLosses): Promise<LossReport> {
  const layout = layoutOf(settings);
  let fatal: Error | null = null;
  const writer = Writer.open({
    settings,
    log,
    verifyFiles: true,
    onFatal: (error) => fatal ??= error,
    acceptingLoss: true,
  });
  try {
    // What was purged goes first, or its files would be adopted.
    const { durableLsn, repairs } = writer;
    syncEverything([layout.configdirectory, ...Object.values(settings.partition)], layout.log);
    await completeCheckpoint(writer, durableLsn, repairs);
    const users: AffectedUser[] = [];
    const concerned = new Set(acceptance.owners);
    const first = Math.min(...acceptance.losses.map(({ from }) => from));
    for (const owner of writer.state.directory.owners()) {
      if (concerned.has(owner.id)) users.push(await goOn(settings, writer, owner, acceptance.losses));
      else if ((writer.state.owners.peek(owner.id)?.lsn ?? Infinity) >= first) snapshot(settings, owner, log);
    }
    if (fatal !== null) throw fatal;
    for (const { from, through, kept } of acceptance.losses) {
      log.error('loss of log records accepted', {
        from,
        through,
        kept,
        users: users.map(({ userid }) => userid).join(' '),
      });
    }
    return { losses: acceptance.losses, users, unknown: writer.recovery.unknown.size };
  } finally {
    await writer.close();
  }
}

/** Step 4. */
async function goOn(
  settings: Settings,
  writer: Writer,
  owner: OwnerRow,
  losses: readonly Loss[],
): Promise<AffectedUser> {
  const { userid, id, folder } = owner;
  const skipped = writer.recovery.bridged.get(id);
  const user = { userid, certain: skipped !== undefined, skipped: skipped ?? 0 };
  const ids = new ChangeIds();
  try {
    const ask: Parameters<typeof adoptFiles>[2] = (change, blobs) =>
      writer.submit({ id: ids.next(), origin: '', change }, blobs);
    await ask({ op: 'raise', owner: id, uids: UNKNOWN_UIDS, newUidvalidity: false }, []);
    const { adopted, damaged } = await adoptFiles(settings, owner, ask, (path) => {
      const lsn = partFileLsn(path);
      return losses.some(({ from, through }) => from <= lsn && lsn <= through);
    });
    const [found] = checkIndex(layoutOf(settings).index(folder), userid).filter(({ severity }) =>
      severity === 'damage'
    );
    const problem = found !== undefined
      ? `${found.place}: ${found.text}; run "mailstore reconstruct --from-spool ${userid}"`
      : damaged.length > 0
      ? `damaged: ${damaged.join(', ')}`
      : null;
    return { ...user, adopted, problem };
  } catch (error) {
    const problem = `${errorText(error)}; run "mailstore reconstruct --from-snapshot ${userid}"`;
    return { ...user, adopted: 0, problem };
  }
}

/** Step 5. */
function snapshot(settings: Settings, { id, userid, folder, partition }: OwnerRow, log: Log): void {
  try {
    makeSnapshot(
      layoutOf(settings).index(folder),
      snapshotPath(settings.partition[partition] ?? '', folder),
      id,
    );
  } catch (error) {
    log.error('snapshot not made', { userid, reason: errorText(error) });
  }
}
