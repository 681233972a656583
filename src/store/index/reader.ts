/**
 * An owner's index as a worker reads it. Every method is one short read transaction; none is held across an await
 * (DESIGN rule 15). Rows are tuples as SQLite gives them: no object per message.
 */
import type { Database } from 'bun:sqlite';
import { isAscii } from 'node:buffer';
import type { LinePiece, NarrowRow, PartColumn, WideRow } from '../border.ts';
import { MailError } from '../../errors.ts';
import { UidSet } from '../uidset.ts';
import { checkReadable, openForReading } from './database.ts';
import { isDamage } from './damage.ts';
import { type LineQuery, lineQuery } from './lines.ts';
import { mailboxFromValues, type MailboxRow, quotaFromValues, type QuotaRow } from './rows.ts';
import { scriptFromValues, type ScriptRow } from './scripts.ts';
import { type SqlValue, Statements } from './statements.ts';
import { isIntact, OWNER_TABLES, selectText } from './tables.ts';

const NARROW = 'uid, flags & 4294967295, flags >> 32, modseq, size, internaldate, savedate, part';
/** The same with the columns of a part beside it. */
const NARROW_OF_TWO =
  'm.uid, m.flags & 4294967295, m.flags >> 32, m.modseq, m.size, m.internaldate, m.savedate, m.part';

/** Where a message's bytes lie: partition and file, see `Spool.placed`. */
const PLACE = "p.partition || '/' || p.file";

const DESTINATION = `SELECT ${OWNER_TABLES.mailbox.join(', ')}, digest, ` +
  '(SELECT hash FROM script WHERE active = 1) FROM mailbox WHERE path = ? AND deletedat IS NULL';

/** Messages looked at for the first unseen one: a few milliseconds. A SELECT may do without it (RFC 3501 §6.3.1). */
const LOOK_FOR_UNSEEN = 50_000;

/** Rows of mailboxes kept while nothing changes, 1 KB each: clients go back and forth between a few. */
const KEPT_ROWS = 16;

/** A message by its content, as a restore compares and adds it. Times are unix seconds. */
export type ContentRow = [
  uid: number,
  flagsLo: number,
  flagsHi: number,
  internaldate: number,
  hash: string,
  size: number,
  messageId: string | null,
];

/** A message file as the index knows it. */
export interface StoredPart {
  id: number;
  /** SHA-256 in hex. */
  hash: string;
  file: string;
  partition: string;
  size: number;
}

let stamps = 0;

export class OwnerReader {
  private readonly db: Database;
  private readonly statements: Statements;
  /** The LSN the index had applied when it was opened. */
  readonly openedAt: number;
  private readonly lineQueries = new WeakMap<readonly LinePiece[], LineQuery>();
  /** What SQLite says as long as nobody has committed to the index; see `look`. */
  private version: unknown;
  /** Another one whenever the index may have changed, and for every reader: what was read under the same one is the same. */
  stamp = ++stamps;
  /** Rows read since the index last changed, by path. They are never changed. */
  private readonly rows = new Map<string, MailboxRow>();
  /** `firstUnseen` of mailboxes, likewise. */
  private readonly unseen = new Map<number, number>();

  /** @param damaged makes the error for damage that was found, and may tell somebody who can heal it */
  constructor(
    readonly path: string,
    private readonly damaged: (reason: string) => MailError = (reason) =>
      new MailError('server', 'corruption', reason),
  ) {
    this.db = this.guarded(() => openForReading(path));
    this.statements = new Statements(this.db);
    try {
      this.openedAt = this.guarded(() => checkReadable(this.db, path, OWNER_TABLES));
    } catch (error) {
      this.db.close();
      throw error;
    }
  }

