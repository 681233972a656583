/**
 * directory.db as the writer holds it: owners, mailbox names and grants across owners, embedded secrets. Everything in it
 * but the secrets can be derived from the owners' indexes (DESIGN rule 8).
 *
 * Invariants
 * 1. An owner id is never given twice, also after the user is gone (DESIGN rule 3).
 * 2. `uidvalidity` is the highest value ever given to any mailbox; the next is larger of now and this plus one
 *    (DESIGN rule 13), so it never repeats for a name, whoever owned it.
 */
import type { Database } from 'bun:sqlite';
import type { DirectoryEvent } from '../log/events.ts';
import { checkFormat, openForWriting } from './database.ts';
import { DIRECTORY_SCHEMA, STORE_FORMAT } from './schema.ts';
import { Statements } from './statements.ts';

export interface OwnerRow {
  id: number;
  userid: string;
  /** Folder below the partition and below configdirectory/user, as names.ts made it. */
  folder: string;
  partition: string;
  created: number;
}

export class Directory {
  readonly db: Database;
  lsn = 0;
  start = 0;
  uidvalidity = 0;
  nextOwner = 1;
  private readonly byUserid = new Map<string, OwnerRow>();
  private readonly byId = new Map<number, OwnerRow>();
  private readonly statements: Statements;
  private open = false;

  constructor(readonly path: string) {
    this.db = openForWriting(path, DIRECTORY_SCHEMA);
    this.statements = new Statements(this.db);
    checkFormat(this.db, path);
    this.db.run('INSERT OR IGNORE INTO state VALUES (1, ?, 0, 0, 0, 1)', [STORE_FORMAT]);
    this.load();
  }

  private sql(text: string): ReturnType<Statements['get']> {
    return this.statements.get(text);
  }

  private load(): void {
    const state = this.db.query<
      { lsn: number; start: number; uidvalidity: number; nextowner: number },
      []
    >('SELECT * FROM state').get();
    if (state !== null) {
      this.lsn = state.lsn;
      this.start = state.start;
      this.uidvalidity = state.uidvalidity;
      this.nextOwner = state.nextowner;
    }
    this.byUserid.clear();
    this.byId.clear();
  }

  /** The living owner with this userid, or null. */
  owner(userid: string): OwnerRow | null {
    const known = this.byUserid.get(userid);
    if (known !== undefined) return known;
    const row = this.sql('SELECT * FROM owner WHERE userid = ? AND gone IS NULL').get(userid) as
      | OwnerRow
      | null;
    if (row !== null) this.remember(row);
    return row;
  }

  ownerById(id: number): OwnerRow | null {
    const known = this.byId.get(id);
    if (known !== undefined) return known;
    const row = this.sql('SELECT * FROM owner WHERE id = ? AND gone IS NULL').get(id) as OwnerRow | null;
    if (row !== null) this.remember(row);
    return row;
  }

  /** The owner with this id, also when it is gone. */
  anyOwner(id: number): OwnerRow | null {
    return this.sql('SELECT * FROM owner WHERE id = ?').get(id) as OwnerRow | null;
  }

  private remember(row: OwnerRow): void {
    if (this.byId.size > 100_000) {
      this.byId.clear();
      this.byUserid.clear();
    }
    this.byId.set(row.id, row);
    this.byUserid.set(row.userid, row);
  }

  owners(): OwnerRow[] {
    return this.sql('SELECT * FROM owner WHERE gone IS NULL ORDER BY userid').all() as OwnerRow[];
  }

  begin(): void {
    if (this.open) return;
    this.sql('BEGIN IMMEDIATE').run();
    this.open = true;
  }

  get inTransaction(): boolean {
    return this.open;
  }

  /** Applies one event inside the open transaction. */
  apply(event: DirectoryEvent): void {
    switch (event.k) {
      case 'owner':
        this.sql('INSERT OR REPLACE INTO owner VALUES (?, ?, ?, ?, ?, NULL)').run(
          event.id,
          event.userid,
          event.folder,
          event.partition,
          event.created,
        );
        if (event.id >= this.nextOwner) this.nextOwner = event.id + 1;
        return;
      case 'ownergone': {
        const row = this.ownerById(event.id);
        if (row !== null) {
          this.byId.delete(row.id);
          this.byUserid.delete(row.userid);
        }
        this.sql('UPDATE owner SET gone = ? WHERE id = ?').run(event.at, event.id);
        this.sql('DELETE FROM mailbox WHERE owner = ?').run(event.id);
        this.sql('DELETE FROM grantee WHERE owner = ?').run(event.id);
        return;
      }
      case 'mb':
        this.sql('INSERT OR REPLACE INTO mailbox VALUES (?, ?, ?, ?, ?, ?, ?)').run(
          event.o,
          event.m,
          event.path,
          event.mailboxid,
          JSON.stringify(event.specialUse),
          JSON.stringify(event.acl),
          event.uidvalidity,
        );
        this.sql('DELETE FROM grantee WHERE owner = ? AND mailbox = ?').run(event.o, event.m);
        for (const { identifier } of event.acl) {
          this.sql('INSERT OR IGNORE INTO grantee VALUES (?, ?, ?)').run(identifier, event.o, event.m);
        }
        if (event.uidvalidity > this.uidvalidity) this.uidvalidity = event.uidvalidity;
        return;
      case 'mbgone':
        this.sql('DELETE FROM mailbox WHERE owner = ? AND id = ?').run(event.o, event.m);
        this.sql('DELETE FROM grantee WHERE owner = ? AND mailbox = ?').run(event.o, event.m);
        return;
      case 'secret':
        if (event.secret === null) this.sql('DELETE FROM secret WHERE userid = ?').run(event.userid);
        else {
          this.sql('INSERT OR REPLACE INTO secret VALUES (?, ?, ?)').run(
            event.userid,
            event.secret,
            event.at,
          );
        }
        return;
    }
  }

  /** Sets the LSN that the open transaction brings the directory to. */
  applied(lsn: number): void {
    this.lsn = lsn;
  }

  commit(): void {
    if (!this.open) return;
    this.sql('UPDATE state SET lsn = ?, start = ?, uidvalidity = ?, nextowner = ?').run(
      this.lsn,
      this.start,
      this.uidvalidity,
      this.nextOwner,
    );
    this.sql('COMMIT').run();
    this.open = false;
  }

  rollback(): void {
    if (this.open) {
      if (this.db.inTransaction) this.db.run('ROLLBACK');
      this.open = false;
    }
    this.load();
  }

  close(): void {
    this.statements.finalize();
    this.db.close();
  }
}
