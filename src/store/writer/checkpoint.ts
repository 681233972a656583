/** Moving the checkpoint forward and letting go of log segments (DESIGN rule 7). */
import { statSync, unlinkSync } from 'node:fs';
import type { Settings } from '../../config/settings.ts';
import type { Log } from '../../telemetry/log.ts';
import { readLogFile } from '../log/redo.ts';
import type { Writer } from './writer.ts';
import { errno } from '../spool/spool.ts';

/**
 * The janitor has synced the file systems of configdirectory and of all partitions after `lsn` was committed: every
 * database and every file up to there is durable without the log. An owner that is closed for repair still needs the log.
 * @returns the number of segments removed and the checkpoint, 0 where it is held back
 */
export function completeCheckpoint(
  writer: Writer,
  settings: Settings,
  log: Log,
  lsn: number,
): { checkpoint: number; removed: number } {
  if (lsn > writer.durableLsn || writer.state.owners.closed.size > 0) return { checkpoint: 0, removed: 0 };
  for (const [owner, changed] of [...writer.dirty]) {
    if (changed <= lsn) writer.dirty.delete(owner);
  }
  writer.redo.checkpoint(lsn);
  // Segments younger than log_retention stay for backups and restores to a point in time.
  const keepAfter = Date.now() - settings.log_retention * 1000;
  let through = 0;
  const stages: string[] = [];
  for (const segment of writer.redo.segments) {
    if (segment.lastLsn > lsn || (settings.log_retention > 0 && statSync(segment.path).mtimeMs > keepAfter)) {
      break;
    }
    readLogFile(segment.path, (record) => {
      for (const section of record.s) {
        for (const event of section.e) {
          if (event.k !== 'add') continue;
          for (const part of event.parts) if ('stage' in part.source) stages.push(part.source.stage);
        }
      }
    });
    through = segment.lastLsn;
  }
  const removed = through === 0 ? [] : writer.redo.removeThrough(through);
  // The stage's name of a large body is no longer needed: its final names are synced.
  for (const stage of stages) {
    try {
      unlinkSync(stage);
    } catch (error) {
      if (errno(error) !== 'ENOENT') log.warn('stage file not removed', { path: stage, error: errno(error) });
    }
  }
  if (removed.length > 0) log.info('log segments removed', { count: removed.length, through });
  return { checkpoint: lsn, removed: removed.length };
}
