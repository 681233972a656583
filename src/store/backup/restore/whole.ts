/**
 * Restoring a whole store where there is none, or in place of one that is put aside.
 *
 * Invariants
 * 1. From the first change to the last the folder is marked; a store with the mark is not opened, and doing the restore again
 *    goes on with it.
 * 2. Nothing of an earlier store is deleted: with `force` it is renamed, where it stands.
 * 3. LSNs, UIDs, modseqs, part and owner ids go on above all that the lost store can have given after the restored moment, so
 *    that nothing a client or the backup target knows from then means something else now (DESIGN rules 2 and 3).
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../../config/settings.ts';
import { MailError, userError } from '../../../errors.ts';
import type { Log } from '../../../telemetry/log.ts';
import { CopiedDatabase } from '../../index/copied.ts';
import { Directory } from '../../index/directory.ts';
import { type Layout, layoutOf } from '../../layout.ts';
import { syncFileSystem, tryLock } from '../../lock.ts';
import { syncFolder, writeDurably } from '../../log/segment.ts';
import { directorySnapshot, makeDirectorySnapshot, makeSnapshot, snapshotPath } from '../../snapshot.ts';
import { Spool } from '../../spool/spool.ts';
import { ChangeIds } from '../../client/link.ts';
import { DIRECTORY_DAMAGED, DIRECTORY_DERIVED } from '../../writer/directorynote.ts';
import { OwnerPool } from '../../writer/owners.ts';
import { MARK, restoreMark } from '../../writer/mark.ts';
import { Writer } from '../../writer/writer.ts';
import { inTurn } from '../inturn.ts';
import { runNames, runOf, type Unsaved } from '../manifest.ts';
import { identityPath } from '../source.ts';
import type { Target } from '../target.ts';
import { fetchFile, hashOf } from './fetch.ts';
import { Filling, makeStage } from './fill.ts';
import type { RestorePoint } from './point.ts';
import { Replay } from './replay.ts';

/** Changes the lost store is thought to have made to one mailbox per second at most, and at least in all. */
const UIDS_PER_SECOND = 100;
const UIDS = 2 ** 20;

/** Owners and UIDVALIDITYs that it may have given. */
const OWNERS = 2 ** 20;
const UIDVALIDITIES = 2 ** 16;

/** What the mark says while an earlier store is put aside; behind it stands the name of the folders it goes to. */
const ASIDE = 'aside ';

/** Raises asked for at a time. */
const AT_ONCE = 200;

export interface WholeOptions {
  /** Puts a store that is there aside. */
  readonly force: boolean;
  /** Gives every mailbox a new UIDVALIDITY: clients read everything anew. */
  readonly newUidvalidity: boolean;
}

export interface RestoreReport {
  readonly run: string;
  /** Unix seconds. */
  readonly time: number;
  readonly owners: number;
  readonly messages: number;
  readonly files: number;
  readonly bytes: number;
  readonly records: number;
  /** Where an earlier store was put, or null. */
  readonly aside: string | null;
  readonly unsaved: readonly Unsaved[];
}

/** Restores everything. Throws 'inuse' while a server runs, 'cannot' where there is a store and no `force`. */
export async function restoreStore(
  settings: Settings,
  target: Target,
  point: RestorePoint,
  options: WholeOptions,
  log: Log,
): Promise<RestoreReport> {
  const layout = layoutOf(settings);
  checkConfiguration(settings, point);
  const lock = tryLock(layout.log);
  if (lock === null) {
    throw userError(
      'inuse',
      `the store in ${layout.configdirectory} is in use; systemctl stop mailstore first`,
    );
  }
  try {
    return await new Whole(settings, layout, target, point, log).restore(options);
  } finally {
    lock.release();
  }
}

/** What names and folders depend on must be as it was, or mail would lie where nobody looks. */
function checkConfiguration(settings: Settings, { base }: RestorePoint): void {
  const { partitions, ...facts } = base.head.configuration;
  for (const [name, value] of Object.entries(facts)) {
    const is = settings[name as keyof Settings];
    if (is !== undefined && JSON.stringify(is) !== JSON.stringify(value)) {
      throw new MailError(
        'server',
        'config',
        `the store that was saved had ${name} = ${JSON.stringify(value)}, the configuration says ${
          JSON.stringify(is)
        }`,
      );
    }
  }
  for (const name of partitions as string[]) {
    if (settings.partition[name] !== undefined) continue;
    throw new MailError(
      'server',
      'config',
      `the store that was saved has a partition ${name}; configure its folder`,
    );
  }
}

