/**
 * Bringing databases of older store formats to this one (DESIGN rule 18): done by the writer when it opens them, each in one
 * transaction, so that a crash leaves the old or the new.
 *
 * Format 2 gave every row a checksum, and parts what THREAD compares; the use of a quota root is not stored any more, and what is
 * unseen has no index but a UID below which there is none. Format 3 has Sieve scripts, marks and metadata.
 */
import type { Database } from 'bun:sqlite';
import { Damage } from './damage.ts';
import { EXPUNGED_CHK, MSG_CHK } from './digest.ts';
import { ANNOTATION_TABLE, MARK_TABLE, SCRIPT_TABLE, STORE_FORMAT } from './schema.ts';
import type { SqlValue } from './statements.ts';
import {
  columnsOf,
  COUNTED,
  type Counts,
  DIRECTORY_COUNTED,
  DIRECTORY_TABLES,
  isIntact,
  OWNER_TABLES,
  selectText,
  type Tables,
  withDigest,
} from './tables.ts';

/** The format a database says it has; that of this program where it has no rows yet. */
export function formatOf(db: Database): number {
  return db.query<{ format: number }, []>('SELECT format FROM state').get()?.format ?? STORE_FORMAT;
}

/** Upgrades an owner's index where it is older. */
export function upgradeOwner(db: Database): void {
  const format = formatOf(db);
  if (format >= STORE_FORMAT) return;
  inTransaction(db, () => {
    if (format < 2) ownerToFormat2(db);
    // It had another form before anything was ever written into it.
    db.run('DROP TABLE annotation');
    for (const table of [ANNOTATION_TABLE, SCRIPT_TABLE, MARK_TABLE]) db.run(table);
    if (format < 2) addDigests(db, OWNER_TABLES, COUNTED);
    db.run('UPDATE state SET format = ?', [STORE_FORMAT]);
    writeDigests(db, OWNER_TABLES, 'state');
  });
}

function ownerToFormat2(db: Database): void {
  // Of messages from before THREAD reads the files.
  db.run('ALTER TABLE part ADD COLUMN thread TEXT');
  db.run('ALTER TABLE msg ADD COLUMN chk INTEGER NOT NULL DEFAULT 0');
  db.run(`UPDATE msg SET chk = ${MSG_CHK}`);
  db.run('ALTER TABLE expunged ADD COLUMN chk INTEGER NOT NULL DEFAULT 0');
  db.run(`UPDATE expunged SET chk = ${EXPUNGED_CHK}`);
  db.run('ALTER TABLE quotaroot DROP COLUMN storage');
  db.run('ALTER TABLE quotaroot DROP COLUMN messages');
  db.run('DROP INDEX msg_unseen');
  db.run('ALTER TABLE mailbox ADD COLUMN seenbelow INTEGER NOT NULL DEFAULT 1');
  db.run(
    'UPDATE mailbox SET seenbelow = ' +
      'coalesce((SELECT min(uid) FROM msg WHERE msg.mailbox = mailbox.id AND (flags & 16) = 0), uidnext)',
  );
}

/** Upgrades directory.db where it is older. */
export function upgradeDirectory(db: Database): void {
  const format = formatOf(db);
  if (format >= STORE_FORMAT) return;
  inTransaction(db, () => {
    if (format < 2) {
      db.run('ALTER TABLE state ADD COLUMN ownersformat INTEGER NOT NULL DEFAULT 1');
      db.run('CREATE TABLE floor (owner INTEGER PRIMARY KEY, lsn INTEGER NOT NULL) STRICT');
    } else demandIntact(db, 'owner');
    db.run('ALTER TABLE owner ADD COLUMN script TEXT');
    if (format < 2) addDigests(db, DIRECTORY_TABLES, DIRECTORY_COUNTED);
    db.run('UPDATE state SET format = ?', [STORE_FORMAT]);
    for (const table of ['state', 'owner']) writeDigests(db, DIRECTORY_TABLES, table);
  });
}

/** Throws Damage unless all rows are what was written: under a new digest nobody could tell any more. */
function demandIntact(db: Database, table: string): void {
  const columns = presentColumns(db, DIRECTORY_TABLES, table);
  const rows = db.query(`SELECT ${columns.join(', ')}, digest FROM ${table}`).values() as SqlValue[][];
  const wrong = rows.find((row) => !isIntact(table, row));
  if (wrong !== undefined) throw new Damage(db.filename, `a row of ${table} (${wrong[0]})`);
}

/** The columns of a table, without its digest, that a database of whatever format has. */
export function presentColumns(db: Database, tables: Tables, table: string): string[] {
  const there = new Set(namesOf(db, table));
  return columnsOf(tables, table).filter((name) => there.has(name));
}

function inTransaction(db: Database, work: () => void): void {
  db.run('BEGIN IMMEDIATE');
  try {
    work();
    db.run('COMMIT');
  } catch (error) {
    if (db.inTransaction) db.run('ROLLBACK');
    throw error;
  }
}

function addDigests(db: Database, tables: Tables, counted: readonly string[]): void {
  const counts: Counts = {};
  for (const table of counted) {
    const rows = db.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? 0;
    if (rows > 0) counts[table] = rows;
  }
  db.run("ALTER TABLE state ADD COLUMN counts TEXT NOT NULL DEFAULT '{}'");
  db.run('UPDATE state SET counts = ?', [JSON.stringify(counts)]);
  for (const table of Object.keys(tables)) {
    if (namesOf(db, table).includes('digest')) continue;
    db.run(`ALTER TABLE ${table} ADD COLUMN digest INTEGER NOT NULL DEFAULT 0`);
    writeDigests(db, tables, table);
  }
}

/** Gives every row of a table the digest of what is in it. */
function writeDigests(db: Database, tables: Tables, table: string): void {
  const key = keyOf(db, table);
  const update = db.prepare(
    `UPDATE ${table} SET digest = ? WHERE ${key.map((name) => `${name} = ?`).join(' AND ')}`,
  );
  const columns = columnsOf(tables, table);
  const places = key.map((name) => columns.indexOf(name));
  // Read in pages of keys, not by one open cursor: the rows read are those that are written.
  const page = db.prepare<unknown, SqlValue[]>(
    selectText(tables, table, `ORDER BY ${key.join(', ')} LIMIT 1000 OFFSET ?`),
  );
  for (let offset = 0;; offset += 1000) {
    const rows = page.values(offset) as SqlValue[][];
    for (const row of rows) {
      const values = row.slice(0, -1);
      update.run(withDigest(table, values).at(-1) as number, ...places.map((at) => values[at] as SqlValue));
    }
    if (rows.length < 1000) break;
  }
  page.finalize();
  update.finalize();
}

function namesOf(db: Database, table: string): string[] {
  return db.query<{ name: string }, [string]>('SELECT name FROM pragma_table_info(?)').all(table)
    .map(({ name }) => name);
}

/** Columns of a table's primary key. */
function keyOf(db: Database, table: string): string[] {
  return db.query<{ name: string }, [string]>(
    'SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk',
  ).all(table).map(({ name }) => name);
}
