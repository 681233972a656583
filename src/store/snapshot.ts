/**
 * Snapshots: a verified copy of an owner's index beside its mail, so that index and log together can rebuild it exactly
 * (promise 4) also after the segments before the copy are gone.
 */
import { Database } from 'bun:sqlite';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { serverError } from '../errors.ts';
import { syncFolder } from './log/segment.ts';

/** Name of the snapshot in the owner's folder of the partition; no message folder has it. */
export const SNAPSHOT = 'snapshot';

/** Path of an owner's snapshot. */
export function snapshotPath(partition: string, ownerFolder: string): string {
  return join(partition, ownerFolder, SNAPSHOT);
}

/** The LSN a snapshot holds, or 0 where there is none that can be read. */
export function snapshotLsn(path: string): number {
  if (!existsSync(path)) return 0;
  try {
    const db = new Database(path, { readonly: true });
    try {
      return db.query<{ lsn: number }, []>('SELECT lsn FROM state').get()?.lsn ?? 0;
    } finally {
      db.close();
    }
  } catch {
    return 0;
  }
}

/** Copies, verifies and durably replaces. Returns the LSN of the copy. Throws when the index itself is damaged. */
export function makeSnapshot(indexPath: string, path: string): number {
  const fresh = `${path}.new`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(fresh, { force: true });
  const source = new Database(indexPath, { readwrite: true, create: false });
  try {
    source.run('VACUUM INTO ?', [fresh]);
  } finally {
    source.close();
  }
  const copy = new Database(fresh, { readwrite: true, create: false });
  let lsn: number;
  try {
    const result = copy.query<{ integrity_check: string }, []>('PRAGMA integrity_check(1)').get();
    if (result?.integrity_check !== 'ok') {
      throw serverError(`the copy of ${indexPath} is damaged: ${result?.integrity_check ?? 'no answer'}`);
    }
    lsn = copy.query<{ lsn: number }, []>('SELECT lsn FROM state').get()?.lsn ?? 0;
  } finally {
    copy.close();
  }
  const fd = openSync(fresh, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(fresh, path);
  syncFolder(dirname(path));
  return lsn;
}
