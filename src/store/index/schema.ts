/**
 * The tables of an owner's `index.db` and of `directory.db`.
 *
 * What changes (flags, modseq) stands in `msg`, a narrow table; what never does (envelope, structure, hash) in
 * `part`. Counters stand in the mailbox row, so that SELECT and STATUS never scan, and `seenbelow`: messages with lower UIDs are
 * \\Seen. (An index of those that are not would cost two thirds of every STORE.) what a quota root has used is the sum
 * over the mailboxes that name it. Keywords are bits of `flags`
 * from bit 5 on; `flags >> 32` and `flags & 0xffffffff` are the two halves of flags.ts. `digest` and `chk` are
 * checksums of their rows, `counts` the number of rows in each table but `msg`, as JSON (digest.ts).
 */

/** Version of both schemas; a program that finds a higher one refuses the store (DESIGN rule 18). */
export const STORE_FORMAT = 3;

/** Sieve scripts. At most one is active: what runs at delivery. `hash` is the SHA-256 of the content, hex. */
export const SCRIPT_TABLE = `
CREATE TABLE script (
  name TEXT PRIMARY KEY,
  content BLOB NOT NULL,
  hash TEXT NOT NULL,
  changed INTEGER NOT NULL,
  active INTEGER NOT NULL,
  digest INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX script_active ON script (active) WHERE active = 1;
`;

/**
 * What must not happen twice before `until` (unix time): a vacation reply to one sender, a redirect of one message. `kind` and
 * `key` are whatever tells them apart.
 */
export const MARK_TABLE = `
CREATE TABLE mark (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  until INTEGER NOT NULL,
  digest INTEGER NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
`;

/**
 * RFC 5464 metadata. Mailbox 0 is the server, UID 0 the mailbox as a whole; the userid is '' for /shared. Entries are kept
 * in lower case, without their /shared or /private.
 */
export const ANNOTATION_TABLE = `
CREATE TABLE annotation (
  mailbox INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  entry TEXT NOT NULL,
  userid TEXT NOT NULL,
  value BLOB NOT NULL,
  modseq INTEGER NOT NULL,
  digest INTEGER NOT NULL,
  PRIMARY KEY (mailbox, uid, entry, userid)
) STRICT, WITHOUT ROWID;
`;

export const OWNER_SCHEMA = `
CREATE TABLE state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  format INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  userid TEXT NOT NULL,
  lsn INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  nextmailbox INTEGER NOT NULL,
  nextpart INTEGER NOT NULL,
  counts TEXT NOT NULL,
  digest INTEGER NOT NULL
) STRICT;
CREATE TABLE mailbox (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL,
  mailboxid TEXT NOT NULL,
  uidvalidity INTEGER NOT NULL,
  uidnext INTEGER NOT NULL,
  highestmodseq INTEGER NOT NULL,
  messages INTEGER NOT NULL DEFAULT 0,
  unseen INTEGER NOT NULL DEFAULT 0,
  deleted INTEGER NOT NULL DEFAULT 0,
  size INTEGER NOT NULL DEFAULT 0,
  recentuid INTEGER NOT NULL DEFAULT 0,
  specialuse TEXT NOT NULL,
  acl TEXT NOT NULL,
  quotaroot TEXT,
  partition TEXT NOT NULL,
  keywords TEXT NOT NULL DEFAULT '[]',
  created INTEGER NOT NULL,
  deletedat INTEGER,
  seenbelow INTEGER NOT NULL DEFAULT 1,
  digest INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX mailbox_path ON mailbox (path) WHERE deletedat IS NULL;
CREATE TABLE part (
  id INTEGER PRIMARY KEY,
  hash TEXT NOT NULL,
  file TEXT NOT NULL,
  partition TEXT NOT NULL,
  size INTEGER NOT NULL,
  headersize INTEGER NOT NULL,
  envelope TEXT NOT NULL,
  bodystructure TEXT NOT NULL,
  structure BLOB NOT NULL,
  messageid TEXT,
  sentdate INTEGER,
  thread TEXT,
  digest INTEGER NOT NULL
) STRICT;
CREATE TABLE msg (
  mailbox INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  size INTEGER NOT NULL,
  internaldate INTEGER NOT NULL,
  savedate INTEGER NOT NULL,
  part INTEGER NOT NULL,
  chk INTEGER NOT NULL,
  PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;
CREATE TABLE expunged (
  mailbox INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  size INTEGER NOT NULL,
  internaldate INTEGER NOT NULL,
  savedate INTEGER NOT NULL,
  part INTEGER NOT NULL,
  expungedat INTEGER NOT NULL,
  chk INTEGER NOT NULL,
  PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;
CREATE TABLE seen (
  mailbox INTEGER NOT NULL,
  userid TEXT NOT NULL,
  uids TEXT NOT NULL,
  recentuid INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  digest INTEGER NOT NULL,
  PRIMARY KEY (mailbox, userid)
) STRICT, WITHOUT ROWID;
CREATE TABLE subscription (
  owner TEXT NOT NULL,
  path TEXT NOT NULL,
  digest INTEGER NOT NULL,
  PRIMARY KEY (owner, path)
) STRICT, WITHOUT ROWID;
CREATE TABLE quotaroot (
  path TEXT PRIMARY KEY,
  storagelimit INTEGER,
  messagelimit INTEGER,
  digest INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE delivered (
  messageid TEXT NOT NULL,
  mailbox INTEGER NOT NULL,
  at INTEGER NOT NULL,
  digest INTEGER NOT NULL,
  PRIMARY KEY (messageid, mailbox)
) STRICT, WITHOUT ROWID;
${ANNOTATION_TABLE}${SCRIPT_TABLE}${MARK_TABLE}`;

export const DIRECTORY_SCHEMA = `
CREATE TABLE state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  format INTEGER NOT NULL,
  lsn INTEGER NOT NULL,
  start INTEGER NOT NULL,
  uidvalidity INTEGER NOT NULL,
  nextowner INTEGER NOT NULL,
  ownersformat INTEGER NOT NULL,
  counts TEXT NOT NULL,
  digest INTEGER NOT NULL
) STRICT;
CREATE TABLE owner (
  id INTEGER PRIMARY KEY,
  userid TEXT NOT NULL,
  folder TEXT NOT NULL,
  partition TEXT NOT NULL,
  created INTEGER NOT NULL,
  gone INTEGER,
  script TEXT,
  digest INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX owner_userid ON owner (userid) WHERE gone IS NULL;
CREATE TABLE mailbox (
  owner INTEGER NOT NULL,
  id INTEGER NOT NULL,
  path TEXT NOT NULL,
  mailboxid TEXT NOT NULL,
  specialuse TEXT NOT NULL,
  acl TEXT NOT NULL,
  uidvalidity INTEGER NOT NULL,
  digest INTEGER NOT NULL,
  PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX mailbox_path ON mailbox (owner, path);
CREATE TABLE grantee (
  identifier TEXT NOT NULL,
  owner INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  digest INTEGER NOT NULL,
  PRIMARY KEY (identifier, owner, mailbox)
) STRICT, WITHOUT ROWID;
CREATE TABLE floor (
  owner INTEGER PRIMARY KEY,
  lsn INTEGER NOT NULL,
  digest INTEGER NOT NULL
) STRICT;
CREATE TABLE secret (
  userid TEXT PRIMARY KEY,
  secret TEXT NOT NULL,
  changed INTEGER NOT NULL,
  digest INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`;
