/** Opening SQLite files the way the store needs them. SQL lives in this folder only. */
import { constants, Database } from 'bun:sqlite';
import { closeSync, existsSync, openSync } from 'node:fs';
import { MailError, serverError } from '../../errors.ts';
import { Damage } from './damage.ts';
import { STORE_FORMAT } from './schema.ts';
import type { SqlValue } from './statements.ts';
import { columnsOf, DIRECTORY_TABLES, isIntact, OWNER_TABLES, selectText, type Tables } from './tables.ts';

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
  // The first reader after a crash may have to wait until another has recovered the journal.
  db.run('PRAGMA query_only = 1; PRAGMA busy_timeout = 2500');
  db.run('SELECT 1 FROM sqlite_schema; PRAGMA busy_timeout = 250');
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

/**
 * For readers, which cannot upgrade: the writer does that before anybody reads (writer/upgrade.ts). Returns the LSN the file is
 * at. Mostly the state row is what it should be, and one look at it is all.
 */
export function checkReadable(db: Database, path: string, tables: Tables): number {
  const columns = columnsOf(tables, 'state');
  const state = currentState(db, tables);
  if (state?.[columns.indexOf('format')] !== STORE_FORMAT || !isIntact('state', state)) {
    refuseUnreadable(db, path);
    return db.query('SELECT lsn FROM state').values()[0]?.[0] as number;
  }
  return state[columns.indexOf('lsn')] as number;
}

/** The state row with its digest; null where it cannot be read so, whatever the reason. */
function currentState(db: Database, tables: Tables): SqlValue[] | null {
  try {
    const rows = db.query(selectText(tables, 'state')).values() as SqlValue[][];
    return rows.length === 1 ? rows[0] ?? null : null;
  } catch {
    return null;
  }
}

/** Says what is wrong with a file whose state row is not the one of this program's format. */
function refuseUnreadable(db: Database, path: string): void {
  const format = checkFormat(db, path);
  if (format === null) throw new Damage(path, 'it has no state row');
  if (format < STORE_FORMAT) {
    throw serverError(
      `${path} has store format ${format}; "mailstore serve" brings it to ${STORE_FORMAT} when it starts`,
    );
  }
}

/**
 * Refuses a store written by a newer program (DESIGN rule 18). Returns the format, null where there is no state row yet. Throws
 * Damage for a number that nobody wrote.
 */
export function checkFormat(db: Database, path: string): number | null {
  const [row] = db.query('SELECT format FROM state').values();
  if (row === undefined) return null;
  const [format] = row;
  const known = stateColumns(db);
  const intact = known === null || known.every((state) => isIntact('state', state));
  if (typeof format !== 'number' || format < 1 || !intact || format < 2 && known !== null) {
    throw new Damage(path, 'its state row is not what was written');
  }
  if (format > STORE_FORMAT) {
    throw new MailError(
      'server',
      'config',
      `${path} has store format ${format}, this program knows up to ${STORE_FORMAT}: start the newer mailstore`,
    );
  }
  return format;
}

/** The state row with its digest, where it has the columns this program knows; null where it has others. */
function stateColumns(db: Database): SqlValue[][] | null {
  const names = db.query<{ name: string }, []>("SELECT name FROM pragma_table_info('state')").all()
    .map(({ name }) => name).join();
  for (const tables of [OWNER_TABLES, DIRECTORY_TABLES]) {
    if (names === [...tables.state, 'digest'].join()) {
      return db.query(selectText(tables, 'state')).values() as SqlValue[][];
    }
  }
  return null;
}
