/**
 * Message files that no row names: made for a change that a crash ended before it was logged (DESIGN rule 6).
 *
 * Deleting is only for what cannot be mail. A file goes if all of this holds: no part has its name; it is older than an hour;
 * it was made after its owner was (an index rebuilt from the spool is a new owner: older files may wait to be adopted); and the
 * LSN in its name is one that the index has passed and the checkpoint, too, so that no record to come can want it.
 */
import { existsSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../config/settings.ts';
import type { Log } from '../../telemetry/log.ts';
import { checkSpool } from '../check/spool.ts';
import type { DirectoryReader } from '../index/directoryreader.ts';
import { OwnerReader } from '../index/reader.ts';
import { layoutOf } from '../layout.ts';
import { closedOwners } from '../log/closed.ts';
import { readCheckpoint } from '../log/redo.ts';
import { partFileLsn } from '../spool/spool.ts';
import { errorText } from '../writer/errortext.ts';

const GRACE_MS = 3_600_000;

/** Sweeps all owners; returns how many files went. An owner whose index cannot be read is left alone. */
export function sweepOrphans(settings: Settings, log: Log, directory: DirectoryReader): number {
  const layout = layoutOf(settings);
  const checkpoint = readCheckpoint(layout.log)?.lsn ?? 0;
  let removed = 0;
  const closed = new Set(closedOwners(layout.log));
  for (const owner of directory.owners()) {
    // What its index does not name it may lack.
    if (closed.has(owner.id)) continue;
    const indexPath = layout.index(owner.folder);
    if (!existsSync(indexPath)) continue;
    const folders: Record<string, string> = {};
    for (const [name, root] of Object.entries(settings.partition)) folders[name] = join(root, owner.folder);
    try {
      const reader = new OwnerReader(indexPath);
      const passed = Math.min(checkpoint, reader.lsn);
      const mine = reader.owner === owner.id;
      reader.close();
      if (!mine) continue;
      const { orphans } = checkSpool({ indexPath, userid: owner.userid, folders, deep: false });
      for (const path of orphans) {
        const made = statSync(path).mtimeMs;
        const old = made < Date.now() - GRACE_MS && made > (owner.created + 1) * 1000;
        if (!old || !(partFileLsn(path) <= passed)) continue;
        unlinkSync(path);
        removed++;
      }
    } catch (error) {
      log.warn('orphans not swept', { userid: owner.userid, error: errorText(error) });
    }
  }
  return removed;
}
