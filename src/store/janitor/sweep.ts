/** Stage files whose process ended before it could use or abort them (DESIGN rule 6). */
import { existsSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../config/settings.ts';
import type { Log } from '../../telemetry/log.ts';
import { layoutOf, stageFolder } from '../layout.ts';
import { closedOwners } from '../log/closed.ts';
import { step } from '../step.ts';

/** Seconds a stage file of a dead process is left alone: the log may still be replaying it. */
const GRACE = 3600;

/**
 * Removes stage files that nobody can use any more: their process is dead, they are an hour older than the checkpoint, and no final name
 * shares their blocks (one that has is removed together with its log segment).
 */
export function sweepStage(settings: Settings, log: Log): number {
  let removed = 0;
  // The records of a closed owner may yet need a stage file.
  if (closedOwners(layoutOf(settings).log).length > 0) return 0;
  const checkpoint = join(layoutOf(settings).log, 'checkpoint');
  if (!existsSync(checkpoint)) return 0;
  const old = statSync(checkpoint).mtimeMs - GRACE * 1000;
  for (const partition of Object.values(settings.partition)) {
    const folder = stageFolder(partition);
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const found = statSync(path, { throwIfNoEntry: false });
      if (found === undefined) continue; // used or aborted meanwhile
      const { mtimeMs, nlink } = found;
      const creator = Number(name.split('.')[0]);
      if (nlink > 1 || mtimeMs > old || existsSync(`/proc/${creator}`)) continue;
      unlinkSync(path);
      step('sweep.stage');
      removed++;
    }
  }
  if (removed > 0) log.info('stage swept', { removed });
  return removed;
}
