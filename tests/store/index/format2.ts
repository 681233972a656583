/** A store of format 2, made from one of today: without scripts, marks and metadata. */
import { Database } from 'bun:sqlite';
import { digestOf } from '../../../src/store/index/digest.ts';
import type { SqlValue } from '../../../src/store/index/statements.ts';
import { DIRECTORY_TABLES, OWNER_TABLES } from '../../../src/store/index/tables.ts';

const ANNOTATION =
  `CREATE TABLE annotation (mailbox INTEGER NOT NULL, uid INTEGER NOT NULL, entry TEXT NOT NULL,
  userid TEXT NOT NULL, value TEXT NOT NULL, modseq INTEGER NOT NULL, digest INTEGER NOT NULL,
  PRIMARY KEY (mailbox, uid, entry, userid)) STRICT, WITHOUT ROWID`;

/** Turns a closed database into one of format 2. */
export function toFormat2(path: string, kind: 'owner' | 'directory'): void {
  const db = new Database(path, { readwrite: true, create: false });
  db.run('UPDATE state SET format = 2');
  if (kind === 'owner') {
    for (const table of ['script', 'mark', 'annotation']) db.run(`DROP TABLE ${table}`);
    db.run(ANNOTATION);
    seal(db, 'state', OWNER_TABLES.state);
  } else {
    db.run('UPDATE state SET ownersformat = 2');
    db.run('ALTER TABLE owner DROP COLUMN script');
    seal(db, 'state', DIRECTORY_TABLES.state);
    seal(db, 'owner', DIRECTORY_TABLES.owner.filter((name) => name !== 'script'));
  }
  db.run('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
}

function seal(db: Database, table: string, columns: readonly string[]): void {
  for (const row of db.query(`SELECT ${columns.join(', ')} FROM ${table}`).values() as SqlValue[][]) {
    db.run(`UPDATE ${table} SET digest = ? WHERE id = ?`, [digestOf(table, row), row[0] as SqlValue]);
  }
}
