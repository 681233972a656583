/** Opening SQLite files the way the store needs them. SQL lives in this folder only. */
import { constants, Database } from 'bun:sqlite';
import { closeSync, existsSync, openSync } from 'node:fs';
import { MailError, serverError } from '../../errors.ts';
import { STORE_FORMAT } from './schema.ts';

/**
 * Opens a database for the writer. Only with `schema` may it be empty or not there: one that lost its contents must not pass
 * for a new one. WAL and synchronous=NORMAL: the
 * newest transactions may be lost with the power, the redo log brings them back. Checkpoints are the janitor's
 * (DESIGN rule 16).
 */
export function openForWriting(path: string, schema: string | null): Database {
  // Made first, so that the journal gets these permissions as well (DESIGN rule 18).
  if (schema !== null) closeSync(openSync(path, 'a', 0o600));
  const db = new Database(path, { create: schema !== null, readwrite: true, strict: true });
  try {
    db.fileControl(constants.SQLITE_FCNTL_PERSIST_WAL, 1);
    db.run('PRAGMA journal_mode = WAL');
    db.run('PRAGMA synchronous = NORMAL');
    db.run('PRAGMA wal_autocheckpoint = 0');
    db.run('PRAGMA busy_timeout = 5000');
    db.run('PRAGMA temp_store = MEMORY');
    if (schema !== null && db.query("SELECT 1 FROM sqlite_schema WHERE name = 'state'").get() === null) {
      db.transaction(() => db.run(schema)).immediate();
    }
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/**
 * Opens a database for reading. The connection must be able to write the -shm file, so it is not SQLITE_OPEN_READONLY
 * (a WAL left by a crash could not be read then) but `query_only`.
 */
export function openForReading(path: string): Database {
  if (!existsSync(path)) throw serverError(`${path} is missing; run "mailstore check"`);
  const db = new Database(path, { readwrite: true, create: false, strict: true });
  db.fileControl(constants.SQLITE_FCNTL_PERSIST_WAL, 1);
  db.run('PRAGMA query_only = 1');
  // The first reader after a crash may have to wait until another has recovered the journal.
  db.run('PRAGMA busy_timeout = 2500');
  db.query('SELECT 1 FROM sqlite_schema').get();
  db.run('PRAGMA busy_timeout = 250');
  return db;
}

/** The id of the owner an index belongs to; null where the file holds no index. */
export function ownerOfIndex(path: string): number | null {
  let db: Database | null = null;
  try {
    db = openForReading(path);
    return db.query<{ owner: number }, []>('SELECT owner FROM state').get()?.owner ?? null;
  } catch {
    return null;
  } finally {
    db?.close();
  }
}

/** For readers, which cannot upgrade: the writer does that before anybody reads (writer/upgrade.ts). */
export function checkReadable(db: Database, path: string): void {
  checkFormat(db, path);
  const row = db.query<{ format: number }, []>('SELECT format FROM state').get();
  if (row !== null && row.format < STORE_FORMAT) {
    throw serverError(
      `${path} has store format ${row.format}; "mailstore serve" brings it to ${STORE_FORMAT} when it starts`,
    );
  }
}

/** Refuses a store written by a newer program (DESIGN rule 18). */
export function checkFormat(db: Database, path: string): void {
  const row = db.query<{ format: number }, []>('SELECT format FROM state').get();
  if (row !== null && row.format > STORE_FORMAT) {
    throw new MailError(
      'server',
      'config',
      `${path} has store format ${row.format}, this program knows up to ${STORE_FORMAT}: start the newer mailstore`,
    );
  }
}
