/**
 * An owner's index as the writer holds it: the open database, its one transaction, and the rows of its mailboxes in memory.
 *
 * Invariants
 * 1. Rows in memory equal the database inside the open transaction once `flush` has run; after `rollback` they are
 *    loaded again.
 * 2. The applied LSN is written in the same transaction as what it stands for (DESIGN rule 3).
 * 3. A quota root's use is the sum over its mailboxes, changed together with their counters (promise 4).
 * 4. An index that failed after its record was logged is closed until it has been applied again (DESIGN rule 4).
 */
import type { Database } from 'bun:sqlite';
import { serverError } from '../../errors.ts';
import { checkFormat, openForWriting } from './database.ts';
import {
  MAILBOX_COLUMNS,
  type MailboxColumns,
  mailboxFromColumns,
  type MailboxRow,
  type QuotaRow,
} from './rows.ts';
import { OWNER_SCHEMA, STORE_FORMAT } from './schema.ts';
import { Statements } from './statements.ts';

interface StateColumns {
  owner: number;
  userid: string;
  lsn: number;
  modseq: number;
  nextmailbox: number;
  nextpart: number;
}

export class OwnerIndex {
  readonly db: Database;
  readonly id: number;
  readonly userid: string;
  lsn = 0;
  /** Highest modseq given to any mailbox of the owner. */
  modseq = 0;
  nextMailbox = 1;
  nextPart = 1;
  readonly mailboxes = new Map<number, MailboxRow>();
  readonly byPath = new Map<string, MailboxRow>();
  readonly quotas = new Map<string, QuotaRow>();
  private readonly statements: Statements;
  private readonly dirtyMailboxes = new Set<MailboxRow>();
  private quotaDirty = false;
  private stateDirty = false;
  private open = false;

  /** Opens or creates the index of an owner. */
  constructor(readonly path: string, owner: { id: number; userid: string }) {
    this.db = openForWriting(path, OWNER_SCHEMA);
    this.statements = new Statements(this.db);
    checkFormat(this.db, path);
    this.id = owner.id;
    this.userid = owner.userid;
    this.db.run('INSERT OR IGNORE INTO state VALUES (1, ?, ?, ?, 0, 0, 1, 1)', [
      STORE_FORMAT,
      owner.id,
      owner.userid,
    ]);
    this.load();
  }

  /** True while a transaction is open, that is, since the first change of the running batch. */
  get inTransaction(): boolean {
    return this.open;
  }

  /** A prepared statement, kept for the life of the handle. */
  sql(text: string): ReturnType<Statements['get']> {
    return this.statements.get(text);
  }

  private load(): void {
    const state = this.db.query<StateColumns, []>('SELECT * FROM state').get();
    if (state === null) throw serverError(`${this.path} has no state row; run "mailstore check"`);
    if (state.owner !== this.id) {
      throw serverError(
        `${this.path} belongs to owner ${state.owner} (${state.userid}), not ${this.id} (${this.userid})`,
      );
    }
    this.lsn = state.lsn;
    this.modseq = state.modseq;
    this.nextMailbox = state.nextmailbox;
    this.nextPart = state.nextpart;
    this.mailboxes.clear();
    this.byPath.clear();
    this.quotas.clear();
    for (
      const columns of this.db.query<MailboxColumns, []>(`SELECT ${MAILBOX_COLUMNS} FROM mailbox`).iterate()
    ) {
      const row = mailboxFromColumns(columns);
      this.mailboxes.set(row.id, row);
      if (row.deletedat === null) this.byPath.set(row.path, row);
    }
    const quotas = this.db.query<
      {
        path: string;
        storagelimit: number | null;
        messagelimit: number | null;
        storage: number;
        messages: number;
      },
      []
    >('SELECT * FROM quotaroot').all();
    for (const { path, storagelimit, messagelimit, storage, messages } of quotas) {
      this.quotas.set(path, {
        path,
        storageLimit: storagelimit,
        messageLimit: messagelimit,
        storage,
        messages,
      });
    }
    this.dirtyMailboxes.clear();
    this.quotaDirty = false;
    this.stateDirty = false;
  }

  begin(): void {
    if (this.open) return;
    this.sql('BEGIN IMMEDIATE').run();
    this.open = true;
  }

  /** Notes that a mailbox's counters or columns changed; written by the next `flush`. */
  touch(row: MailboxRow): void {
    this.dirtyMailboxes.add(row);
  }

  /** Adds to a mailbox's counters and to those of its quota root (invariant 3). */
  count(row: MailboxRow, delta: { messages: number; size: number; unseen: number; deleted: number }): void {
    row.messages += delta.messages;
    row.size += delta.size;
    row.unseen += delta.unseen;
    row.deleted += delta.deleted;
    this.dirtyMailboxes.add(row);
    if (row.quotaroot !== null) this.countQuota(row.quotaroot, delta.messages, delta.size);
  }

  countQuota(path: string, messages: number, size: number): void {
    const quota = this.quotas.get(path);
    if (quota === undefined) return;
    quota.messages += messages;
    quota.storage += size;
    this.quotaDirty = true;
  }

  touchQuotas(): void {
    this.quotaDirty = true;
  }

  /** Sets the LSN that this transaction brings the index to. */
  applied(lsn: number): void {
    this.lsn = lsn;
    this.stateDirty = true;
  }

  /** The modseq for the next change; becomes the mailbox's highestmodseq when the change is applied. */
  nextModseq(): number {
    return this.modseq + 1;
  }

  /** Raises the owner's and the mailbox's modseq to that of an applied event. */
  raiseModseq(row: MailboxRow | null, modseq: number): void {
    if (modseq > this.modseq) this.modseq = modseq;
    if (row !== null && modseq > row.highestmodseq) {
      row.highestmodseq = modseq;
      this.dirtyMailboxes.add(row);
    }
    this.stateDirty = true;
  }

  /** Writes the rows that changed into the open transaction. */
  flush(): void {
    for (const row of this.dirtyMailboxes) {
      this.sql(
        'UPDATE mailbox SET path = ?2, uidnext = ?3, highestmodseq = ?4, messages = ?5, unseen = ?6, deleted = ?7, ' +
          'size = ?8, recentuid = ?9, specialuse = ?10, acl = ?11, quotaroot = ?12, keywords = ?13, deletedat = ?14 ' +
          'WHERE id = ?1',
      ).run(
        row.id,
        row.path,
        row.uidnext,
        row.highestmodseq,
        row.messages,
        row.unseen,
        row.deleted,
        row.size,
        row.recentuid,
        JSON.stringify(row.specialUse),
        JSON.stringify(row.acl),
        row.quotaroot,
        JSON.stringify(row.keywords),
        row.deletedat,
      );
    }
    this.dirtyMailboxes.clear();
    if (this.quotaDirty) {
      this.sql('DELETE FROM quotaroot').run();
      for (const quota of this.quotas.values()) {
        this.sql('INSERT INTO quotaroot VALUES (?, ?, ?, ?, ?)').run(
          quota.path,
          quota.storageLimit,
          quota.messageLimit,
          quota.storage,
          quota.messages,
        );
      }
      this.quotaDirty = false;
    }
    if (this.stateDirty) {
      this.sql('UPDATE state SET lsn = ?, modseq = ?, nextmailbox = ?, nextpart = ?').run(
        this.lsn,
        this.modseq,
        this.nextMailbox,
        this.nextPart,
      );
      this.stateDirty = false;
    }
  }

  commit(): void {
    if (!this.open) return;
    this.flush();
    this.sql('COMMIT').run();
    this.open = false;
  }

  /** Throws the transaction away and loads the rows as they were before it. */
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
