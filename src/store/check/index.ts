/** Checking one owner's index against itself: rows have their digests, counters are sums, UIDs are in order, every message has its part. */
import { Database } from 'bun:sqlite';
import type { Finding } from './finding.ts';
import { STORE_FORMAT } from '../index/schema.ts';
import { checkFormat } from '../index/database.ts';
import { verifyDirectory, verifyOwner } from '../index/verify.ts';
import { quotarootOf, type QuotaRow } from '../index/rows.ts';

/** A query whose rows are findings: mailbox path and what is wrong there. */
interface Rule {
  readonly text: string;
  readonly sql: string;
}

const RULES: readonly Rule[] = [
  {
    text: 'counters differ from the messages',
    sql:
      `SELECT b.path, b.messages || '/' || b.unseen || '/' || b.deleted || '/' || b.size || ' instead of ' ||
      count(m.uid) || '/' || coalesce(sum((m.flags & 16) = 0), 0) || '/' || coalesce(sum((m.flags & 8) <> 0), 0) || '/' ||
      coalesce(sum(m.size), 0) FROM mailbox b LEFT JOIN msg m ON m.mailbox = b.id GROUP BY b.id
      HAVING b.messages <> count(m.uid) OR b.unseen <> coalesce(sum((m.flags & 16) = 0), 0)
      OR b.deleted <> coalesce(sum((m.flags & 8) <> 0), 0) OR b.size <> coalesce(sum(m.size), 0)`,
  },
  {
    text: 'a UID is not below UIDNEXT',
    sql: `SELECT b.path, max(m.uid) FROM mailbox b JOIN (SELECT mailbox, uid FROM msg UNION ALL
      SELECT mailbox, uid FROM expunged) m ON m.mailbox = b.id GROUP BY b.id HAVING max(m.uid) >= b.uidnext`,
  },
  {
    text: 'a UID is both in the mailbox and expunged',
    sql: `SELECT b.path, m.uid FROM msg m JOIN expunged e ON e.mailbox = m.mailbox AND e.uid = m.uid
      JOIN mailbox b ON b.id = m.mailbox`,
  },
  {
    text: 'a message names a part that is not there',
    sql: `SELECT coalesce(b.path, m.mailbox), m.uid FROM (SELECT mailbox, uid, part FROM msg UNION ALL
      SELECT mailbox, uid, part FROM expunged) m LEFT JOIN part p ON p.id = m.part
      LEFT JOIN mailbox b ON b.id = m.mailbox WHERE p.id IS NULL`,
  },
  {
    text: 'a message has another size than its part',
    sql: `SELECT b.path, m.uid FROM msg m JOIN part p ON p.id = m.part JOIN mailbox b ON b.id = m.mailbox
      WHERE p.size <> m.size`,
  },
  {
    text: 'messages of a mailbox that is not there',
    sql: `SELECT m.mailbox, count(*) FROM msg m LEFT JOIN mailbox b ON b.id = m.mailbox WHERE b.id IS NULL
      GROUP BY m.mailbox`,
  },
  {
    text: 'a modseq is above the highest of its mailbox or owner',
    sql: `SELECT b.path, max(m.modseq) FROM mailbox b JOIN msg m ON m.mailbox = b.id, state s
      GROUP BY b.id HAVING max(m.modseq) > b.highestmodseq OR b.highestmodseq > s.modseq`,
  },
  {
    text: 'a keyword bit has no keyword',
    sql: `SELECT b.path, count(*) FROM mailbox b JOIN msg m ON m.mailbox = b.id
      WHERE (m.flags >> (5 + json_array_length(b.keywords))) <> 0 GROUP BY b.id`,
  },
  {
    text: 'a message is unseen below the UID from which there are such',
    sql: `SELECT b.path, min(m.uid) FROM mailbox b JOIN msg m ON m.mailbox = b.id AND m.uid < b.seenbelow
      WHERE (m.flags & 16) = 0 GROUP BY b.id`,
  },
  {
    text: 'two mailboxes share a UIDVALIDITY',
    sql: 'SELECT min(path), uidvalidity FROM mailbox GROUP BY uidvalidity HAVING count(*) > 1',
  },
];

type Damage = (place: string, text: string) => void;

/** Checks an owner's index in one read transaction. */
export function checkIndex(path: string, userid: string): Finding[] {
  return inspect(path, userid, 'index.db', (db, damage) => {
    verifyOwner(db, damage);
    for (const rule of RULES) {
      for (const [place, detail] of db.query(`${rule.sql} LIMIT 20`).values()) {
        damage(place === '' ? 'INBOX' : String(place), `${rule.text}: ${detail}`);
      }
    }
    checkQuotas(db, damage);
  });
}

/** Checks directory.db by itself, in one read transaction. */
export function checkDirectory(path: string): Finding[] {
  return inspect(path, '', 'directory.db', verifyDirectory);
}

/** Looks at a database in one read transaction. What SQLite itself finds wrong is a finding as well. */
function inspect(
  path: string,
  userid: string,
  name: string,
  look: (db: Database, damage: Damage) => void,
): Finding[] {
  const findings: Finding[] = [];
  const damage = (place: string, text: string) => findings.push({ severity: 'damage', userid, place, text });
  let db: Database | null = null;
  try {
    db = new Database(path, { readwrite: true, create: false });
    db.run('PRAGMA query_only = 1');
    db.run('BEGIN');
    const format = checkFormat(db, path);
    if (format !== null && format < STORE_FORMAT) {
      const text =
        `has store format ${format}; "mailstore serve" brings it to ${STORE_FORMAT} when it starts`;
      return [{ severity: 'notice', userid, place: name, text }];
    }
    for (
      const { integrity_check: text } of db.query<{ integrity_check: string }, []>(
        'PRAGMA integrity_check(5)',
      ).all()
    ) {
      if (text !== 'ok') damage(name, text);
    }
    look(db, damage);
    db.run('COMMIT');
  } catch (error) {
    damage(name, error instanceof Error ? error.message : String(error));
  } finally {
    db?.close();
  }
  return findings;
}

/** Each mailbox names the quota root that counts it: what a root has used is their sum (promise 4). */
function checkQuotas(db: Database, damage: Damage): void {
  const roots = new Map<string, QuotaRow>();
  for (const [path] of db.query('SELECT path FROM quotaroot').values() as [string][]) {
    roots.set(path, { path, storage: 0, messages: 0, storageLimit: null, messageLimit: null });
  }
  const rows = db.query('SELECT path, quotaroot FROM mailbox WHERE deletedat IS NULL')
    .values() as [string, string | null][];
  for (const [path, quotaroot] of rows) {
    const root = quotarootOf(path, roots);
    if (root !== quotaroot) damage(path, `belongs to quota root ${root} but names ${quotaroot}`);
  }
  for (
    const [path] of db.query('SELECT path FROM mailbox WHERE deletedat IS NOT NULL AND quotaroot IS NOT NULL')
      .values()
  ) {
    damage(String(path), 'is deleted but counted by a quota root');
  }
}
