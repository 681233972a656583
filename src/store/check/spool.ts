/** Checking an owner's files against the index: each part has its file, whole; each file has its part. */
import { Database } from 'bun:sqlite';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isPartFolder } from '../spool/spool.ts';
import type { Finding } from './finding.ts';

export interface SpoolCheck {
  readonly indexPath: string;
  readonly userid: string;
  /** The owner's folder in each partition. */
  readonly folders: Readonly<Record<string, string>>;
  /** Read every file and compare its hash. */
  readonly deep: boolean;
}

/** Compares both sides. Files without a part are a notice: a crash between making a file and logging it leaves one. */
export function checkSpool(check: SpoolCheck): { findings: Finding[]; orphans: string[] } {
  const { userid } = check;
  const findings: Finding[] = [];
  const known = new Set<string>();
  const db = new Database(check.indexPath, { readwrite: true, create: false });
  try {
    db.run('PRAGMA query_only = 1');
    const parts = db.query('SELECT partition, file, size, hash FROM part').values() as [
      string,
      string,
      number,
      string,
    ][];
    for (const [partition, file, size, hash] of parts) {
      const folder = check.folders[partition];
      if (folder === undefined) {
        findings.push({
          severity: 'damage',
          userid,
          place: file,
          text: `lies in partition ${partition}, which the configuration does not name`,
        });
        continue;
      }
      const path = join(folder, file);
      known.add(path);
      const wrong = fileProblem(path, size, check.deep ? hash : null);
      if (wrong !== null) findings.push({ severity: 'damage', userid, place: path, text: wrong });
    }
  } finally {
    db.close();
  }
  const orphans: string[] = [];
  for (const folder of Object.values(check.folders)) {
    for (const path of messageFiles(folder)) if (!known.has(path)) orphans.push(path);
  }
  if (orphans.length > 0) {
    findings.push({
      severity: 'notice',
      userid,
      place: orphans[0] as string,
      text: `${orphans.length} files belong to no message; the expiry run removes them when they are old`,
    });
  }
  return { findings, orphans };
}

function fileProblem(path: string, size: number, hash: string | null): string | null {
  if (!existsSync(path)) return 'the file of a message is missing';
  const actual = statSync(path).size;
  if (actual !== size) return `the file has ${actual} bytes, the index says ${size}`;
  if (hash === null) return null;
  const digest = new Bun.CryptoHasher('sha256').update(readFileSync(path)).digest('hex');
  return digest === hash ? null : 'the bytes of the file are not those that were stored';
}

/** Paths of all message files below an owner's folder. */
export function* messageFiles(folder: string): IterableIterator<string> {
  if (!existsSync(folder)) return;
  for (const group of readdirSync(folder)) {
    if (!isPartFolder(group)) continue;
    for (const name of readdirSync(join(folder, group))) yield join(folder, group, name);
  }
}
