/** A copy of an owner's index or of directory.db, as backup and restore read it: nobody else has it open. */
import { Database } from 'bun:sqlite';
import { MailError } from '../../errors.ts';
import { checkFormat } from './database.ts';
import type { OwnerRow } from './directory.ts';

/** One stored message body an index names. */
export interface CopiedPart {
  readonly id: number;
  readonly hash: string;
  readonly file: string;
  readonly partition: string;
  readonly size: number;
}

/** Rows read at a time; no statement stays open over an await (DESIGN rule 15). */
const PAGE = 500;

export class CopiedDatabase {
  readonly db: Database;

  constructor(readonly path: string) {
    // An immutable file needs neither journal nor lock, whatever mode it was made in.
    this.db = new Database(path, { readwrite: true, create: false, strict: true });
    this.db.run('PRAGMA query_only = 1');
    checkFormat(this.db, path);
  }

  /** Throws 'corruption' unless SQLite finds the file whole. */
  verify(): void {
    const found = this.db.query<{ integrity_check: string }, []>('PRAGMA integrity_check(1)').get();
    if (found?.integrity_check !== 'ok') {
      throw new MailError(
        'server',
        'corruption',
        `${this.path} is damaged: ${found?.integrity_check ?? '?'}`,
      );
    }
  }

  get lsn(): number {
    return this.db.query<{ lsn: number }, []>('SELECT lsn FROM state').get()?.lsn ?? 0;
  }

  /** Parts with ids from here on are not in it. */
  get nextPart(): number {
    return this.db.query<{ nextpart: number }, []>('SELECT nextpart FROM state').get()?.nextpart ?? 1;
  }

  /** Living owners of a directory. */
  owners(): OwnerRow[] {
    return this.db.query<OwnerRow, []>('SELECT * FROM owner WHERE gone IS NULL ORDER BY id').all();
  }

  /** Number of passwords in a directory. */
  get secrets(): number {
    return this.db.query<{ n: number }, []>('SELECT count(*) AS n FROM secret').get()?.n ?? 0;
  }

  /** Living messages of an index. */
  get messages(): number {
    return this.db.query<{ n: number }, []>('SELECT count(*) AS n FROM msg').get()?.n ?? 0;
  }

  /** The parts of an index from an id on, in pages. */
  *parts(from: number): IterableIterator<readonly CopiedPart[]> {
    for (let next = from;;) {
      const page = this.db.query<CopiedPart, [number, number]>(
        'SELECT id, hash, file, partition, size FROM part WHERE id >= ? ORDER BY id LIMIT ?',
      ).all(next, PAGE);
      const last = page.at(-1);
      if (last === undefined) return;
      yield page;
      next = last.id + 1;
    }
  }

  close(): void {
    this.db.close();
  }
}
