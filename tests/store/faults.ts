/** Failing disks, as far as a test can make them. */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
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

/** A file system of a few megabytes in memory. */
export interface SmallDisk {
  readonly path: string;
  grow(bytes: number): void;
  /** Leaves no room at all. */
  fill(): void;
  unmount(): void;
}

/** Mounts one; needs root, as the tests of ports and users do. */
export function smallDisk(bytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'mailstore-disk-'));
  const run = (...command: string[]): void => {
    const { exitCode, stderr } = Bun.spawnSync(command);
    if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${stderr.toString()}`);
  };
  run('mount', '-t', 'tmpfs', '-o', `size=${bytes},mode=0755`, 'tmpfs', path);
  return {
    path,
    grow: (more) => run('mount', '-o', `remount,size=${more}`, path),
    fill: () => {
      const fd = openSync(join(path, 'filler'), 'w');
      try {
        for (;;) writeSync(fd, Buffer.alloc(4096));
      } catch {
        // That was the last block.
      } finally {
        closeSync(fd);
      }
    },
    unmount: () => {
      run('umount', '-l', path);
      rmSync(path, { recursive: true, force: true });
    },
  };
}
