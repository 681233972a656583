/** directory.db as workers and tools read it. */
import type { Database } from 'bun:sqlite';
import type { AclEntry, SecretRecord } from '../border.ts';
import { checkReadable, openForReading } from './database.ts';
import type { OwnerRow } from './directory.ts';
import { Statements } from './statements.ts';

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

interface Columns {
  owner: number;
  userid: string;
  id: number;
  path: string;
  mailboxid: string;
  specialuse: string;
  acl: string;
}

const COLUMNS = 'm.owner, o.userid, m.id, m.path, m.mailboxid, m.specialuse, m.acl';

export class DirectoryReader {
  private readonly db: Database;
  private readonly statements: Statements;

  constructor(path: string) {
    this.db = openForReading(path);
    this.statements = new Statements(this.db);
    checkReadable(this.db, path);
  }

  private sql(text: string): ReturnType<Statements['get']> {
    return this.statements.get(text);
  }

  owner(userid: string): OwnerRow | null {
    return this.sql('SELECT * FROM owner WHERE userid = ? AND gone IS NULL').get(userid) as OwnerRow | null;
  }

  owners(): OwnerRow[] {
    return this.sql('SELECT * FROM owner WHERE gone IS NULL ORDER BY userid').all() as OwnerRow[];
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

  /** Mailboxes whose ACL names one of the identifiers; negative entries alone give nothing, so they do not count. */
  granted(identifiers: readonly string[]): DirectoryMailbox[] {
    const places = identifiers.map(() => '?').join(', ');
    return this.rows(
      `SELECT DISTINCT ${COLUMNS} FROM grantee g JOIN mailbox m ON m.owner = g.owner AND m.id = g.mailbox ` +
        `JOIN owner o ON o.id = m.owner WHERE g.identifier IN (${places}) AND o.gone IS NULL ORDER BY o.userid, m.path`,
      [...identifiers],
    );
  }

  private rows(text: string, parameters: (string | number)[]): DirectoryMailbox[] {
    return (this.sql(text).all(...parameters) as Columns[]).map(({ specialuse, acl, ...same }) => ({
      ...same,
      specialUse: JSON.parse(specialuse) as string[],
      acl: JSON.parse(acl) as AclEntry[],
    }));
  }

  secret(userid: string): SecretRecord | null {
    return this.sql('SELECT userid, secret, changed FROM secret WHERE userid = ?').get(userid) as
      | SecretRecord
      | null;
  }

  secrets(): SecretRecord[] {
    return this.sql('SELECT userid, secret, changed FROM secret ORDER BY userid').all() as SecretRecord[];
  }

  close(): void {
    this.statements.finalize();
    this.db.close();
  }
}
