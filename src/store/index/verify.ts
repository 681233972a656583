/** Checking a whole database against its rows' digests and counts (digest.ts). */
import type { Database } from 'bun:sqlite';
import { EXPUNGED_CHK, MSG_CHK } from './digest.ts';
import type { SqlValue } from './statements.ts';
import {
  COUNTED,
  type Counts,
  DIRECTORY_COUNTED,
  DIRECTORY_TABLES,
  isIntact,
  OWNER_TABLES,
  selectText,
  type Tables,
} from './tables.ts';

/** Rows of one table named at most; there may be millions. */
const NAMED = 20;

/** Hears of each row or table that is not as it was written. */
export type Found = (table: string, text: string) => void;

/** Checks an owner's index. The caller holds one read transaction over it. */
export function verifyOwner(db: Database, found: Found): void {
  verifyMessages(db, 'msg', MSG_CHK, found);
  verifyMessages(db, 'expunged', EXPUNGED_CHK, found);
  verifyTables(db, OWNER_TABLES, COUNTED, found);
}

/** Checks directory.db. The caller holds one read transaction over it. */
export function verifyDirectory(db: Database, found: Found): void {
  verifyTables(db, DIRECTORY_TABLES, DIRECTORY_COUNTED, found);
}

function verifyMessages(db: Database, table: string, chk: string, found: Found): void {
  // The index is not asked: the rows themselves are.
  const rows = db.query(
    `SELECT mailbox, uid FROM ${table} NOT INDEXED WHERE chk <> ${chk} ORDER BY mailbox, uid LIMIT ${NAMED}`,
  ).values() as [number, number][];
  for (const [mailbox, uid] of rows) found(table, `the row of UID ${uid} in mailbox ${mailbox} is damaged`);
}

function verifyTables(db: Database, tables: Tables, counted: readonly string[], found: Found): void {
  for (const table of Object.keys(tables)) {
    let wrong = 0;
    const statement = db.prepare(selectText(tables, table));
    try {
      for (const values of tuples(statement)) {
        if (isIntact(table, values)) continue;
        if (++wrong <= NAMED) found(table, `the row ${JSON.stringify(values[0])} is damaged`);
      }
    } finally {
      statement.finalize();
    }
  }
  const counts = countsOf(db, found);
  if (counts === null) return;
  for (const table of counted) {
    const there = db.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${table} NOT INDEXED`).get()?.n ?? 0;
    const wanted = counts[table] ?? 0;
    if (there !== wanted) found(table, `has ${there} rows instead of ${wanted}`);
  }
}

function countsOf(db: Database, found: Found): Counts | null {
  try {
    const state = db.query<{ counts: string }, []>('SELECT counts FROM state').get();
    if (state !== null) return JSON.parse(state.counts) as Counts;
    found('state', 'its row is missing');
  } catch {
    found('state', 'its row is damaged');
  }
  return null;
}

/** Rows as tuples, one at a time: a table may be larger than memory should be. */
function* tuples(statement: { iterate(): IterableIterator<unknown> }): IterableIterator<SqlValue[]> {
  for (const row of statement.iterate()) yield Object.values(row as Record<string, SqlValue>);
}
