/** A store as the first released format had it: made from one of today by copying what the old tables held. */
import { Database } from 'bun:sqlite';
import { existsSync, renameSync, rmSync } from 'node:fs';

const OWNER = `
CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL, owner INTEGER NOT NULL,
  userid TEXT NOT NULL, lsn INTEGER NOT NULL, modseq INTEGER NOT NULL, nextmailbox INTEGER NOT NULL,
  nextpart INTEGER NOT NULL) STRICT;
CREATE TABLE mailbox (id INTEGER PRIMARY KEY, path TEXT NOT NULL, mailboxid TEXT NOT NULL, uidvalidity INTEGER NOT NULL,
  uidnext INTEGER NOT NULL, highestmodseq INTEGER NOT NULL, messages INTEGER NOT NULL DEFAULT 0,
  unseen INTEGER NOT NULL DEFAULT 0, deleted INTEGER NOT NULL DEFAULT 0, size INTEGER NOT NULL DEFAULT 0,
  recentuid INTEGER NOT NULL DEFAULT 0, specialuse TEXT NOT NULL, acl TEXT NOT NULL, quotaroot TEXT,
  partition TEXT NOT NULL, keywords TEXT NOT NULL DEFAULT '[]', created INTEGER NOT NULL, deletedat INTEGER) STRICT;
CREATE UNIQUE INDEX mailbox_path ON mailbox (path) WHERE deletedat IS NULL;
CREATE TABLE part (id INTEGER PRIMARY KEY, hash TEXT NOT NULL, file TEXT NOT NULL, partition TEXT NOT NULL,
  size INTEGER NOT NULL, headersize INTEGER NOT NULL, envelope TEXT NOT NULL, bodystructure TEXT NOT NULL,
  structure BLOB NOT NULL, messageid TEXT, sentdate INTEGER) STRICT;
CREATE TABLE msg (mailbox INTEGER NOT NULL, uid INTEGER NOT NULL, flags INTEGER NOT NULL, modseq INTEGER NOT NULL,
  size INTEGER NOT NULL, internaldate INTEGER NOT NULL, savedate INTEGER NOT NULL, part INTEGER NOT NULL,
  PRIMARY KEY (mailbox, uid)) STRICT, WITHOUT ROWID;
CREATE INDEX msg_unseen ON msg (mailbox, uid) WHERE (flags & 16) = 0;
CREATE TABLE expunged (mailbox INTEGER NOT NULL, uid INTEGER NOT NULL, flags INTEGER NOT NULL, modseq INTEGER NOT NULL,
  size INTEGER NOT NULL, internaldate INTEGER NOT NULL, savedate INTEGER NOT NULL, part INTEGER NOT NULL,
  expungedat INTEGER NOT NULL, PRIMARY KEY (mailbox, uid)) STRICT, WITHOUT ROWID;
CREATE TABLE seen (mailbox INTEGER NOT NULL, userid TEXT NOT NULL, uids TEXT NOT NULL, recentuid INTEGER NOT NULL,
  modseq INTEGER NOT NULL, PRIMARY KEY (mailbox, userid)) STRICT, WITHOUT ROWID;
CREATE TABLE subscription (owner TEXT NOT NULL, path TEXT NOT NULL, PRIMARY KEY (owner, path)) STRICT, WITHOUT ROWID;
CREATE TABLE quotaroot (path TEXT PRIMARY KEY, storagelimit INTEGER, messagelimit INTEGER, storage INTEGER NOT NULL,
  messages INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE delivered (messageid TEXT NOT NULL, mailbox INTEGER NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (messageid, mailbox)) STRICT, WITHOUT ROWID;
CREATE TABLE annotation (mailbox INTEGER NOT NULL, uid INTEGER NOT NULL, entry TEXT NOT NULL, userid TEXT NOT NULL,
  value TEXT NOT NULL, modseq INTEGER NOT NULL, PRIMARY KEY (mailbox, uid, entry, userid)) STRICT, WITHOUT ROWID;
`;

const DIRECTORY = `
CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL, lsn INTEGER NOT NULL,
  start INTEGER NOT NULL, uidvalidity INTEGER NOT NULL, nextowner INTEGER NOT NULL) STRICT;
CREATE TABLE owner (id INTEGER PRIMARY KEY, userid TEXT NOT NULL, folder TEXT NOT NULL, partition TEXT NOT NULL,
  created INTEGER NOT NULL, gone INTEGER) STRICT;
CREATE UNIQUE INDEX owner_userid ON owner (userid) WHERE gone IS NULL;
CREATE TABLE mailbox (owner INTEGER NOT NULL, id INTEGER NOT NULL, path TEXT NOT NULL, mailboxid TEXT NOT NULL,
  specialuse TEXT NOT NULL, acl TEXT NOT NULL, uidvalidity INTEGER NOT NULL, PRIMARY KEY (owner, id)) STRICT,
  WITHOUT ROWID;
CREATE INDEX mailbox_path ON mailbox (owner, path);
CREATE TABLE grantee (identifier TEXT NOT NULL, owner INTEGER NOT NULL, mailbox INTEGER NOT NULL,
  PRIMARY KEY (identifier, owner, mailbox)) STRICT, WITHOUT ROWID;
CREATE TABLE secret (userid TEXT PRIMARY KEY, secret TEXT NOT NULL, changed INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** What a quota root has used stood in its row. */
const USE: Record<string, string> = {
  storage: '(SELECT coalesce(sum(m.size), 0) FROM new.mailbox m WHERE m.quotaroot = t.path)',
  messages: '(SELECT coalesce(sum(m.messages), 0) FROM new.mailbox m WHERE m.quotaroot = t.path)',
};

/** Turns a closed database into one of format 1. */
export function toFormat1(path: string, kind: 'owner' | 'directory'): void {
  const old = `${path}.format1`;
  const db = new Database(old, { create: true, readwrite: true });
  db.run('PRAGMA journal_mode = WAL');
  db.run(kind === 'owner' ? OWNER : DIRECTORY);
  db.run('ATTACH ? AS new', [path]);
  const tables = db.query("SELECT name FROM main.sqlite_schema WHERE type = 'table'").values() as [string][];
  for (const [table] of tables) {
    const columns = db.query<{ name: string }, [string]>('SELECT name FROM pragma_table_info(?)').all(table)
      .map(({ name }) => table === 'quotaroot' ? USE[name] ?? name : name).join(', ');
    db.run(`INSERT INTO main.${table} SELECT ${columns} FROM new.${table} AS t`);
  }
  db.run('UPDATE main.state SET format = 1');
  db.run('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  for (const suffix of ['-wal', '-shm']) {
    rmSync(path + suffix, { force: true });
    if (existsSync(old + suffix)) rmSync(old + suffix);
  }
  renameSync(old, path);
}
