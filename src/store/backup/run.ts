/**
 * One backup of a store that may be in use.
 *
 * Invariants
 * 1. Everything acknowledged before the run began is in it, and every database is brought to one LSN, the cut: copies are made
 *    first, each at an LSN of its own, then the log from before the first copy up to the cut is saved with them.
 * 2. The cut is made after the messages of the copies were sent, so that a message that was purged meanwhile is purged in the
 *    log that is saved, too, and need not be there.
 * 3. The manifest is put last, after everything it names is durable: a run that is interrupted leaves the earlier ones as they
 *    are, and what it sent is not sent again.
 */

import { join } from 'node:path';
import type { Settings } from '../../config/settings.ts';
import { MailError, userError } from '../../errors.ts';
import type { Log } from '../../telemetry/log.ts';
import { version } from '../../version.ts';
import { CopiedDatabase } from '../index/copied.ts';
import { type Layout, layoutOf } from '../layout.ts';
import { continuation, logEnd, logPieces, readPiece } from '../log/piece.ts';
import { standBack } from '../niceness.ts';
import { makeDirectorySnapshot, makeSnapshot } from '../snapshot.ts';
import { errno, Spool } from '../spool/spool.ts';
import { errorText } from '../writer/errortext.ts';
import { forgetFailure, holdLog, rememberBackup, rememberFailure } from './hold.ts';
import {
  BACKUP_FORMAT,
  encodeManifest,
  type Manifest,
  manifestName,
  newestRun,
  readManifest,
  type RunFigures,
  runNames,
  runOf,
  type SavedDatabase,
  type SavedOwner,
  type SavedPiece,
  timeOfName,
  type Unsaved,
} from './manifest.ts';
import { Messages } from './messages.ts';
import { durableMoment, type Moment, storeIdentity } from './source.ts';
import { digestOf, indexName, type Target } from './target.ts';
import { Tail } from './tail.ts';
import { makeWork, removeWork } from './work.ts';

/** Niceness: mail in and out goes first. */
const NICE = 15;

/** Times the end of the log is looked at again for the purge of a message whose file is gone. */
const LOOKS = 8;

const PAUSE = 250;

/** Facts that names and folders depend on: a restore into a store with others would put mail where nobody finds it. */
const FACTS = [
  'hashimapspool',
  'virtdomains',
  'defaultdomain',
  'unixhierarchysep',
  'defaultpartition',
] as const;

/** Makes a backup; resolves to its manifest. Throws 'inuse', 'cannot' for a target of another store, 'unavailable'. */
export async function runBackup(settings: Settings, target: Target, log: Log): Promise<Manifest> {
  standBack(NICE);
  const lock = await target.lock();
  const layout = layoutOf(settings);
  const work = makeWork(layout);
  try {
    const manifest = await new Run(settings, target, log, layout, work).make();
    forgetFailure(layout.log, target.text);
    return manifest;
  } catch (error) {
    rememberFailure(layout.log, {
      target: target.text,
      time: Math.floor(Date.now() / 1000),
      text: errorText(error),
    });
    throw error;
  } finally {
    removeWork(work);
    await lock.release();
  }
}

class Run {
  private readonly figures: RunFigures = {
    objects: 0,
    objectBytes: 0,
    indexes: 0,
    indexBytes: 0,
    logBytes: 0,
  };
  private readonly unsaved: Unsaved[] = [];
  private readonly owners = new Map<number, SavedOwner>();
  private readonly messages: Messages;

  constructor(
    private readonly settings: Settings,
    private readonly target: Target,
    private readonly log: Log,
    private readonly layout: Layout,
    private readonly work: string,
  ) {
    this.messages = new Messages(target, new Spool(settings.partition), this.figures);
  }

