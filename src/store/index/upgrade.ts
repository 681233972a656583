/**
 * Bringing databases of older store formats to this one (DESIGN rule 18): done by the writer when it opens them, each in one
 * transaction, so that a crash leaves the old or the new.
 *
 * Format 2 gave every row a checksum, and parts what THREAD compares; the use of a quota root is not stored any more, and what is
 * unseen has no index but a UID below which there is none.
 */
import type { Database } from 'bun:sqlite';
import { EXPUNGED_CHK, MSG_CHK } from './digest.ts';
import { STORE_FORMAT } from './schema.ts';
import type { SqlValue } from './statements.ts';
import {
  columnsOf,
  COUNTED,
  type Counts,
  DIRECTORY_COUNTED,
  DIRECTORY_TABLES,
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
  if (formatOf(db) >= STORE_FORMAT) return;
  inTransaction(db, () => {
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
    addDigests(db, OWNER_TABLES, COUNTED);
  });
}

/** Upgrades directory.db where it is older. */
export function upgradeDirectory(db: Database): void {
  if (formatOf(db) >= STORE_FORMAT) return;
  inTransaction(db, () => {
    db.run('ALTER TABLE state ADD COLUMN ownersformat INTEGER NOT NULL DEFAULT 1');
    db.run('CREATE TABLE floor (owner INTEGER PRIMARY KEY, lsn INTEGER NOT NULL) STRICT');
    addDigests(db, DIRECTORY_TABLES, DIRECTORY_COUNTED);
  });
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
  db.run('UPDATE state SET counts = ?, format = ?', [JSON.stringify(counts), STORE_FORMAT]);
  for (const table of Object.keys(tables)) {
    db.run(`ALTER TABLE ${table} ADD COLUMN digest INTEGER NOT NULL DEFAULT 0`);
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
}

/** Columns of a table's primary key. */
function keyOf(db: Database, table: string): string[] {
  return db.query<{ name: string }, [string]>(
    'SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk',
  ).all(table).map(({ name }) => name);
}
