/** directory.db as workers and tools read it. */
import type { Database } from 'bun:sqlite';
import { statSync } from 'node:fs';
import type { AclEntry, SecretRecord } from '../border.ts';
import { checkReadable, openForReading } from './database.ts';
import type { OwnerRow } from './directory.ts';
import { IndexDamage, isDamage } from './damage.ts';
import { type SqlValue, Statements } from './statements.ts';
import { DIRECTORY_TABLES, isIntact, selectText } from './tables.ts';

/** A mailbox as it stands in the directory. */
export interface DirectoryMailbox {
  owner: number;
  userid: string;
  id: number;
  path: string;
  mailboxid: string;
  specialUse: string[];
  acl: AclEntry[];
}

/** Userid, then a row of `mailbox` in the order of its columns, then its digest. */
type Values = [string, number, number, string, string, string, string, number, number];

const COLUMNS = `o.userid, ${DIRECTORY_TABLES.mailbox.map((name) => `m.${name}`).join(', ')}, m.digest`;

function ownerFromValues(values: readonly SqlValue[]): OwnerRow {
  const [id, userid, folder, partition, created] = values as [number, string, string, string, number];
  return { id, userid, folder, partition, created };
}

function secretFromValues(values: readonly SqlValue[]): SecretRecord {
  const [userid, secret, changed] = values as [string, string, number];
  return { userid, secret, changed };
}

export class DirectoryReader {
  private db: Database;
  private statements: Statements;
  /** Of the file that is open. */
  private inode: number;

  /** @param alarm hears of damage that was found */
  constructor(private readonly path: string, private readonly alarm: (reason: string) => void = () => {}) {
    [this.db, this.inode] = this.opened();
    this.statements = new Statements(this.db);
  }

  private opened(): [Database, number] {
    return this.guarded(() => {
      const ino = statSync(this.path, { throwIfNoEntry: false })?.ino;
      if (ino === undefined) throw this.damaged('the file is missing');
      const db = openForReading(this.path);
      try {
        checkReadable(db, this.path, DIRECTORY_TABLES);
      } catch (error) {
        db.close();
        throw error;
      }
      return [db, ino];
    });
  }

  /** Reads from the file that lies there now: a writer may have made directory.db anew. Keeps the open one where that fails. */
  follow(): void {
    if (statSync(this.path, { throwIfNoEntry: false })?.ino === this.inode) return;
    const [db, inode] = this.opened();
    this.close();
    [this.db, this.inode] = [db, inode];
    this.statements = new Statements(db);
  }

  private guarded<Result>(read: () => Result): Result {
    try {
      return read();
    } catch (error) {
      if (!isDamage(error)) throw error;
      throw this.damaged(error instanceof Error ? error.message : String(error));
    }
  }

  private damaged(what: string): IndexDamage {
    const damage = new IndexDamage(0, this.path, what);
    this.alarm(damage.message);
    return damage;
  }

  /** Rows of a table that has digests; each is checked. */
  private intact(
    table: keyof typeof DIRECTORY_TABLES,
    where: string,
    ...parameters: SqlValue[]
  ): SqlValue[][] {
    const text = selectText(DIRECTORY_TABLES, table, where);
    const rows = this.guarded(() => this.statements.get(text).values(...parameters)) as SqlValue[][];
    for (const row of rows) {
      if (!isIntact(table, row)) throw this.damaged(`a row of ${table} (${row[0]})`);
    }
    return rows;
  }

  owner(userid: string): OwnerRow | null {
    const [row] = this.intact('owner', 'WHERE userid = ? AND gone IS NULL', userid);
    return row === undefined ? null : ownerFromValues(row);
  }

  /** The hash of an owner's active Sieve script; null where there is none. */
  script(owner: number): string | null {
    const place = DIRECTORY_TABLES.owner.indexOf('script');
    return (this.intact('owner', 'WHERE id = ?', owner)[0]?.[place] as string | null | undefined) ?? null;
  }

  /** What a delivery needs to know of a living owner: the hash of the active script, and whether there is an INBOX. */
  recipient(owner: number): { script: string | null; inbox: boolean } | null {
    const columns = DIRECTORY_TABLES.owner;
    const [found] = this.guarded(() =>
      this.statements.get(
        `SELECT ${
          columns.join(', ')
        }, digest, EXISTS (SELECT 1 FROM mailbox WHERE owner = ?1 AND path = '') ` +
          'FROM owner WHERE id = ?1 AND gone IS NULL',
      ).values(owner)
    ) as SqlValue[][];
    if (found === undefined) return null;
    const row = found.slice(0, -1);
    if (!isIntact('owner', row)) throw this.damaged(`a row of owner (${owner})`);
    return { script: row[columns.indexOf('script')] as string | null, inbox: found.at(-1) === 1 };
  }

