/** Prepared statements of one database, kept for the life of its handle. */
import type { Database, Statement } from 'bun:sqlite';

export type SqlValue = string | number | null | Uint8Array;

/**
 * SQLite looks at the values of parameters that could matter for its plan, those of a statement with ORDER BY or LIMIT among
 * them, and for that prepares the statement anew whenever they are bound: ten times what reading a row costs. It does not
 * look behind a plus.
 */
const PARAMETER = /\?\d*/g;

export class Statements {
  private readonly prepared = new Map<string, Statement<unknown, SqlValue[]>>();

  constructor(private readonly db: Database) {}

  /** The statement of this text; texts are constants, so there are few. */
  get(text: string): Statement<unknown, SqlValue[]> {
    let statement = this.prepared.get(text);
    if (statement === undefined) {
      statement = this.db.prepare<unknown, SqlValue[]>(text.replace(PARAMETER, '+$&'));
      this.prepared.set(text, statement);
    }
    return statement;
  }

  /** Before the database is closed: an open statement would keep its memory and files. */
  finalize(): void {
    for (const statement of this.prepared.values()) statement.finalize();
    this.prepared.clear();
  }
}
