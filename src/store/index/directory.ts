/**
 * directory.db as the writer holds it: owners, mailbox names and grants across owners, embedded secrets. Everything in it
 * but the secrets can be derived from the owners' indexes (DESIGN rule 8).
 *
 * Invariants
 * 1. An owner id is never given twice, also after the user is gone (DESIGN rule 3).
 * 2. `uidvalidity` is the highest value ever given to any mailbox; the next is larger of now and this plus one
 *    (DESIGN rule 13), so it never repeats for a name, whoever owned it.
 * 3. Rows are checked against their digests when they are read, so damage is never written again as if it were right.
 */
import type { Database } from 'bun:sqlite';
import type { DirectoryEvent } from '../log/events.ts';
import { checkFormat, openForWriting } from './database.ts';
import { IndexDamage } from './damage.ts';
import { digestOf } from './digest.ts';
import { DIRECTORY_SCHEMA, STORE_FORMAT } from './schema.ts';
import { type SqlValue, Statements } from './statements.ts';
import { type Counts, DIRECTORY_TABLES, insertText, isIntact, selectText, withDigest } from './tables.ts';
import { upgradeDirectory } from './upgrade.ts';

export interface OwnerRow {
  id: number;
  userid: string;
  /** Folder below the partition and below configdirectory/user, as names.ts made it. */
  folder: string;
  partition: string;
  created: number;
}

type OwnerValues = [number, string, string, string, number, number | null, string | null, number];

/** `state` in the order of its columns (tables.ts), then the digest. */
type StateRow = [1, number, number, number, number, number, number, string, number];

export class Directory {
  readonly db: Database;
  lsn = 0;
  start = 0;
  uidvalidity = 0;
  nextOwner = 1;
  /** Every owner's index has at least this format (upgrade.ts). */
  ownersFormat = STORE_FORMAT;
  private counts: Counts = {};
  private readonly byUserid = new Map<string, OwnerRow>();
  private readonly byId = new Map<number, OwnerRow>();
  private readonly statements: Statements;
  private open = false;

