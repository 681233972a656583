/** Reading what can still be believed in a database that is damaged or whose owner is not known. */
import { Database } from 'bun:sqlite';
import { existsSync } from 'node:fs';
import type { SqlValue } from './statements.ts';
import { columnsOf, isIntact, OWNER_TABLES, type Tables } from './tables.ts';
import { formatOf, presentColumns } from './upgrade.ts';

function open(path: string): Database | null {
  if (!existsSync(path)) return null;
  try {
    const db = new Database(path, { readwrite: true, create: false });
    db.run('PRAGMA query_only = 1');
    return db;
  } catch {
    return null;
  }
}

/**
 * Rows of a table that are what was written, without their digest; as far as the table can be read. A column that the
 * database's format does not have is null.
 */
export function intactRows(path: string, tables: Tables, table: string): SqlValue[][] {
  const db = open(path);
  const out: SqlValue[][] = [];
  if (db === null) return out;
  try {
    // Format 1 had no digests; older formats lack columns, and their digests are of those they have.
    const old = formatOf(db) < 2;
    const all = columnsOf(tables, table);
    const columns = presentColumns(db, tables, table);
    const statement = db.prepare(`SELECT ${[...columns, ...old ? [] : ['digest']].join(', ')} FROM ${table}`);
    const complete = (values: readonly SqlValue[]): SqlValue[] =>
      columns.length === all.length
        ? [...values]
        : all.map((name) => columns.includes(name) ? values[columns.indexOf(name)] as SqlValue : null);
    try {
      for (const row of statement.iterate()) {
        const values = Object.values(row as Record<string, SqlValue>);
        if (old) out.push(complete(values));
        else if (isIntact(table, values)) out.push(complete(values.slice(0, -1)));
      }
    } finally {
      statement.finalize();
    }
  } catch {
    // The rest of the table cannot be read.
  } finally {
    db.close();
  }
  return out;
}

/** Whose index a file is, from the rows that are intact. */
export interface Identified {
  owner: number;
  userid: string;
  lsn: number;
  /** Partition of the first mailbox. */
  partition: string | null;
  /** Unix time of the first mailbox; 0 where there is none. */
  created: number;
  /** Highest of its mailboxes. */
  uidvalidity: number;
}

/** Null for a file that is no index, or whose state row is not intact. */
export function identify(path: string): Identified | null {
  const [state] = intactRows(path, OWNER_TABLES, 'state');
  if (state === undefined) return null;
  const [, , owner, userid, lsn] = state as [number, number, number, string, number];
  const found: Identified = { owner, userid, lsn, partition: null, created: 0, uidvalidity: 0 };
  const place = (name: (typeof OWNER_TABLES.mailbox)[number]) => OWNER_TABLES.mailbox.indexOf(name);
  for (const row of intactRows(path, OWNER_TABLES, 'mailbox')) {
    const created = row[place('created')] as number;
    if (found.partition === null || created < found.created) {
      found.created = created;
      found.partition = row[place('partition')] as string;
    }
    found.uidvalidity = Math.max(found.uidvalidity, row[place('uidvalidity')] as number);
  }
  return found;
}

/** Whether this is an index that nothing was ever committed to: its owner's making was rolled back, or a crash ended it. */
export function isUnused(path: string): boolean {
  const found = identify(path);
  if (found !== null) return found.lsn === 0;
  const db = open(path);
  if (db === null) return false;
  try {
    const [tables] = db.query(`SELECT count(*) FROM sqlite_schema WHERE name = 'state'`).values();
    if (tables?.[0] === 0) return true;
    const [rows] = db.query('SELECT count(*) FROM state').values();
    return rows?.[0] === 0;
  } catch {
    return false; // it is damaged
  } finally {
    db.close();
  }
}
