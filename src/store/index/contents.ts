/** A set of message contents too large for memory, in a file that is nobody else's and goes with it. */
import { Database, type Statement } from 'bun:sqlite';

/** Rows of one transaction. */
const BATCH = 5000;

const PAGE = 500;

export interface Content {
  readonly hash: string;
  readonly size: number;
}

export class Contents {
  private readonly db: Database;
  private readonly insert: Statement;
  private pending = 0;

  constructor(path: string) {
    this.db = new Database(path, { create: true, readwrite: true, strict: true });
    this.db.run('PRAGMA journal_mode = OFF');
    this.db.run('PRAGMA synchronous = OFF');
    this.db.run('CREATE TABLE content (hash TEXT PRIMARY KEY, size INTEGER NOT NULL) STRICT, WITHOUT ROWID');
    this.insert = this.db.prepare('INSERT OR IGNORE INTO content VALUES (?, ?)');
  }

  add({ hash, size }: Content): void {
    if (this.pending === 0) this.db.run('BEGIN');
    this.insert.run(hash, size);
    if (++this.pending === BATCH) this.settle();
  }

  private settle(): void {
    if (this.pending > 0) this.db.run('COMMIT');
    this.pending = 0;
  }

  has(hash: string): boolean {
    this.settle();
    return this.db.query('SELECT 1 FROM content WHERE hash = ?').get(hash) !== null;
  }

  /** All of them in order, in pages. */
  *pages(): IterableIterator<readonly Content[]> {
    this.settle();
    for (let after = '';;) {
      const page = this.db.query<Content, [string, number]>(
        'SELECT hash, size FROM content WHERE hash > ? ORDER BY hash LIMIT ?',
      ).all(after, PAGE);
      const last = page.at(-1);
      if (last === undefined) return;
      yield page;
      after = last.hash;
    }
  }

  close(): void {
    this.settle();
    this.insert.finalize();
    this.db.close();
  }
}
