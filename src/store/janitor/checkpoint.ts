/** One checkpoint run: sync the file systems, let the log go on from there, fold the journals back. */
import { Database } from 'bun:sqlite';
import { existsSync, statSync } from 'node:fs';
import type { Settings } from '../../config/settings.ts';
import { type Log, silentLog } from '../../telemetry/log.ts';
import type { SocketLink } from '../client/socketlink.ts';
import type { DirectoryReader } from '../index/directoryreader.ts';
import { layoutOf } from '../layout.ts';
import { type Checkpointed, retire } from './retire.ts';
import { syncEverything } from './sync.ts';
import { step } from '../step.ts';

/** Journals larger than this are folded back into their database (DESIGN rule 16). */
const JOURNAL_BYTES = 1024 * 1024;

/** A journal this long is begun anew, which the writer has to do itself. */
const JOURNAL_LONG = 16 * 1024 * 1024;

export interface CheckpointReport {
  /** The LSN replay would begin after; 0 when it was held back. */
  checkpoint: number;
  /** Segments removed. */
  removed: number;
  /** Journals folded back. */
  folded: number;
}

/** Runs one checkpoint over the writer's connection. */
export async function runCheckpoint(
  settings: Settings,
  link: SocketLink,
  directory: DirectoryReader,
  log: Log = silentLog,
): Promise<CheckpointReport> {
  const layout = layoutOf(settings);
  const dirty = await link.ask((n) => ({ t: 'dirty', n })) as {
    lsn: number;
    owners: { id: number; folder: string }[];
  };
  syncEverything([layout.configdirectory, ...Object.values(settings.partition)], layout.log);
  step('checkpoint.synced');
  const done = await link.ask((n) => ({ t: 'checkpointed', n, lsn: dirty.lsn })) as Checkpointed;
  let folded = 0;
  const long: number[] = [];
  for (const { id, folder } of [{ id: 0, folder: '' }, ...dirty.owners]) {
    const path = id === 0 ? layout.directory : layout.index(folder);
    if (!foldJournal(path)) continue;
    folded++;
    if (statSync(`${path}-wal`).size > JOURNAL_LONG) long.push(id);
    // One database at a time: others may be waiting for this process's turn of the disk.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (long.length > 0) await link.ask((n) => ({ t: 'shorten', n, owners: long }));
  const removed = await retire(settings, link, directory, log, done);
  return { checkpoint: done.checkpoint, removed, folded };
}

/** A passive checkpoint never waits for readers or the writer; what it cannot do now is done next time. */
function foldJournal(path: string): boolean {
  const journal = `${path}-wal`;
  if (!existsSync(journal) || statSync(journal).size < JOURNAL_BYTES) return false;
  const db = new Database(path, { readwrite: true, create: false });
  try {
    db.run('PRAGMA wal_checkpoint(PASSIVE)');
    step('journal.folded');
  } finally {
    db.close();
  }
  return true;
}
