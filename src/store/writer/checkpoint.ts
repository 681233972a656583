/** Moving the checkpoint forward and letting go of log segments (DESIGN rule 7). The janitor does the work before. */
import type { Log } from '../../telemetry/log.ts';
import { noteClosed } from '../log/closed.ts';
import type { ClosedSegment } from '../log/redo.ts';
import { errno } from '../spool/spool.ts';
import { errorText } from './errortext.ts';
import type { Writer } from './writer.ts';
import { step } from '../step.ts';

/** Owners changed since the last checkpoint, with the folders of their indexes. */
export function dirtyFolders({ dirty, state }: Writer): { id: number; folder: string }[] {
  const out: { id: number; folder: string }[] = [];
  for (const id of dirty.keys()) {
    const owner = state.directory.ownerById(id);
    if (owner !== null) out.push({ id, folder: owner.folder });
  }
  return out;
}

/**
 * The janitor has synced the file systems of configdirectory and of all partitions after `lsn` was committed: every
 * database and every file up to there is durable without the log. It goes on without an owner that is closed for repair: that is
 * noted, the owner's records are kept (janitor/checkpoint.ts), and so are the files that it purged.
 * @param repairs `writer.repairs` as it was before that sync
 * @returns the checkpoint, 0 where it is held back, the complete segments, and the owners that are closed
 */
export async function completeCheckpoint(
  writer: Writer,
  lsn: number,
  repairs: number,
): Promise<{ checkpoint: number; segments: readonly ClosedSegment[]; closed: number[] }> {
  const held = { checkpoint: 0, segments: [], closed: [] };
  // An owner that was opened again meanwhile was written after the sync.
  if (lsn > writer.durableLsn || writer.repairs !== repairs) return held;
  await writer.unlinkThrough(lsn);
  if (writer.repairs !== repairs) return held;
  const { directory, owners } = writer.state;
  const closed = new Set(owners.closed.keys());
  noteClosed(writer.layout.log, closed);
  const floors = new Map<number, number>();
  for (const [owner, changed] of [...writer.dirty]) {
    if (changed > lsn) continue;
    writer.dirty.delete(owner);
    floors.set(owner, changed);
  }
  // Of a directory whose transaction is open the LSN may be one that is not committed yet.
  const known = directory.lsn <= lsn ? directory.lsn : 0;
  writer.redo.checkpoint(lsn, known);
  // An index that is found below its floor later has lost its journal.
  writer.betweenBatches(() => {
    directory.raiseFloors(floors);
    writer.claimCommitted();
  });
  return { checkpoint: lsn, segments: writer.redo.segments, closed: [...closed] };
}

/** Removes segments that nobody needs, and the stage's names of large bodies in them. */
export function retireSegments(
  writer: Writer,
  log: Log,
  lsn: number,
  stages: readonly string[],
): { removed: number } {
  // They stand in segments that may go now.
  writer.loadResults();
  const removed = writer.redo.removeThrough(lsn);
  if (removed.length === 0) return { removed: 0 };
  step('segments.removed');
  for (const stage of stages) {
    try {
      writer.state.spool.remove(stage);
      step('stage.unlinked');
    } catch (error) {
      log.warn('stage file not removed', { path: stage, error: errno(error) || errorText(error) });
    }
  }
  log.info('log segments removed', { count: removed.length, through: lsn });
  return { removed: removed.length };
}