  owners(): OwnerRow[] {
    return this.intact('owner', 'WHERE gone IS NULL ORDER BY userid').map(ownerFromValues);
  }

  /** The LSN that an owner's index has at least, unless it lost its journal. */
  floor(owner: number): number {
    return (this.intact('floor', 'WHERE owner = ?', owner)[0]?.[1] as number | undefined) ?? 0;
  }

  /** Whether an owner has a mailbox: asked with every login, where nothing else of its row matters. */
  has(owner: number, path: string): boolean {
    return this.guarded(() =>
      this.statements.get('SELECT 1 FROM mailbox WHERE owner = ? AND path = ?').values(owner, path).length > 0
    );
  }

  /** Mailboxes of one owner. */
  mailboxesOf(owner: number): DirectoryMailbox[] {
    return this.rows(
      `SELECT ${COLUMNS} FROM mailbox m JOIN owner o ON o.id = m.owner WHERE m.owner = ? ORDER BY m.path`,
      [owner],
    );
  }

  /** Up to `limit` mailboxes below a path of one owner (-1: all); below '' are all but the INBOX itself. */
  below(owner: number, path: string, limit: number): DirectoryMailbox[] {
    // '0' is the character behind '/'.
    const [from, upTo] = path === '' ? ['', '\u{10ffff}'] : [`${path}/`, `${path}0`];
    return this.rows(
      `SELECT ${COLUMNS} FROM mailbox m JOIN owner o ON o.id = m.owner WHERE m.owner = ? AND m.path > ? AND m.path < ? LIMIT ?`,
      [owner, from, upTo, limit],
    );
  }

  /** Every mailbox of the store, for administrators. */
  allMailboxes(): DirectoryMailbox[] {
    return this.rows(
      `SELECT ${COLUMNS} FROM mailbox m JOIN owner o ON o.id = m.owner WHERE o.gone IS NULL ORDER BY o.userid, m.path`,
      [],
    );
  }

  /**
   * Mailboxes of other owners than `except` whose ACL names one of the identifiers; negative entries alone give nothing, so
   * they do not count.
   */
  granted(identifiers: readonly string[], except = 0): DirectoryMailbox[] {
    const places = identifiers.map(() => '?').join(', ');
    return this.rows(
      `SELECT DISTINCT ${COLUMNS} FROM grantee g JOIN mailbox m ON m.owner = g.owner AND m.id = g.mailbox ` +
        `JOIN owner o ON o.id = m.owner WHERE g.identifier IN (${places}) AND g.owner <> ? AND o.gone IS NULL ` +
        'ORDER BY o.userid, m.path',
      [...identifiers, except],
    );
  }

  private rows(text: string, parameters: (string | number)[]): DirectoryMailbox[] {
    const rows = this.guarded(() => this.statements.get(text).values(...parameters)) as Values[];
    // Mostly one ACL is that of many mailboxes: read once, it is also one object, see Session.list.
    const acls = new Map<string, AclEntry[]>();
    return rows.map(([userid, ...row]) => {
      if (!isIntact('mailbox', row)) throw this.damaged(`a row of mailbox (${row[2]} of ${userid})`);
      const [owner, id, path, mailboxid, specialuse, text] = row;
      let acl = acls.get(text);
      if (acl === undefined) acls.set(text, acl = JSON.parse(text) as AclEntry[]);
      return {
        owner,
        userid,
        id,
        path,
        mailboxid,
        specialUse: specialuse === '[]' ? [] : JSON.parse(specialuse) as string[],
        acl,
      };
    });
  }

  secret(userid: string): SecretRecord | null {
    const [row] = this.intact('secret', 'WHERE userid = ?', userid);
    return row === undefined ? null : secretFromValues(row);
  }

  secretsBehind(userid: string, count: number): SecretRecord[] {
    return this.intact('secret', 'WHERE userid > ? ORDER BY userid LIMIT ?', userid, count).map(
      secretFromValues,
    );
  }

  secrets(): SecretRecord[] {
    return this.intact('secret', 'ORDER BY userid').map(secretFromValues);
  }

  close(): void {
    this.statements.finalize();
    this.db.close();
  }
}