  private guarded<Result>(read: () => Result): Result {
    try {
      return read();
    } catch (error) {
      if (!isDamage(error)) throw error;
      throw this.damaged(`${this.path}: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** Rows of a statement as tuples. */
  private values(text: string, ...parameters: SqlValue[]): unknown[][] {
    return this.guarded(() => this.statements.get(text).values(...parameters));
  }

  /** Rows of a table that has digests; each is checked. */
  private intact(table: keyof typeof OWNER_TABLES, where: string, ...parameters: SqlValue[]): SqlValue[][] {
    const rows = this.values(selectText(OWNER_TABLES, table, where), ...parameters) as SqlValue[][];
    for (const row of rows) {
      if (!isIntact(table, row)) throw this.damaged(`${this.path}: a row of ${table} (${row[0]}) is damaged`);
    }
    return rows;
  }

  /** Several reads of one moment. Synchronous, so that nothing is held across an await (DESIGN rule 15). */
  consistent<Result>(read: () => Result): Result {
    this.statements.get('BEGIN').run();
    try {
      return read();
    } finally {
      this.statements.get('COMMIT').run();
    }
  }

  /** The id of the owner the file belongs to. */
  get owner(): number {
    return this.values('SELECT owner FROM state')[0]?.[0] as number;
  }

  /** The LSN the index has applied. */
  get lsn(): number {
    return this.values('SELECT lsn FROM state')[0]?.[0] as number;
  }

  mailboxes(): MailboxRow[] {
    return this.intact('mailbox', 'WHERE deletedat IS NULL ORDER BY path').map(mailboxFromValues);
  }

  deletedMailboxes(): MailboxRow[] {
    return this.intact('mailbox', 'WHERE deletedat IS NOT NULL ORDER BY deletedat').map(mailboxFromValues);
  }

  mailbox(path: string): MailboxRow | null {
    this.look();
    return this.rows.get(path) ?? this.kept('WHERE path = ? AND deletedat IS NULL', path);
  }

  mailboxById(id: number): MailboxRow | null {
    this.look();
    return this.rowOf(id);
  }

  /** The same if nobody has committed to the index since `stamp` was this; null where that is not known. */
  mailboxAsOf(stamp: number, id: number): MailboxRow | null {
    this.look();
    return this.stamp === stamp ? this.rowOf(id) : null;
  }

  private rowOf(id: number): MailboxRow | null {
    for (const row of this.rows.values()) if (row.id === id) return row;
    return this.kept('WHERE id = ? AND deletedat IS NULL', id);
  }

  /**
   * Forgets the rows that were read before if anything was committed since: to ask for that takes half as long as to read a row
   * and what it is made of. What is read from here on may be newer than this look, and is forgotten by the next one then.
   */
  private look(): void {
    const version = this.values('PRAGMA data_version')[0]?.[0];
    if (version === this.version) return;
    this.version = version;
    this.stamp = ++stamps;
    this.rows.clear();
    this.unseen.clear();
  }

  /** Reads the row of a mailbox and keeps it. */
  private kept(where: string, parameter: SqlValue): MailboxRow | null {
    const [values] = this.intact('mailbox', where, parameter);
    if (values === undefined) return null;
    const row = mailboxFromValues(values);
    if (this.rows.size >= KEPT_ROWS) {
      this.rows.clear();
      this.unseen.clear();
    }
    this.rows.set(row.path, row);
    return row;
  }

  quotas(): QuotaRow[] {
    const quotas = this.intact('quotaroot', '').map(quotaFromValues);
    if (quotas.length === 0) return quotas;
    const sums = this.values(
      'SELECT quotaroot, sum(size), sum(messages) FROM mailbox WHERE quotaroot IS NOT NULL GROUP BY quotaroot',
    ) as [string, number, number][];
    for (const [path, storage, messages] of sums) {
      const quota = quotas.find((candidate) => candidate.path === path);
      if (quota !== undefined) Object.assign(quota, { storage, messages });
    }
    return quotas;
  }

  subscriptions(): { owner: string; path: string }[] {
    return this.intact('subscription', 'ORDER BY owner, path').map((row) => {
      const [owner, path] = row as [string, string, number];
      return { owner, path };
    });
  }

  /** Sieve scripts, by name. */
  scripts(): ScriptRow[] {
    return this.intact('script', 'ORDER BY name').map(scriptFromValues);
  }

  script(name: string): ScriptRow | null {
    const [row] = this.intact('script', 'WHERE name = ?', name);
    return row === undefined ? null : scriptFromValues(row);
  }

  activeScript(): ScriptRow | null {
    const [row] = this.intact('script', 'WHERE active = 1');
    return row === undefined ? null : scriptFromValues(row);
  }

  /**
   * A mailbox and the hash of the active script in one look, for every delivery; whoever reads the script itself finds out whether
   * it is right.
   */
  destination(path: string): { row: MailboxRow; script: string | null } | null {
    const [found] = this.values(DESTINATION, path) as SqlValue[][];
    if (found === undefined) return null;
    const values = found.slice(0, -1);
    if (!isIntact('mailbox', values)) throw this.damaged(`${this.path}: a row of mailbox is damaged`);
    return { row: mailboxFromValues(values), script: found.at(-1) as string | null };
  }

  /** The value of a metadata entry (index/metadata.ts), null where there is none. */
  metadata(mailbox: number, userid: string, entry: string): Uint8Array | null {
    const where = 'WHERE mailbox = ? AND uid = 0 AND entry = ? AND userid = ?';
    const [row] = this.intact('annotation', where, mailbox, entry, userid);
    return (row?.[4] as Uint8Array | undefined) ?? null;
  }

  /** All entries of a mailbox and user, by name. */
  allMetadata(mailbox: number, userid: string): { entry: string; value: Uint8Array }[] {
    const where = 'WHERE mailbox = ? AND uid = 0 AND userid = ? ORDER BY entry';
    return this.intact('annotation', where, mailbox, userid)
      .map((row) => ({ entry: row[2] as string, value: row[4] as Uint8Array }));
  }

  /** What everybody has set for a mailbox. */
  everyMetadata(mailbox: number): [userid: string, entry: string, value: Uint8Array][] {
    return this.intact('annotation', 'WHERE mailbox = ? AND uid = 0 ORDER BY userid, entry', mailbox)
      .map((row) => [row[3] as string, row[2] as string, row[4] as Uint8Array]);
  }

  /** Until when a mark is set; null where there is none. */
  markedUntil(kind: string, key: string): number | null {
    const [row] = this.intact('mark', 'WHERE kind = ? AND key = ?', kind, key);
    return (row?.[2] as number | undefined) ?? null;
  }

  /** What was delivered lately, and the marks, newest first. */
  remembered(): {
    delivered: { id: string; path: string; at: number }[];
    marks: { kind: string; key: string; until: number }[];
  } {
    const rows = this.values(
      'SELECT d.messageid, b.path, d.at FROM delivered d JOIN mailbox b ON b.id = d.mailbox ORDER BY d.at DESC, 1, 2',
    ) as [string, string, number][];
    return {
      delivered: rows.map(([id, path, at]) => ({ id, path, at })),
      marks: this.intact('mark', 'ORDER BY until DESC, kind, key').map((row) => {
        const [kind, key, until] = row as [string, string, number, number];
        return { kind, key, until };
      }),
    };
  }

  /** What a user who is not the owner has seen, and the UID up to which \Recent was claimed. */
  seen(mailbox: number, userid: string): { uids: UidSet; recentuid: number } {
    const [row] = this.intact('seen', 'WHERE mailbox = ? AND userid = ?', mailbox, userid);
    if (row === undefined) return { uids: UidSet.empty, recentuid: 0 };
    const [, , uids, recentuid] = row as [number, string, string, number, number, number];
    return { uids: uids === '' ? UidSet.empty : UidSet.parse(uids), recentuid };
  }

  /**
   * Appends the next `limit` UIDs above `after` to a list of pairs lo, hi, as UidSet.fromRuns takes them. Returns the last of
   * them, or -1 when there are no more. Where there is no gap the rows are counted, not handed out one by one.
   */
  uidRuns(mailbox: number, after: number, limit: number, runs: number[]): number {
    const [count, lo, hi] = this.values(
      'SELECT count(*), min(uid), max(uid) FROM (SELECT uid FROM msg WHERE mailbox = ? AND uid > ? ORDER BY uid LIMIT ?)',
      mailbox,
      after,
      limit,
    )[0] as [number, number, number];
    if (count === 0) return -1;
    if (hi - lo + 1 === count) runs.push(lo, hi);
    else {
      const rows = this.values(
        'SELECT uid FROM msg WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid',
        mailbox,
        lo,
        hi,
      ) as [number][];
      for (const [uid] of rows) {
        if (runs.at(-1) === uid - 1) runs[runs.length - 1] = uid;
        else runs.push(uid, uid);
      }
    }
    return count < limit ? -1 : hi;
  }

  /** Number of messages with UIDs above this one. */
  countAfter(mailbox: number, uid: number): number {
    return this.values('SELECT count(*) FROM msg WHERE mailbox = ? AND uid > ?', mailbox, uid)[0]
      ?.[0] as number;
  }

  /** Lowest UID without \Seen; 0 where there is none, or none soon after `seenbelow`. */
  firstUnseen(mailbox: number): number {
    this.look();
    let first = this.unseen.get(mailbox);
    if (first === undefined) this.unseen.set(mailbox, first = this.findUnseen(mailbox));
    return first;
  }

  /** The same where it is known of the state that was looked at last. */
  knownUnseen(mailbox: number): number | undefined {
    return this.unseen.get(mailbox);
  }

  private findUnseen(mailbox: number): number {
    const found = this.values(
      'SELECT uid FROM (SELECT uid, flags FROM msg WHERE mailbox = ?1 AND uid >= (SELECT seenbelow FROM mailbox WHERE id = ?1) ' +
        `ORDER BY uid LIMIT ${LOOK_FOR_UNSEEN}) WHERE (flags & 16) = 0 LIMIT 1`,
      mailbox,
    )[0];
    return (found?.[0] as number | undefined) ?? 0;
  }

  narrow(mailbox: number, lo: number, hi: number, limit: number, expunged: boolean): NarrowRow[] {
    return this.values(
      `SELECT ${NARROW} FROM ${
        expunged ? 'expunged' : 'msg'
      } WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid LIMIT ?`,
      mailbox,
      lo,
      hi,
      limit,
    ) as NarrowRow[];
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
    return this.values(
      `SELECT ${selected} FROM ${expunged ? 'expunged' : 'msg'} m JOIN part p ON p.id = m.part ` +
        'WHERE m.mailbox = ? AND m.uid BETWEEN ? AND ? ORDER BY m.uid LIMIT ?',
      mailbox,
      lo,
      hi,
      limit,
    ) as WideRow<Columns>[];
  }

  /** The lines of the messages from `lo` to `hi`, latin1, their number and their highest modseq (lines.ts). */
  lines(
    mailbox: number,
    lo: number,
    hi: number,
    shift: number,
    line: readonly LinePiece[],
  ): [bytes: Uint8Array<ArrayBuffer> | null, count: number, modseq: number | null] {
    let query = this.lineQueries.get(line);
    if (query === undefined) this.lineQueries.set(line, query = lineQuery(line));
    const [[bytes, count, modseq]] = this.values(query.text, mailbox, lo, hi, shift, ...query.parameters) as [
      [Uint8Array<ArrayBuffer> | null, number, number | null],
    ];
    if (bytes === null || isAscii(bytes)) return [bytes, count, modseq];
    return [Buffer.from(Buffer.from(bytes.buffer).toString('utf8'), 'latin1'), count, modseq];
  }

  /** Messages with their contents, behind a UID, at most `limit`. */
  contents(mailbox: number, after: number, limit: number): ContentRow[] {
    return this.values(
      'SELECT m.uid, m.flags & 4294967295, m.flags >> 32, m.internaldate, p.hash, p.size, p.messageid ' +
        'FROM msg m JOIN part p ON p.id = m.part WHERE m.mailbox = ? AND m.uid > ? ORDER BY m.uid LIMIT ?',
      mailbox,
      after,
      limit,
    ) as ContentRow[];
  }

  /** UIDs whose flags have all of `all` and none of `none`. */
  withFlags(mailbox: number, all: { lo: number; hi: number }, none: { lo: number; hi: number }): UidSet {
    const unseenOnly = all.lo === 0 && all.hi === 0 && none.lo === 16 && none.hi === 0;
    const rows = unseenOnly
      ? this.values(
        'SELECT uid FROM msg WHERE mailbox = ?1 AND uid >= (SELECT seenbelow FROM mailbox WHERE id = ?1) ' +
          'AND (flags & 16) = 0 ORDER BY uid',
        mailbox,
      )
      : this.values(
        'SELECT uid FROM msg WHERE mailbox = ?1 AND (flags & ((?2 << 32) | ?3)) = ((?2 << 32) | ?3) ' +
          'AND (flags & ((?4 << 32) | ?5)) = 0 ORDER BY uid',
        mailbox,
        all.hi,
        all.lo,
        none.hi,
        none.lo,
      );
    return UidSet.fromSorted(rows.map((row) => row[0] as number));
  }

  /** UIDs expunged after `modseq`, as far as the expiry run has not removed their rows. */
  expungedSince(mailbox: number, modseq: number): UidSet {
    const rows = this.values(
      'SELECT uid FROM expunged WHERE mailbox = ? AND modseq > ? ORDER BY uid',
      mailbox,
      modseq,
    );
    return UidSet.fromSorted(rows.map((row) => row[0] as number));
  }

  /** UIDs from `lo` to `hi` changed after `modseq`. */
  changedBetween(mailbox: number, modseq: number, lo: number, hi: number): UidSet {
    const rows = this.values(
      'SELECT uid FROM msg WHERE mailbox = ? AND uid BETWEEN ? AND ? AND modseq > ? ORDER BY uid',
      mailbox,
      lo,
      hi,
      modseq,
    );
    return UidSet.fromSorted(rows.map((row) => row[0] as number));
  }

  changedSince(mailbox: number, modseq: number): { changed: UidSet; expunged: UidSet } {
    const of = (table: string): UidSet =>
      UidSet.fromSorted(
        this.values(`SELECT uid FROM ${table} WHERE mailbox = ? AND modseq > ? ORDER BY uid`, mailbox, modseq)
          .map((row) => row[0] as number),
      );
    return { changed: of('msg'), expunged: of('expunged') };
  }

  /** Parts with ids above `after`, in order. */
  parts(after: number, limit: number): StoredPart[] {
    const rows = this.values(
      'SELECT id, hash, file, partition, size FROM part WHERE id > ? ORDER BY id LIMIT ?',
      after,
      limit,
    ) as [number, string, string, string, number][];
    return rows.map(([id, hash, file, partition, size]) => ({ id, hash, file, partition, size }));
  }

  /** The messages that a part is the body of, and its Message-ID. */
  usesOf(part: number): { path: string; uid: number; messageId: string | null }[] {
    const rows = this.values(
      'SELECT b.path, m.uid, p.messageid FROM (SELECT mailbox, uid, part FROM msg UNION ALL ' +
        'SELECT mailbox, uid, part FROM expunged) m JOIN mailbox b ON b.id = m.mailbox JOIN part p ON p.id = m.part ' +
        'WHERE m.part = ? ORDER BY b.path, m.uid',
      part,
    ) as [string, number, string | null][];
    return rows.map(([path, uid, messageId]) => ({ path, uid, messageId }));
  }

  /** Where the bytes of a part lie; null if it is gone. */
  place(part: number): string | null {
    const [row] = this.values(`SELECT ${PLACE} FROM part p WHERE id = ?`, part);
    return (row?.[0] as string | undefined) ?? null;
  }

  close(): void {
    this.statements.finalize();
    this.db.close();
  }
}
