/**
 * The scrub: reads everything there is, a little at a time, while damage can still be repaired from what is whole. Complete
 * segments of the log, directory.db, and owner by owner the index, its snapshot and every message file. What it finds is
 * logged by name, and mended where it can be: the writer heals indexes, snapshots are made anew, message files get their bytes
 * back. A file beside the log of this says how far it came, so that a restart does not begin again.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../config/settings.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Finding } from '../check/finding.ts';
import { checkDirectory, checkIndex } from '../check/index.ts';
import type { WriterLink } from '../client/link.ts';
import type { OwnerRow } from '../index/directory.ts';
import { DirectoryReader } from '../index/directoryreader.ts';
import { OwnerReader } from '../index/reader.ts';
import { layoutOf } from '../layout.ts';
import { readCheckpoint, readLogFile } from '../log/redo.ts';
import { listSegments, readHeaderOf } from '../log/segment.ts';
import { damagedParts, describeDamage, findCopies } from '../reconstruct/mend.ts';
import {
  directorySnapshot,
  isSnapshot,
  makeDirectorySnapshot,
  makeSnapshot,
  snapshotPath,
} from '../snapshot.ts';
import { errorText } from '../writer/errortext.ts';

/** Findings kept in the report; all of them are in the log. */
const KEPT = 1000;

/** What the last scrub, or the running one, came to. Times are unix seconds. */
export interface ScrubReport {
  started: number;
  /** 0 while it runs. */
  finished: number;
  /** The last user whose mail was read; '' before the first. */
  after: string;
  users: number;
  findings: Finding[];
}

const NEVER: ScrubReport = { started: 0, finished: 0, after: '', users: 0, findings: [] };

function reportPath(settings: Pick<Settings, 'configdirectory'>): string {
  return join(settings.configdirectory, 'scrub.json');
}

/** What the last scrub found; null when there was none, or its report cannot be read. */
export function readScrub(settings: Pick<Settings, 'configdirectory'>): ScrubReport | null {
  const path = reportPath(settings);
  if (!existsSync(path)) return null;
  try {
    return { ...NEVER, ...JSON.parse(readFileSync(path, 'utf8')) as Partial<ScrubReport> };
  } catch {
    return null;
  }
}

export class Scrub {
  private report: ScrubReport;
  private stopped = false;

  constructor(
    private readonly settings: Settings,
    private readonly log: Log,
    private readonly link: Pick<WriterLink, 'mend' | 'suspect'>,
  ) {
    this.report = readScrub(settings) ?? { ...NEVER, findings: [] };
  }

  /** Whether it is time: none was completed within the configured interval. */
  due(now: number): boolean {
    const { scrub_interval: interval } = this.settings;
    return interval > 0 && (this.report.finished === 0 || this.report.finished + interval <= now);
  }

  /** Goes on where the last one stopped, or begins. Resolves with the report when everything was read, or `stop` was called. */
  async run(): Promise<ScrubReport> {
    const now = () => Math.floor(Date.now() / 1000);
    if (this.report.started === 0 || this.report.finished !== 0) {
      this.report = { ...NEVER, started: now(), findings: [] };
    }
    const directory = new DirectoryReader(layoutOf(this.settings).directory);
    try {
      if (this.report.after === '') await this.shared(directory);
      for (const owner of directory.owners()) {
        if (this.stopped) return this.report;
        if (owner.userid <= this.report.after) continue;
        try {
          await this.owner(owner, directory);
        } catch (error) {
          // Closed for repair, or removed while it was read.
          this.log.warn('scrub: mail of a user not read', { userid: owner.userid, reason: errorText(error) });
        }
        if (this.stopped) return this.report;
        this.report.after = owner.userid;
        this.report.users++;
        this.save();
      }
    } finally {
      directory.close();
    }
    this.report.finished = now();
    this.save();
    const { users, findings } = this.report;
    this.log.info('scrub finished', { users, findings: findings.length });
    return this.report;
  }

  /** Stops before the next file. */
  stop(): void {
    this.stopped = true;
  }

