/** One checkpoint run: sync the file systems, let the log go on from there, fold the journals back. */
import { Database } from 'bun:sqlite';
import { existsSync, statSync } from 'node:fs';
import type { Settings } from '../../config/settings.ts';
import type { SocketLink } from '../client/socketlink.ts';
import { layoutOf } from '../layout.ts';
import { syncFileSystem } from '../lock.ts';

/** Journals larger than this are folded back into their database (DESIGN rule 16). */
const JOURNAL_BYTES = 1024 * 1024;

export interface CheckpointReport {
  checkpoint: number;
  removed: number;
  folded: number;
}

/** Runs one checkpoint over the writer's connection. */
export async function runCheckpoint(settings: Settings, link: SocketLink): Promise<CheckpointReport> {
  const layout = layoutOf(settings);
  const dirty = await link.ask((n) => ({ t: 'dirty', n })) as {
    lsn: number;
    owners: { id: number; folder: string }[];
  };
  for (const folder of new Set([layout.configdirectory, ...Object.values(settings.partition)])) {
    syncFileSystem(folder);
  }
  const done = await link.ask((n) => ({ t: 'checkpointed', n, lsn: dirty.lsn })) as {
    checkpoint: number;
    removed: number;
  };
  let folded = 0;
  for (const path of [layout.directory, ...dirty.owners.map(({ folder }) => layout.index(folder))]) {
    if (foldJournal(path)) folded++;
    // One database at a time: others may be waiting for this process's turn of the disk.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { ...done, folded };
}

/** A passive checkpoint never waits for readers or the writer; what it cannot do now is done next time. */
function foldJournal(path: string): boolean {
  const journal = `${path}-wal`;
  if (!existsSync(journal) || statSync(journal).size < JOURNAL_BYTES) return false;
  const db = new Database(path, { readwrite: true, create: false });
  try {
    db.run('PRAGMA wal_checkpoint(PASSIVE)');
  } finally {
    db.close();
  }
  return true;
}