  async make(): Promise<Manifest> {
    const begun = Math.floor(Date.now() / 1000);
    const store = storeIdentity(this.layout.log);
    const newest = await newestRun(
      this.target,
      (error) => this.log.error('manifest damaged', { error: error.message }),
    );
    if (newest !== null && newest.head.store !== store) {
      throw userError(
        'cannot',
        `${this.target.text} holds backups of another store (${newest.head.servername}); give each store its own`,
      );
    }
    const base = await durableMoment(this.settings, this.log);
    const letGo = holdLog(this.layout.log, base.lsn);
    try {
      const previous = await this.continued(newest);
      // Part ids and LSNs of one store are never given twice, also where the log between has a gap.
      const known = previous ?? (newest !== null && this.follows(newest) === 'gap' ? newest : null);
      return await this.save(begun, store, base, previous, known);
    } finally {
      letGo();
    }
  }

  private follows({ head }: Manifest): ReturnType<typeof continuation> {
    return continuation(this.layout.log, { lsn: head.cut, segment: head.segment });
  }

  /** The newest run whose cut the log continues: not always the last one, after a restore. */
  private async continued(newest: Manifest | null): Promise<Manifest | null> {
    if (newest === null || this.follows(newest) !== 'foreign') {
      return newest !== null && this.follows(newest) === 'whole' ? newest : null;
    }
    for (const name of (await runNames(this.target)).reverse()) {
      if (name === newest.name) continue;
      try {
        const manifest = await readManifest(this.target, name);
        const follows = this.follows(manifest);
        if (follows !== 'foreign') return follows === 'whole' ? manifest : null;
      } catch (error) {
        if (!(error instanceof MailError) || error.code !== 'corruption') throw error;
      }
    }
    return null;
  }

  private async save(
    begun: number,
    store: string,
    base: Moment,
    previous: Manifest | null,
    known: Manifest | null,
  ): Promise<Manifest> {
    const after = previous?.head.cut ?? base.lsn;
    const path = join(this.work, 'directory.db');
    const directory = await this.sendDatabase(path, makeDirectorySnapshot(this.layout.directory, path));
    const copy = new CopiedDatabase(path);
    const rows = copy.owners();
    copy.close();
    const changed = previous === null ? null : this.changedOwners(after, base.lsn);
    const before = new Map(known?.owners.map((owner) => [owner.id, owner]));
    const unsavedBefore = new Set(known?.unsaved.map(({ userid }) => userid));
    for (const owner of rows) {
      const last = unsavedBefore.has(owner.userid) ? undefined : before.get(owner.id);
      if (last !== undefined && changed !== null && !changed.has(owner.id)) {
        this.owners.set(owner.id, last);
      } else await this.saveOwner(owner, last);
    }
    const tail = new Tail(rows, [...this.owners.values()], directory.lsn);
    const { pieces, moment } = await this.saveTail(tail, after);
    const end = logEnd(this.layout.log, moment.lsn);
    for (const { userid, text } of tail.broken()) this.unsaved.push({ userid, place: 'index.db', text });
    const removed = new Set(rows.filter(({ id }) => tail.gone.has(id)).map(({ userid }) => userid));
    for (const lost of this.messages.missing.values()) {
      this.unsaved.push({ userid: lost.userid, place: lost.path, text: 'the file of a message is missing' });
    }
    this.unsaved.push(...this.messages.damaged);
    await this.target.settle();
    const manifest: Manifest = {
      name: await this.freeName(moment.time, end.lsn),
      head: {
        mailstore: 'backup',
        format: BACKUP_FORMAT,
        version,
        store,
        servername: this.settings.servername,
        begun,
        time: moment.time,
        through: moment.through,
        cut: end.lsn,
        segment: end.segment,
        base: base.lsn,
        previous: previous === null ? null : runOf(previous.name),
        directory,
        log: pieces,
        configuration: {
          ...Object.fromEntries(FACTS.map((name) => [name, this.settings[name]])),
          partitions: Object.keys(this.settings.partition),
        },
      },
      owners: [...this.owners.values()].filter(({ id }) => !tail.gone.has(id)),
      unsaved: this.unsaved.filter(({ userid }) => !removed.has(userid)),
      figures: this.figures,
    };
    const bytes = encodeManifest(manifest);
    await this.target.put(manifest.name, { bytes }, (await digestOf({ bytes })).sha256);
    await this.target.settle();
    // It names everything else: read once more before anybody counts on it.
    await readManifest(this.target, manifest.name);
    if (this.target.text === this.settings.backup_target) {
      rememberBackup(this.layout.log, {
        target: this.target.text,
        run: runOf(manifest.name),
        lsn: end.lsn,
        time: moment.time,
      });
    }
    return manifest;
  }

