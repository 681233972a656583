/**
 * Syncing whole file systems, and remembering when that failed: the kernel reports a lost write once, and the next sync
 * succeeds although the data is not on disk. From then on only the log can be trusted, until the machine has restarted and
 * recovery has verified everything against it.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serverError } from '../../errors.ts';
import { syncFileSystem } from '../lock.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Name of the note in the log folder. */
export const SYNC_FAILED = 'syncfailed';

/**
 * Makes everything on the file systems of these folders durable. Throws 'unavailable' when that failed, now or before in this
 * boot of the machine: the checkpoint must stay where it is.
 */
export function syncEverything(folders: readonly string[], logFolder: string): void {
  const note = join(logFolder, SYNC_FAILED);
  const boot = readFileSync(BOOT_ID, 'utf8');
  if (existsSync(note)) {
    if (readFileSync(note, 'utf8') === boot) {
      throw serverError(
        'a sync of the disk failed before, so the log keeps everything: look at the disk, then restart the machine',
      );
    }
    rmSync(note);
  }
  try {
    for (const folder of new Set(folders)) syncFileSystem(folder);
  } catch (error) {
    writeFileSync(note, boot, { mode: 0o600 });
    throw error;
  }
}
