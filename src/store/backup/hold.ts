/**
 * What the log is kept for: the backups that will need it. A run in progress holds what is behind its beginning; between two
 * runs the configured target holds what the last one does not have. Either only up to `backup.hold_log` bytes, so that a
 * forgotten backup never fills the disk.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../config/settings.ts';
import type { Log } from '../../telemetry/log.ts';
import { layoutOf } from '../layout.ts';
import type { ClosedSegment } from '../log/redo.ts';
import { writeDurably } from '../log/segment.ts';

/** What is written down after each complete run to the configured target. */
export interface LastBackup {
  readonly target: string;
  /** Name of the run. */
  readonly run: string;
  /** Everything up to here is in the target. */
  readonly lsn: number;
  /** Unix seconds. */
  readonly time: number;
}

interface Running {
  readonly pid: number;
  readonly lsn: number;
}

const lastPath = (logFolder: string) => join(logFolder, 'backedup');
const runningPath = (logFolder: string) => join(logFolder, 'backingup');

function readJson<T>(path: string): T | null {
  if (!existsSync(path)) return null;
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return null;
  }
}

/** Notes a complete run. */
export function rememberBackup(logFolder: string, last: LastBackup): void {
  writeDurably(lastPath(logFolder), `${JSON.stringify(last)}\n`);
}

/** The last complete run to the target that was configured then, or null. */
export function lastBackup(logFolder: string): LastBackup | null {
  return readJson<LastBackup>(lastPath(logFolder));
}

/** An attempt that failed, for whoever lists the backups. */
export interface FailedBackup {
  readonly target: string;
  /** Unix seconds. */
  readonly time: number;
  readonly text: string;
}

const failedPath = (logFolder: string) => join(logFolder, 'backupfailed');

/** Notes why the last attempt failed; what fails here fails for the same reason, which is reported anyway. */
export function rememberFailure(logFolder: string, failed: FailedBackup): void {
  try {
    writeDurably(failedPath(logFolder), `${JSON.stringify(failed)}\n`);
  } catch {
    // The disk is full, or the folder is not ours.
  }
}

/** Forgets it after a run to the same target that was complete. */
export function forgetFailure(logFolder: string, target: string): void {
  if (lastFailure(logFolder)?.target === target) rmSync(failedPath(logFolder), { force: true });
}

/** The last attempt if it failed, or null. */
export function lastFailure(logFolder: string): FailedBackup | null {
  return readJson<FailedBackup>(failedPath(logFolder));
}

/** Holds the log behind an LSN while this process lives; returns how to let go of it. */
export function holdLog(logFolder: string, lsn: number): () => void {
  const path = runningPath(logFolder);
  writeDurably(path, `${JSON.stringify({ pid: process.pid, lsn } satisfies Running)}\n`);
  return () => rmSync(path, { force: true });
}

/**
 * How many of the oldest segments may go for the backup's sake. Says in the log what it gives up when those that are held are
 * more than `backup.hold_log`.
 */
export function releasedByBackup(settings: Settings, log: Log, segments: readonly ClosedSegment[]): number {
  const folder = layoutOf(settings).log;
  const running = readJson<Running>(runningPath(folder));
  const last = lastBackup(folder);
  let needed = Number.MAX_SAFE_INTEGER;
  if (settings.backup_target !== '' && settings.backup_hold_log > 0) {
    needed = last?.target === settings.backup_target ? last.lsn : 0;
  }
  if (running !== null && existsSync(`/proc/${running.pid}`)) needed = Math.min(needed, running.lsn);
  const free = segments.findIndex(({ lastLsn }) => lastLsn > needed);
  if (free === -1) return segments.length;
  let held = segments.slice(free).reduce((sum, { bytes }) => sum + bytes, 0);
  let released = free;
  while (held > settings.backup_hold_log && released < segments.length) {
    held -= segments[released]?.bytes ?? 0;
    released++;
  }
  if (released > free) {
    log.warn('log given up that no backup has', {
      segments: released - free,
      hold_log: settings.backup_hold_log,
      last_backup: last === null ? 'none' : new Date(last.time * 1000).toISOString(),
      remedy: 'run "mailstore backup", or raise backup.hold_log',
    });
  }
  return released;
}
