/**
 * An owner's index as the writer holds it: the open database, its one transaction, and the rows of its mailboxes in memory.
 *
 * Invariants
 * 1. Rows in memory equal the database inside the open transaction once `flush` has run; after `rollback` they are
 *    loaded again.
 * 2. The applied LSN is written in the same transaction as what it stands for (DESIGN rule 3).
 * 3. A quota root's use is the sum over its mailboxes: in memory, changed together with their counters (promise 4).
 * 4. Rows are checked against their digests when they are read, so damage is never written again as if it were right.
 * 5. An index that failed after its record was logged is closed until it has been applied again (DESIGN rule 4).
 */
import type { Database } from 'bun:sqlite';
import type { UidSet } from '../uidset.ts';
import { checkFormat, openForWriting } from './database.ts';
import { IndexDamage } from './damage.ts';
import { digestOf, MSG_CHK } from './digest.ts';
import {
  mailboxFromValues,
  type MailboxRow,
  mailboxValues,
  quotaFromValues,
  type QuotaRow,
  type SeenRow,
} from './rows.ts';
import { OWNER_SCHEMA, STORE_FORMAT } from './schema.ts';
import { type SqlValue, Statements } from './statements.ts';
import {
  type COUNTED,
  type Counts,
  insertText,
  isIntact,
  OWNER_TABLES,
  selectText,
  withDigest,
} from './tables.ts';
import { upgradeOwner } from './upgrade.ts';

/** `state` in the order of its columns (tables.ts), then the digest. */
type StateRow = [1, number, number, string, number, number, number, number, string, number];

/**
 * All but `path` and `deletedat`, which the events that change them write: to name them here would write the page of the index
 * over them with every message (apply.ts).
 */
const UPDATE_MAILBOX =
  'UPDATE mailbox SET uidnext = ?5, highestmodseq = ?6, messages = ?7, unseen = ?8, deleted = ?9, ' +
  'size = ?10, recentuid = ?11, specialuse = ?12, acl = ?13, quotaroot = ?14, keywords = ?16, ' +
  'seenbelow = ?19, digest = ?20 WHERE id = ?1';

const INSERTS = new Map<string, string>();

