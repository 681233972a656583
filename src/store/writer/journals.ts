/**
 * Journals begin anew only when everything in them was folded back and nobody reads an older part. Under a steady stream of
 * changes a passive checkpoint never finds them so: new pages come while it works, and the journal grows without bound. So
 * when one is too long, and the janitor has folded nearly all of it, the writer does the rest between two batches, when nothing
 * can be added (DESIGN rule 16).
 */
import type { Database } from 'bun:sqlite';
import type { Log } from '../../telemetry/log.ts';
import { errorText } from './errortext.ts';
import type { Writer } from './writer.ts';

/** Milliseconds to wait for readers; their transactions are short. What does not work is tried with the next checkpoint. */
const PATIENCE = 50;

/** Shortens the journals of owners (0: of directory.db) between two batches each, then calls `done`. */
export function shortenJournals(writer: Writer, log: Log, owners: readonly number[], done: () => void): void {
  for (const id of owners) writer.betweenBatches(() => shorten(writer, log, id));
  writer.betweenBatches(done);
}

function shorten(writer: Writer, log: Log, id: number): void {
  const { directory, owners } = writer.state;
  const db = id === 0 ? directory.db : owners.peek(id)?.db;
  if (db === undefined || db.inTransaction) return;
  try {
    truncateJournal(db, PATIENCE);
  } catch (error) {
    log.debug('journal not shortened', { owner: id, error: errorText(error) });
  } finally {
    db.run('PRAGMA busy_timeout = 5000');
  }
}

/** Folds the rest of a journal back and empties it; leaves it as it is when somebody is in the way for too long. */
export function truncateJournal(db: Database, patience: number): void {
  db.run(`PRAGMA busy_timeout = ${patience}`);
  db.query('PRAGMA wal_checkpoint(TRUNCATE)').get();
}