class Whole {
  private readonly spool: Spool;
  private readonly filling: Filling;
  private readonly unsaved: Unsaved[];

  constructor(
    private readonly settings: Settings,
    private readonly layout: Layout,
    private readonly target: Target,
    private readonly point: RestorePoint,
    private readonly log: Log,
  ) {
    this.spool = new Spool(settings.partition);
    this.filling = new Filling(target, this.spool);
    this.unsaved = [...point.base.unsaved];
  }

  async restore(options: WholeOptions): Promise<RestoreReport> {
    const { layout, point } = this;
    const mark = restoreMark(layout.log);
    const begun = existsSync(mark) ? readFileSync(mark, 'latin1') : null;
    const aside = this.putAside(mark, begun, options.force);
    if (begun === null || aside !== null) writeDurably(mark, `${runOf(point.base.name)} ${point.time}\n`);
    // A loss of power may have left files that are as long as they should be and nothing else.
    this.filling.verify = begun !== null;
    this.clear();
    for (const folder of Object.values(this.settings.partition)) makeStage(folder);
    const replay = await this.databases();
    const filled = await this.messages();
    this.unsaved.push(...[...replay.broken].map(([userid, text]) => ({ userid, place: 'index.db', text })));
    writeDurably(join(layout.log, 'checkpoint'), `${replay.lsn}\n`);
    writeDurably(identityPath(layout.log), `${point.base.head.store}\n`);
    this.sync();
    await this.raise(options.newUidvalidity);
    this.sync();
    rmSync(mark);
    syncFolder(layout.log);
    return {
      run: runOf(point.base.name),
      time: point.time,
      owners: filled.owners,
      messages: filled.messages,
      files: filled.filling.files,
      bytes: filled.filling.bytes,
      records: replay.records,
      aside,
      unsaved: this.unsaved,
    };
  }

  /**
   * Puts a store that is there aside, or goes on with that. Half of it must not be opened: the mark stands before anything is
   * moved. Returns where it is, null where there was none.
   * @param begun what the mark says, null where there is none
   */
  private putAside(mark: string, begun: string | null, force: boolean): string | null {
    const { layout } = this;
    if (begun === null && isEmpty(layout) || begun !== null && !begun.startsWith(ASIDE)) return null;
    if (begun === null && !force) {
      throw userError(
        'cannot',
        `there is a store in ${layout.configdirectory}; with --force it is put aside, not deleted`,
      );
    }
    // No owner's folder has a dot at its end.
    const stamp = begun === null ? `before-restore-${Date.now()}.` : begun.slice(ASIDE.length).trimEnd();
    if (begun === null) writeDurably(mark, `${ASIDE}${stamp}\n`);
    const to = this.moveAside(stamp);
    this.sync();
    return to;
  }

  /** Renames what an earlier store consists of; message files of both would be told apart by nobody. */
  private moveAside(stamp: string): string {
    const { layout } = this;
    const to = join(layout.configdirectory, stamp);
    mkdirSync(join(to, 'log'), { recursive: true, mode: 0o700 });
    for (const name of readdirSync(layout.log)) {
      if (name !== 'lock' && !name.startsWith(MARK)) {
        renameSync(join(layout.log, name), join(to, 'log', name));
      }
    }
    for (const name of ['directory.db', 'directory.db-wal', 'directory.db-shm', 'user']) {
      const from = join(layout.configdirectory, name);
      if (existsSync(from)) renameSync(from, join(to, name));
    }
    // One of these may lie inside another.
    const roots = [layout.configdirectory, ...Object.values(this.settings.partition)];
    for (const partition of Object.values(this.settings.partition)) {
      const aside = join(partition, stamp);
      mkdirSync(aside, { recursive: true, mode: 0o700 });
      for (const name of readdirSync(partition)) {
        const from = join(partition, name);
        const holds = roots.some((root) => root === from || root.startsWith(`${from}/`));
        if (holds || name.startsWith('before-restore-') || name === 'lost+found') continue;
        renameSync(from, join(aside, name));
      }
    }
    return to;
  }