  /** @param fresh may be created: there is no store yet, or what was there is damaged and put aside */
  constructor(readonly path: string, fresh: boolean) {
    this.db = openForWriting(path, fresh ? DIRECTORY_SCHEMA : null);
    this.statements = new Statements(this.db);
    try {
      checkFormat(this.db, path);
      upgradeDirectory(this.db);
      if (fresh) {
        const state = [1, STORE_FORMAT, 0, 0, 0, 1, STORE_FORMAT, '{}'];
        this.db.run(insertText(DIRECTORY_TABLES, 'state', 'INSERT OR IGNORE'), withDigest('state', state));
      }
      this.load();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  private sql(text: string): ReturnType<Statements['get']> {
    return this.statements.get(text);
  }

  private load(): void {
    const [row] = this.intact('state', '');
    if (row === undefined) throw this.damaged('it has no state row');
    const [, , lsn, start, uidvalidity, nextOwner, ownersFormat, counts] = row as StateRow;
    this.lsn = lsn;
    this.start = start;
    this.uidvalidity = uidvalidity;
    this.nextOwner = nextOwner;
    this.ownersFormat = ownersFormat;
    this.counts = JSON.parse(counts) as Counts;
    this.byUserid.clear();
    this.byId.clear();
  }

  /** Rows, their columns followed by the digest. Throws 'corruption' for one that is not what was written. */
  private intact(
    table: keyof typeof DIRECTORY_TABLES,
    where: string,
    ...parameters: SqlValue[]
  ): SqlValue[][] {
    const rows = this.sql(selectText(DIRECTORY_TABLES, table, where)).values(...parameters) as SqlValue[][];
    for (const row of rows) if (!isIntact(table, row)) throw this.damaged(`a row of ${table} (${row[0]})`);
    return rows;
  }

  private damaged(what: string): IndexDamage {
    return new IndexDamage(0, this.path, what);
  }

  private insert(table: string, columns: readonly SqlValue[], verb?: 'INSERT OR IGNORE'): void {
    const { changes } = this.sql(insertText(DIRECTORY_TABLES, table, verb)).run(
      ...withDigest(table, columns),
    );
    this.counts[table] = (this.counts[table] ?? 0) + changes;
  }

  private remove(table: string, where: string, ...parameters: SqlValue[]): void {
    const { changes } = this.sql(`DELETE FROM ${table} WHERE ${where}`).run(...parameters);
    this.counts[table] = (this.counts[table] ?? 0) - changes;
  }

  private ownersWhere(where: string, ...parameters: SqlValue[]): (OwnerRow & { gone: number | null })[] {
    return this.intact('owner', where, ...parameters).map((values) => {
      const [id, userid, folder, partition, created, gone] = values as OwnerValues;
      return { id, userid, folder, partition, created, gone };
    });
  }

  /** The living owner with this userid, or null. */
  owner(userid: string): OwnerRow | null {
    const known = this.byUserid.get(userid);
    if (known !== undefined) return known;
    return this.remember(this.ownersWhere('WHERE userid = ? AND gone IS NULL', userid)[0]);
  }

  ownerById(id: number): OwnerRow | null {
    const known = this.byId.get(id);
    if (known !== undefined) return known;
    return this.remember(this.ownersWhere('WHERE id = ? AND gone IS NULL', id)[0]);
  }

  /** The owner with this id, also when it is gone. */
  anyOwner(id: number): OwnerRow | null {
    return this.ownersWhere('WHERE id = ?', id)[0] ?? null;
  }

  private remember(row: OwnerRow | undefined): OwnerRow | null {
    if (row === undefined) return null;
    if (this.byId.size > 100_000) {
      this.byId.clear();
      this.byUserid.clear();
    }
    this.byId.set(row.id, row);
    this.byUserid.set(row.userid, row);
    return row;
  }

  owners(): OwnerRow[] {
    return this.ownersWhere('WHERE gone IS NULL ORDER BY userid');
  }

  /** Ids of the owners above `after` up to `last` who have a mailbox with a special use. */
  ownersWith(use: string, after: number, last: number): number[] {
    return this.sql(
      'SELECT DISTINCT owner FROM mailbox WHERE owner > ? AND owner <= ? AND instr(specialuse, ?) > 0',
    ).values(after, last, JSON.stringify(use)).map(([owner]) => owner as number);
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
        this.remove('owner', 'id = ?', event.id);
        this.insert('owner', [
          event.id,
          event.userid,
          event.folder,
          event.partition,
          event.created,
          null,
          null,
        ]);
        if (event.id >= this.nextOwner) this.nextOwner = event.id + 1;
        return;
      case 'ownergone': {
        const row = this.anyOwner(event.id);
        if (row !== null) {
          const { id, userid, folder, partition, created } = row;
          this.byId.delete(id);
          this.byUserid.delete(userid);
          this.remove('owner', 'id = ?', id);
          this.insert('owner', [id, userid, folder, partition, created, event.at, null]);
        }
        this.remove('mailbox', 'owner = ?', event.id);
        this.remove('grantee', 'owner = ?', event.id);
        this.remove('floor', 'owner = ?', event.id);
        return;
      }
      case 'mb':
        this.remove('mailbox', 'owner = ? AND id = ?', event.o, event.m);
        this.insert('mailbox', [
          event.o,
          event.m,
          event.path,
          event.mailboxid,
          JSON.stringify(event.specialUse),
          JSON.stringify(event.acl),
          event.uidvalidity,
        ]);
        this.remove('grantee', 'owner = ? AND mailbox = ?', event.o, event.m);
        for (const { identifier } of event.acl) {
          this.insert('grantee', [identifier, event.o, event.m], 'INSERT OR IGNORE');
        }
        if (event.uidvalidity > this.uidvalidity) this.uidvalidity = event.uidvalidity;
        return;
      case 'mbgone':
        this.remove('mailbox', 'owner = ? AND id = ?', event.o, event.m);
        this.remove('grantee', 'owner = ? AND mailbox = ?', event.o, event.m);
        return;
      case 'script': {
        const [row] = this.intact('owner', 'WHERE id = ?', event.o);
        if (row === undefined) return;
        const [id, userid, folder, partition, created, gone] = row as OwnerValues;
        this.remove('owner', 'id = ?', id);
        this.insert('owner', [id, userid, folder, partition, created, gone, event.hash]);
        return;
      }
      case 'secret':
        this.remove('secret', 'userid = ?', event.userid);
        if (event.secret !== null) this.insert('secret', [event.userid, event.secret, event.at]);
        return;
    }
  }

  /** The stored secret of a user, or null. */
  secret(userid: string): string | null {
    return (this.intact('secret', 'WHERE userid = ?', userid)[0]?.[1] as string | undefined) ?? null;
  }

  /** The LSN that a checkpoint vouched for: the owner's index has at least that, or it is damaged. */
  floor(owner: number): number {
    return (this.intact('floor', 'WHERE owner = ?', owner)[0]?.[1] as number | undefined) ?? 0;
  }

  /** Forgets what is listed of an owner, inside the open transaction: it is listed anew. */
  forgetMailboxes(owner: number): void {
    this.remove('mailbox', 'owner = ?', owner);
    this.remove('grantee', 'owner = ?', owner);
  }

  /** Remembers what a checkpoint vouches for, in a transaction of its own. Not logged: it says nothing new. */
  raiseFloors(floors: ReadonlyMap<number, number>): void {
    this.begin();
    for (const [owner, lsn] of floors) {
      if (this.ownerById(owner) === null) continue;
      this.remove('floor', 'owner = ?', owner);
      this.insert('floor', [owner, lsn]);
    }
    this.commit();
  }

  /** After a restore, inside the open transaction: the indexes are those that were saved. */
  forgetFloors(): void {
    this.remove('floor', 'true');
  }

  /** Sets the LSN that the open transaction brings the directory to. */
  applied(lsn: number): void {
    this.lsn = lsn;
  }

  commit(): void {
    if (!this.open) return;
    const counts = JSON.stringify(this.counts);
    const { lsn, start, uidvalidity, nextOwner, ownersFormat } = this;
    const digest = digestOf('state', [
      1,
      STORE_FORMAT,
      lsn,
      start,
      uidvalidity,
      nextOwner,
      ownersFormat,
      counts,
    ]);
    this.sql(
      'UPDATE state SET lsn = ?, start = ?, uidvalidity = ?, nextowner = ?, ownersformat = ?, counts = ?, digest = ?',
    ).run(lsn, start, uidvalidity, nextOwner, ownersFormat, counts, digest);
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
