/** A small file system of its own for a store: an ext4 in a file, mounted by a loop device. Needs root and mount(8). */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function must(program: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(
    `${program} ${args.join(' ')}: ${
      error?.message ?? stderr
    }; this test needs root, e2fsprogs and loop devices ` +
      `(a container has to be started with --privileged)`,
  );
}

export class SmallDisk {
  readonly #dir = mkdtempSync(join(tmpdir(), 'mailstore-disk-'));
  /** Where it is mounted. */
  readonly path = join(this.#dir, 'mnt');

  constructor(bytes: number) {
    const image = join(this.#dir, 'image');
    mkdirSync(this.path);
    must('truncate', '-s', String(bytes), image);
    must('mkfs.ext4', '-q', '-m', '0', image);
    must('mount', '-o', 'loop', image, this.path);
  }

  /** Bytes that are free. */
  get free(): number {
    const { bavail, bsize } = statfsSync(this.path);
    return bavail * bsize;
  }

  /** Another program takes everything that is left. */
  fill(): void {
    for (let chunk = 1 << 20, part = 0; chunk >= 1024; chunk >>= 1) {
      try {
        for (;;) writeFileSync(join(this.path, `other.${part++}`), Buffer.alloc(chunk, 1));
      } catch {
        // Smaller ones may fit.
      }
    }
  }

  /** And gives it back. */
  empty(): void {
    must('find', this.path, '-maxdepth', '1', '-name', 'other.*', '-delete');
  }

  dispose(): void {
    must('umount', '--lazy', this.path);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