  private save(): void {
    const path = reportPath(this.settings);
    writeFileSync(`${path}.new`, JSON.stringify(this.report), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  private found(userid: string, place: string, text: string, mended: string | null): void {
    this.log.error('scrub found damage', { userid, place, text, ...(mended === null ? {} : { mended }) });
    if (this.report.findings.length >= KEPT) return;
    this.report.findings.push({
      severity: mended === null ? 'damage' : 'notice',
      userid,
      place,
      text: mended === null ? text : `${text}; ${mended}`,
    });
  }

  /** So many bytes were read: others get their turn, and the disk its rest. */
  private async pause(bytes: number): Promise<void> {
    await Bun.sleep(bytes / this.settings.scrub_rate * 1000);
  }

  /** directory.db, its snapshot, and the complete segments of the log. */
  private async shared(directory: DirectoryReader): Promise<void> {
    const { settings } = this;
    const layout = layoutOf(settings);
    const [damage] = checkDirectory(layout.directory).filter(({ severity }) => severity === 'damage');
    if (damage !== undefined) {
      this.found('', layout.directory, damage.text, null);
      this.link.suspect(0, damage.text);
      return;
    }
    const copy = directorySnapshot(settings);
    if (existsSync(copy)) {
      const [wrong] = checkDirectory(copy).filter(({ severity }) => severity === 'damage');
      if (wrong !== undefined) {
        makeDirectorySnapshot(layout.directory, copy);
        this.found('', copy, wrong.text, 'made anew');
      }
    }
    await this.segments(directory);
  }

  /** A damaged segment cannot be mended; with snapshots of everybody it is needed by nobody. */
  private async segments(directory: DirectoryReader): Promise<void> {
    const { settings } = this;
    const layout = layoutOf(settings);
    const checkpoint = readCheckpoint(layout.log)?.lsn ?? 0;
    const paths = listSegments(layout.log);
    let damaged = false;
    for (const [at, path] of paths.entries()) {
      const next = paths[at + 1];
      const last = next === undefined ? undefined : readHeaderOf(next)?.predecessorLast;
      if (last === undefined || last > checkpoint || !existsSync(path)) continue;
      const problem = segmentProblem(path, last);
      await this.pause(Bun.file(path).size);
      if (this.stopped) return;
      if (problem === null) continue;
      damaged = true;
      this.found(
        '',
        path,
        problem,
        'everything in it is in the indexes; snapshots of all were made, so it is not needed',
      );
    }
    if (!damaged) return;
    makeDirectorySnapshot(layout.directory, directorySnapshot(settings));
    for (const owner of directory.owners()) {
      try {
        this.snapshot(owner);
      } catch (error) {
        this.log.error('snapshot not made', { userid: owner.userid, reason: errorText(error) });
      }
      await this.pause(0);
    }
  }

  private snapshot({ id, folder, partition }: OwnerRow): void {
    const { settings } = this;
    const path = snapshotPath(settings.partition[partition] ?? '', folder);
    makeSnapshot(layoutOf(settings).index(folder), path, id);
  }

  private async owner(owner: OwnerRow, directory: DirectoryReader): Promise<void> {
    const { settings } = this;
    const { userid, folder } = owner;
    const path = layoutOf(settings).index(folder);
    const [damage] = checkIndex(path, userid).filter(({ severity }) => severity === 'damage');
    if (damage !== undefined) {
      this.found(
        userid,
        path,
        `${damage.place}: ${damage.text}`,
        'handed to the writer, which rebuilds it from snapshot and log',
      );
      this.link.suspect(owner.id, damage.text);
      return;
    }
    await this.pause(Bun.file(path).size);
    const snapshot = snapshotPath(settings.partition[owner.partition] ?? '', folder);
    if (existsSync(snapshot) && !isSnapshot(snapshot, owner.id)) {
      this.snapshot(owner);
      this.found(userid, snapshot, 'the snapshot is damaged', 'made anew');
    }
    await this.files(owner, path, directory);
  }

  private async files(owner: OwnerRow, path: string, directory: DirectoryReader): Promise<void> {
    const { settings, link } = this;
    const reader = new OwnerReader(path);
    try {
      const damaged = await damagedParts(settings, owner, () => reader, (bytes) => this.pause(bytes));
      const mended = new Set<string>();
      for (
        const { part, stage } of damaged.length === 0 ? [] : findCopies(settings, directory.owners(), damaged)
      ) {
        const { id, partition, file } = part;
        if (await link.mend({ owner: owner.id, part: id, partition, file, stage })) mended.add(part.path);
      }
      for (const part of damaged) {
        // Expunged and expired while it was read.
        if (reader.place(part.id) === null) continue;
        const text = describeDamage(part, owner, reader);
        this.found(
          owner.userid,
          part.path,
          text,
          mended.has(part.path) ? 'put back from another copy' : null,
        );
      }
    } finally {
      reader.close();
    }
  }
}

function segmentProblem(path: string, last: number): string | null {
  try {
    const end = readLogFile(path, () => {});
    if (end === 0) return 'its header is damaged';
    return end >= last ? null : `it ends at ${end} instead of ${last}`;
  } catch (error) {
    return errorText(error);
  }
}
