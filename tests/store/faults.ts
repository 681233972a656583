/** Failing disks, as far as a test can make them. */
import { openSync } from 'node:fs';
import { join } from 'node:path';

/** A descriptor that takes every write and cannot be synced: a pipe. What was written can be read from it. */
export function unsyncable(folder: string): number {
  const path = join(folder, 'unsyncable');
  const made = Bun.spawnSync(['mkfifo', path]);
  if (made.exitCode !== 0) throw new Error(`mkfifo ${path}: ${made.stderr.toString()}`);
  return openSync(path, 'r+');
}

/** A descriptor on which every write fails as on a full disk. */
export function full(): number {
  return openSync('/dev/full', 'w');
}
