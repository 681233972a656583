/** Where copies of databases lie while a backup, a check or a restore looks at them: a folder per process in configdirectory. */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from '../layout.ts';

const PREFIX = 'backup.work-';

/** Makes an empty folder for this process, and removes those of processes that were killed. */
export function makeWork({ configdirectory }: Layout): string {
  for (const name of existsSync(configdirectory) ? readdirSync(configdirectory) : []) {
    if (!name.startsWith(PREFIX)) continue;
    const pid = Number(name.slice(PREFIX.length));
    if (pid !== process.pid && existsSync(`/proc/${pid}`)) continue;
    rmSync(join(configdirectory, name), { recursive: true, force: true });
  }
  const path = join(configdirectory, `${PREFIX}${process.pid}`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

/** Removes the folder of this process. */
export function removeWork(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