  /** Databases and log of an interrupted restore go; message files stay and are not fetched again. */
  private clear(): void {
    const { layout } = this;
    for (const name of existsSync(layout.log) ? readdirSync(layout.log) : []) {
      if (
        /\.log$|\.sum$|^committed$|^checkpoint|^boot$|^storeid|^backedup|^backingup|^syncfailed$|^synced$/
          .test(name)
      ) {
        rmSync(join(layout.log, name), { force: true });
      }
    }
    for (const suffix of ['', '-wal', '-shm']) rmSync(layout.directory + suffix, { force: true });
    for (const note of [DIRECTORY_DAMAGED, DIRECTORY_DERIVED]) {
      rmSync(join(layout.configdirectory, note), { force: true });
    }
    rmSync(directorySnapshot(this.settings), { force: true });
    rmSync(layout.userFolder(''), { recursive: true, force: true });
  }

  /** Fetches the copies and brings them to the point. */
  private async databases(): Promise<Replay> {
    const { target, point, layout } = this;
    const { base } = point;
    await fetchFile(target, base.head.directory.name, hashOf(base.head.directory.name), layout.directory);
    await inTurn(base.owners, 4, async ({ userid, folder, index }) => {
      try {
        await fetchFile(target, index.name, hashOf(index.name), layout.index(folder));
      } catch (error) {
        const code = error instanceof MailError ? error.code : '';
        if (code !== 'nonexistent' && code !== 'corruption') throw error;
        this.unsaved.push({ userid, place: index.name, text: (error as Error).message });
      }
    });
    const directory = new Directory(layout.directory, false);
    const owners = new OwnerPool(layout, this.spool, () => 0);
    const replay = new Replay(directory, owners, layout, null);
    try {
      await replay.run(target, point);
      directory.begin();
      const starts = (await runNames(target)).map((name) => parseInt(name.slice(-14), 16) / 2 ** 32);
      directory.start = Math.floor(starts.reduce((a, b) => Math.max(a, b), directory.start));
      directory.forgetFloors();
      directory.nextOwner += OWNERS;
      directory.uidvalidity = Math.max(directory.uidvalidity, Math.floor(Date.now() / 1000)) + UIDVALIDITIES;
      directory.commit();
      return replay;
    } finally {
      owners.closeAll();
      directory.close();
    }
  }

  /** Fetches the messages, and makes each owner's snapshot: the log begins behind it. */
  private async messages(): Promise<{ filling: Filling; owners: number; messages: number }> {
    const { filling } = this;
    const directory = new CopiedDatabase(this.layout.directory);
    const rows = directory.owners();
    directory.close();
    let messages = 0;
    for (const owner of rows) {
      const path = this.layout.index(owner.folder);
      if (!existsSync(path)) continue;
      await filling.owner(owner, path);
      makeSnapshot(path, snapshotPath(this.spool.partition(owner.partition), owner.folder), owner.id);
      const copy = new CopiedDatabase(path);
      messages += copy.messages;
      copy.close();
    }
    makeDirectorySnapshot(this.layout.directory, directorySnapshot(this.settings));
    this.unsaved.push(...await filling.fromLog(this.point));
    return { filling, owners: rows.length, messages };
  }

  /** The restore itself as changes in the log of the new store. */
  private async raise(newUidvalidity: boolean): Promise<void> {
    const writer = Writer.open({
      settings: this.settings,
      log: this.log,
      verifyFiles: false,
      onFatal: () => {},
      restoring: true,
    });
    const elapsed = Math.max(0, Math.floor(Date.now() / 1000) - this.point.time);
    const uids = UIDS + UIDS_PER_SECOND * elapsed;
    const ids = new ChangeIds();
    try {
      await inTurn(writer.state.directory.owners(), AT_ONCE, async ({ id, folder }) => {
        if (!existsSync(this.layout.index(folder))) return;
        const change = { op: 'raise', owner: id, uids, newUidvalidity } as const;
        await writer.submit({ id: ids.next(), origin: '', change }, []);
      });
    } finally {
      await writer.close();
    }
  }

  private sync(): void {
    const folders = [this.layout.configdirectory, ...Object.values(this.settings.partition)];
    for (const folder of new Set(folders)) syncFileSystem(folder);
  }
}

/** True where no user and no password would be lost. */
function isEmpty(layout: Layout): boolean {
  if (!existsSync(layout.directory)) return !existsSync(layout.userFolder(''));
  try {
    const directory = new CopiedDatabase(layout.directory);
    try {
      return directory.owners().length === 0 && directory.secrets === 0;
    } finally {
      directory.close();
    }
  } catch {
    return false; // damaged: whatever it was, it is put aside or left alone
  }
}
