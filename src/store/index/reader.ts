/**
 * An owner's index as a worker reads it. Every method is one short read transaction; none is held across an await
 * (DESIGN rule 15). Rows are tuples as SQLite gives them: no object per message.
 */
import type { Database } from 'bun:sqlite';
import type { NarrowRow, PartColumn, WideRow } from '../border.ts';
import { UidSet } from '../uidset.ts';
import { checkReadable, openForReading } from './database.ts';
import {
  MAILBOX_COLUMNS,
  type MailboxColumns,
  mailboxFromColumns,
  type MailboxRow,
  type QuotaRow,
} from './rows.ts';
import { Statements } from './statements.ts';

const NARROW = 'uid, flags & 4294967295, flags >> 32, modseq, size, internaldate, savedate, part';
/** The same with the columns of a part beside it. */
const NARROW_OF_TWO =
  'm.uid, m.flags & 4294967295, m.flags >> 32, m.modseq, m.size, m.internaldate, m.savedate, m.part';

/** Where a message's bytes lie: partition and file, see `Spool.placed`. */
const PLACE = "p.partition || '/' || p.file";

export class OwnerReader {
  private readonly db: Database;
  private readonly statements: Statements;

  constructor(readonly path: string) {
    this.db = openForReading(path);
    this.statements = new Statements(this.db);
    checkReadable(this.db, path);
  }

  private sql(text: string): ReturnType<Statements['get']> {
    return this.statements.get(text);
  }

  /** Several reads of one moment. Synchronous, so that nothing is held across an await (DESIGN rule 15). */
  consistent<Result>(read: () => Result): Result {
    this.sql('BEGIN').run();
    try {
      return read();
    } finally {
      this.sql('COMMIT').run();
    }
  }

  /** The id of the owner the file belongs to. */
  get owner(): number {
    return this.sql('SELECT owner FROM state').values()[0]?.[0] as number;
  }

  /** The LSN the index has applied. */
  get lsn(): number {
    return this.sql('SELECT lsn FROM state').values()[0]?.[0] as number;
  }

  mailboxes(): MailboxRow[] {
    return (this.sql(`SELECT ${MAILBOX_COLUMNS} FROM mailbox WHERE deletedat IS NULL ORDER BY path`)
      .all() as MailboxColumns[]).map(mailboxFromColumns);
  }

  deletedMailboxes(): MailboxRow[] {
    return (this.sql(`SELECT ${MAILBOX_COLUMNS} FROM mailbox WHERE deletedat IS NOT NULL ORDER BY deletedat`)
      .all() as MailboxColumns[]).map(mailboxFromColumns);
  }

  mailbox(path: string): MailboxRow | null {
    const row = this.sql(`SELECT ${MAILBOX_COLUMNS} FROM mailbox WHERE path = ? AND deletedat IS NULL`).get(
      path,
    ) as MailboxColumns | null;
    return row === null ? null : mailboxFromColumns(row);
  }

  mailboxById(id: number): MailboxRow | null {
    const row = this.sql(`SELECT ${MAILBOX_COLUMNS} FROM mailbox WHERE id = ? AND deletedat IS NULL`).get(
      id,
    ) as MailboxColumns | null;
    return row === null ? null : mailboxFromColumns(row);
  }

  quotas(): QuotaRow[] {
    return (this.sql('SELECT path, storagelimit, messagelimit, storage, messages FROM quotaroot')
      .values() as [
        string,
        number | null,
        number | null,
        number,
        number,
      ][]).map(([path, storageLimit, messageLimit, storage, messages]) => ({
        path,
        storageLimit,
        messageLimit,
        storage,
        messages,
      }));
  }

  subscriptions(): { owner: string; path: string }[] {
    return this.sql('SELECT owner, path FROM subscription ORDER BY owner, path').all() as {
      owner: string;
      path: string;
    }[];
  }

  /** What a user who is not the owner has seen, and the UID up to which \Recent was claimed. */
  seen(mailbox: number, userid: string): { uids: UidSet; recentuid: number } {
    const row = this.sql('SELECT uids, recentuid FROM seen WHERE mailbox = ? AND userid = ?').values(
      mailbox,
      userid,
    )[0] as [string, number] | undefined;
    return row === undefined
      ? { uids: UidSet.empty, recentuid: 0 }
      : { uids: row[0] === '' ? UidSet.empty : UidSet.parse(row[0]), recentuid: row[1] };
  }