/** The INSERT of a table, made once. */
function insertOf(table: string, verb: 'INSERT' | 'INSERT OR IGNORE'): string {
  const key = `${verb} ${table}`;
  let text = INSERTS.get(key);
  if (text === undefined) INSERTS.set(key, text = insertText(OWNER_TABLES, table, verb));
  return text;
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
  private counts: Counts = {};
  private readonly statements: Statements;
  private readonly dirtyMailboxes = new Set<MailboxRow>();
  private quotaDirty = false;
  private stateDirty = false;
  private open = false;

  /**
   * Opens the index of an owner.
   * @param fresh creates it where it is not there
   */
  constructor(readonly path: string, owner: { id: number; userid: string }, fresh: boolean) {
    this.db = openForWriting(path, fresh ? OWNER_SCHEMA : null);
    this.statements = new Statements(this.db);
    this.id = owner.id;
    this.userid = owner.userid;
    try {
      checkFormat(this.db, path);
      upgradeOwner(this.db);
      if (fresh) {
        const state = [1, STORE_FORMAT, owner.id, owner.userid, 0, 0, 1, 1, '{}'];
        this.db.run(insertText(OWNER_TABLES, 'state', 'INSERT OR IGNORE'), withDigest('state', state));
      }
      this.load();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** True while a transaction is open, that is, since the first change of the running batch. */
  get inTransaction(): boolean {
    return this.open;
  }

  /** A prepared statement, kept for the life of the handle. */
  sql(text: string): ReturnType<Statements['get']> {
    return this.statements.get(text);
  }

  /** Inserts a row of a table that has digests. */
  insert(table: string, columns: readonly SqlValue[], verb: 'INSERT' | 'INSERT OR IGNORE' = 'INSERT'): void {
    const { changes } = this.sql(insertOf(table, verb)).run(...withDigest(table, columns));
    this.tally(table, changes);
  }

  /** Removes rows of a table that is counted. */
  remove(table: string, where: string, ...parameters: SqlValue[]): void {
    this.tally(table, -this.sql(`DELETE FROM ${table} WHERE ${where}`).run(...parameters).changes);
  }

  /** Notes that a counted table has so many rows more. */
  tally(table: string, rows: number): void {
    if (rows === 0) return;
    this.counts[table] = (this.counts[table] ?? 0) + rows;
    this.stateDirty = true;
  }

  /** How many rows a counted table has. */
  rows(table: (typeof COUNTED)[number]): number {
    return this.counts[table] ?? 0;
  }

  /** What another user has seen of a mailbox, or null. */
  seen(mailbox: number, userid: string): SeenRow | null {
    const [row] = this.intact('seen', 'WHERE mailbox = ? AND userid = ?', mailbox, userid);
    if (row === undefined) return null;
    const [, , uids, recentuid, modseq] = row as [number, string, string, number, number, number];
    return { uids, recentuid, modseq };
  }

  /** Changes what another user has seen. */
  putSeen(mailbox: number, userid: string, change: (row: SeenRow) => SeenRow): void {
    const found = this.seen(mailbox, userid);
    const { uids, recentuid, modseq } = change(found ?? { uids: '', recentuid: 0, modseq: 0 });
    if (found !== null) this.remove('seen', 'mailbox = ? AND userid = ?', mailbox, userid);
    this.insert('seen', [mailbox, userid, uids, recentuid, modseq]);
  }

  /** Rows, their columns followed by the digest. Throws 'corruption' for one that is not what was written. */
  intact(table: keyof typeof OWNER_TABLES, where: string, ...parameters: SqlValue[]): SqlValue[][] {
    const rows = this.sql(selectText(OWNER_TABLES, table, where)).values(...parameters) as SqlValue[][];
    for (const row of rows) if (!isIntact(table, row)) throw this.damaged(`a row of ${table} (${row[0]})`);
    return rows;
  }

  /** The error for damage found in this index. */
  damaged(what: string): IndexDamage {
    return new IndexDamage(this.id, this.path, what);
  }

  /** Throws IndexDamage unless the rows of these messages are what was written. */
  demandIntact(mailbox: number, uids: UidSet): void {
    const statement = this.sql(
      `SELECT uid FROM msg WHERE mailbox = ? AND uid BETWEEN ? AND ? AND chk <> ${MSG_CHK} LIMIT 1`,
    );
    uids.forEachRun((lo, hi) => {
      const [row] = statement.values(mailbox, lo, hi);
      if (row !== undefined) throw this.damaged(`the row of UID ${row[0]} in mailbox ${mailbox}`);
    });
  }

  private load(): void {
    const [row] = this.intact('state', '');
    if (row === undefined) throw this.damaged('it has no state row');
    const [, , owner, userid, lsn, modseq, nextMailbox, nextPart, counts] = row as StateRow;
    if (owner !== this.id) {
      throw this.damaged(`it belongs to owner ${owner} (${userid}), not ${this.id} (${this.userid})`);
    }
    this.lsn = lsn;
    this.modseq = modseq;
    this.nextMailbox = nextMailbox;
    this.nextPart = nextPart;
    this.counts = JSON.parse(counts) as Counts;
    this.mailboxes.clear();
    this.byPath.clear();
    this.quotas.clear();
    for (const values of this.intact('mailbox', '')) {
      const mailbox = mailboxFromValues(values);
      this.mailboxes.set(mailbox.id, mailbox);
      if (mailbox.deletedat === null) this.byPath.set(mailbox.path, mailbox);
    }
    for (const values of this.intact('quotaroot', '')) {
      const quota = quotaFromValues(values);
      this.quotas.set(quota.path, quota);
    }
    for (const { quotaroot, messages, size } of this.mailboxes.values()) {
      if (quotaroot !== null) this.countQuota(quotaroot, messages, size);
    }
    if (this.mailboxes.size !== (this.counts['mailbox'] ?? 0)) throw this.damaged('mailboxes are missing');
    if (this.quotas.size !== (this.counts['quotaroot'] ?? 0)) throw this.damaged('quota roots are missing');
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
    if (row.unseen === 0) row.seenbelow = row.uidnext;
    this.dirtyMailboxes.add(row);
    if (row.quotaroot !== null) this.countQuota(row.quotaroot, delta.messages, delta.size);
  }

  countQuota(path: string, messages: number, size: number): void {
    const quota = this.quotas.get(path);
    if (quota === undefined) return;
    quota.messages += messages;
    quota.storage += size;
  }

  /** Notes that a quota root was set, changed or removed. */
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
      this.sql(UPDATE_MAILBOX).run(...withDigest('mailbox', mailboxValues(row)));
    }
    this.dirtyMailboxes.clear();
    if (this.quotaDirty) {
      this.remove('quotaroot', 'true');
      for (const { path, storageLimit, messageLimit } of this.quotas.values()) {
        this.insert('quotaroot', [path, storageLimit, messageLimit]);
      }
      this.quotaDirty = false;
    }
    if (this.stateDirty) {
      const counts = JSON.stringify(this.counts);
      const { id, userid, lsn, modseq, nextMailbox, nextPart } = this;
      const digest = digestOf('state', [
        1,
        STORE_FORMAT,
        id,
        userid,
        lsn,
        modseq,
        nextMailbox,
        nextPart,
        counts,
      ]);
      this.sql(
        'UPDATE state SET lsn = ?, modseq = ?, nextmailbox = ?, nextpart = ?, counts = ?, digest = ?',
      ).run(lsn, modseq, nextMailbox, nextPart, counts, digest);
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

  /** Folds the journal back into the database and empties it, unless somebody reads it for so many milliseconds. */
  emptyJournal(patience = 50): void {
    try {
      this.db.run(`PRAGMA busy_timeout = ${patience}`);
      this.db.query('PRAGMA wal_checkpoint(TRUNCATE)').get();
    } catch {
      // It stays, and is as good.
    }
  }

  close(): void {
    this.statements.finalize();
    this.db.close();
  }
}
