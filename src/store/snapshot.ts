/**
 * Snapshots: a verified copy of an owner's index beside its mail, so that index and log together can rebuild it exactly
 * (promise 4) also after the segments before the copy are gone. directory.db has one as well.
 */
import { Database } from 'bun:sqlite';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { checkDirectory, checkIndex } from './check/index.ts';
import type { Finding } from './check/finding.ts';
import { IndexDamage } from './index/damage.ts';
import { identify } from './index/salvage.ts';
import { syncFolder } from './log/segment.ts';
import { step } from './step.ts';

/** Name of the snapshot in the owner's folder of the partition; no message folder has it. */
export const SNAPSHOT = 'snapshot';

/** Path of an owner's snapshot. */
export function snapshotPath(partition: string, ownerFolder: string): string {
  return join(partition, ownerFolder, SNAPSHOT);
}

/** Path of the snapshot of directory.db; no owner's folder has this name. */
export function directorySnapshot(settings: Pick<Settings, 'partition' | 'defaultpartition'>): string {
  return join(settings.partition[settings.defaultpartition] ?? '', 'directory.snapshot');
}

function damageIn(findings: readonly Finding[]): Finding | undefined {
  return findings.find(({ severity }) => severity === 'damage');
}

/** Whether a file is an owner's snapshot and nothing in it is damaged. */
export function isSnapshot(path: string, owner: number): boolean {
  return existsSync(path) && identify(path)?.owner === owner && damageIn(checkIndex(path, '')) === undefined;
}

/** The LSN of an owner's snapshot, or 0 where there is none that can be used. */
export function snapshotLsn(path: string, owner: number): number {
  return isSnapshot(path, owner) ? identify(path)?.lsn ?? 0 : 0;
}

/**
 * Copies an owner's index, verifies the copy and durably replaces the snapshot. Returns the LSN of the copy. Throws
 * IndexDamage when the index is damaged or has not all up to `least`, which it must have had: it lost its journal. The snapshot
 * before stays, which may have more.
 */
export function makeSnapshot(indexPath: string, path: string, owner: number, least = 0): number {
  return replace(indexPath, path, owner, least, (copy) => damageIn(checkIndex(copy, '')));
}

/** The same as `makeSnapshot` for directory.db. */
export function makeDirectorySnapshot(directoryPath: string, path: string, least = 0): number {
  return replace(directoryPath, path, 0, least, (copy) => damageIn(checkDirectory(copy)));
}

function replace(
  from: string,
  path: string,
  owner: number,
  least: number,
  damage: (copy: string) => Finding | undefined,
): number {
  const fresh = `${path}.new`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(fresh, { force: true });
  const source = new Database(from, { readwrite: true, create: false });
  try {
    source.run('VACUUM INTO ?', [fresh]);
  } finally {
    source.close();
  }
  step('snapshot.copied');
  const found = damage(fresh);
  if (found !== undefined) throw new IndexDamage(owner, from, `${found.place}: ${found.text}`);
  const copy = new Database(fresh, { readwrite: true, create: false });
  let lsn: number;
  try {
    lsn = copy.query<{ lsn: number }, []>('SELECT lsn FROM state').get()?.lsn ?? 0;
  } finally {
    copy.close();
  }
  if (lsn < least) {
    rmSync(fresh, { force: true });
    throw new IndexDamage(owner, from, `it is at ${lsn} but has had ${least}: its journal was lost`);
  }
  step('snapshot.verified');
  const fd = openSync(fresh, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  step('snapshot.synced');
  renameSync(fresh, path);
  step('snapshot.renamed');
  syncFolder(dirname(path));
  return lsn;
}