  /** All UIDs of a mailbox. A mailbox without gaps is answered from its row. */
  uids(row: MailboxRow): UidSet {
    if (row.messages === 0) return UidSet.empty;
    if (row.messages === row.uidnext - 1) return UidSet.range(1, row.messages);
    const uids = this.sql('SELECT uid FROM msg WHERE mailbox = ? ORDER BY uid').values(row.id);
    return UidSet.fromSorted(uids.map((value) => value[0] as number));
  }

  /** Number of messages with UIDs above this one. */
  countAfter(mailbox: number, uid: number): number {
    return this.sql('SELECT count(*) FROM msg WHERE mailbox = ? AND uid > ?').values(mailbox, uid)[0]
      ?.[0] as number;
  }

  /** Lowest UID without \Seen, by the partial index. */
  firstUnseen(mailbox: number): number {
    const found = this.sql(
      'SELECT uid FROM msg INDEXED BY msg_unseen WHERE mailbox = ? AND (flags & 16) = 0 ORDER BY uid LIMIT 1',
    ).values(mailbox)[0];
    return (found?.[0] as number | undefined) ?? 0;
  }

  narrow(mailbox: number, lo: number, hi: number, limit: number, expunged: boolean): NarrowRow[] {
    return this.sql(
      `SELECT ${NARROW} FROM ${
        expunged ? 'expunged' : 'msg'
      } WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid LIMIT ?`,
    ).values(mailbox, lo, hi, limit) as NarrowRow[];
  }

  wide<Columns extends readonly PartColumn[]>(
    mailbox: number,
    lo: number,
    hi: number,
    limit: number,
    expunged: boolean,
    columns: Columns,
  ): WideRow<Columns>[] {
    let selected = NARROW_OF_TWO;
    for (const column of columns) selected += column === 'place' ? `, ${PLACE}` : `, p.${column}`;
    return this.sql(
      `SELECT ${selected} FROM ${expunged ? 'expunged' : 'msg'} m JOIN part p ON p.id = m.part ` +
        'WHERE m.mailbox = ? AND m.uid BETWEEN ? AND ? ORDER BY m.uid LIMIT ?',
    ).values(mailbox, lo, hi, limit) as WideRow<Columns>[];
  }

  /** UIDs whose flags have all of `all` and none of `none`. */
  withFlags(mailbox: number, all: { lo: number; hi: number }, none: { lo: number; hi: number }): UidSet {
    const unseenOnly = all.lo === 0 && all.hi === 0 && none.lo === 16 && none.hi === 0;
    const rows = unseenOnly
      ? this.sql(
        'SELECT uid FROM msg INDEXED BY msg_unseen WHERE mailbox = ? AND (flags & 16) = 0 ORDER BY uid',
      ).values(mailbox)
      : this.sql(
        'SELECT uid FROM msg WHERE mailbox = ?1 AND (flags & ((?2 << 32) | ?3)) = ((?2 << 32) | ?3) ' +
          'AND (flags & ((?4 << 32) | ?5)) = 0 ORDER BY uid',
      ).values(mailbox, all.hi, all.lo, none.hi, none.lo);
    return UidSet.fromSorted(rows.map((row) => row[0] as number));
  }

  /** UIDs expunged after `modseq`, as far as the expiry run has not removed their rows. */
  expungedSince(mailbox: number, modseq: number): UidSet {
    const rows = this.sql('SELECT uid FROM expunged WHERE mailbox = ? AND modseq > ? ORDER BY uid').values(
      mailbox,
      modseq,
    );
    return UidSet.fromSorted(rows.map((row) => row[0] as number));
  }

  changedSince(mailbox: number, modseq: number): { changed: UidSet; expunged: UidSet } {
    const of = (table: string): UidSet =>
      UidSet.fromSorted(
        this.sql(`SELECT uid FROM ${table} WHERE mailbox = ? AND modseq > ? ORDER BY uid`).values(
          mailbox,
          modseq,
        )
          .map((row) => row[0] as number),
      );
    return { changed: of('msg'), expunged: of('expunged') };
  }

  /** Where the bytes of a part lie; null if it is gone. */
  place(part: number): string | null {
    return (this.sql(`SELECT ${PLACE} FROM part p WHERE id = ?`).values(part)[0]?.[0] as
      | string
      | undefined) ??
      null;
  }

  close(): void {
    this.statements.finalize();
    this.db.close();
  }
}