  /** Sorts behind all other runs, also within a second and when the clock was set back: the last name is the newest run. */
  private async freeName(time: number, cut: number): Promise<string> {
    const name = manifestName(time, cut);
    const last = (await runNames(this.target)).at(-1);
    return last === undefined || name > last ? name : manifestName(timeOfName(last) + 1, cut);
  }

  /** Owners with records between the last cut and the beginning of this run; all others stand as they did. */
  private changedOwners(after: number, upTo: number): Set<number> {
    const changed = new Set<number>();
    for (const { bytes } of logPieces(this.layout.log, after, upTo)) {
      readPiece(this.layout.log, bytes, after, ({ s }) => {
        for (const { o } of s) changed.add(o);
      });
    }
    return changed;
  }

  /** Sends the verified copy of a database. */
  private async sendDatabase(path: string, lsn: number): Promise<SavedDatabase> {
    const { sha256, size } = await digestOf({ path });
    const name = indexName(sha256);
    if (await this.target.size(name) !== size) {
      await this.target.put(name, { path }, sha256);
      this.figures.indexes++;
      this.figures.indexBytes += size;
    }
    return { name, size, lsn };
  }

  private async saveOwner(
    owner: { id: number; userid: string; folder: string },
    last: SavedOwner | undefined,
  ): Promise<void> {
    const { id, userid, folder } = owner;
    const path = join(this.work, 'index.db');
    let lsn: number;
    try {
      // One read transaction, and over before anything is awaited (DESIGN rule 15).
      lsn = makeSnapshot(this.layout.index(folder), path, id);
    } catch (error) {
      if (['ENOSPC', 'EDQUOT', 'SQLITE_FULL'].includes(errno(error))) throw error;
      this.log.error('index not saved', { userid, error: errorText(error) });
      this.unsaved.push({ userid, place: this.layout.index(folder), text: errorText(error) });
      // What was saved last is better than nothing.
      if (last !== undefined) this.owners.set(id, last);
      return;
    }
    const index = await this.sendDatabase(path, lsn);
    const copy = new CopiedDatabase(path);
    try {
      for (const page of copy.parts(last?.nextpart ?? 0)) await this.messages.save(owner, page);
      this.owners.set(id, { id, userid, folder, index, nextpart: copy.nextPart });
    } finally {
      copy.close();
    }
  }

  /** Saves the log up to now, with the messages that are only in it; again while the purge of one that is gone is not yet in it. */
  private async saveTail(tail: Tail, after: number): Promise<{ pieces: SavedPiece[]; moment: Moment }> {
    const pieces: SavedPiece[] = [];
    for (let look = 1;; look++) {
      const moment = await durableMoment(this.settings, this.log);
      for (const { bytes, first, last } of logPieces(this.layout.log, after, moment.lsn)) {
        const { sha256, size } = await digestOf({ bytes });
        const name = `log/${hex(first)}-${hex(last)}-${sha256.slice(0, 16)}`;
        if (await this.target.size(name) !== size) {
          await this.target.put(name, { bytes }, sha256);
          this.figures.logBytes += size;
        }
        pieces.push({ name, size, sha256, first, last });
        after = last;
        await this.messages.saveTail(tail.take(name, bytes));
      }
      this.messages.forget(tail);
      if (this.messages.missing.size === 0 || look === LOOKS) return { pieces, moment };
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}

function hex(lsn: number): string {
  return lsn.toString(16).padStart(14, '0');
}
