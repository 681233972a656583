/** What a store holds, read straight from its databases. */
import { Database } from 'bun:sqlite';
import { existsSync } from 'node:fs';
import type { Settings } from '../../../src/config/settings.ts';
import { flagNames } from '../../../src/store/flags.ts';
import { layoutOf } from '../../../src/store/layout.ts';

export interface FoundMessage {
  readonly id: string;
  readonly flags: readonly string[];
  readonly partition: string;
  /** Below the owner's folder of the partition. */
  readonly file: string;
}

export interface FoundMailbox {
  readonly uidvalidity: number;
  readonly uidnext: number;
  readonly messages: ReadonlyMap<number, FoundMessage>;
  readonly acl: ReadonlyMap<string, string>;
}

export interface FoundOwner {
  readonly id: number;
  readonly folder: string;
  readonly lsn: number;
  /** By path, '' is INBOX; deleted ones are not among them. */
  readonly folders: ReadonlyMap<string, FoundMailbox>;
  /** Storage limit of the user's quota root in bytes. */
  readonly quota: number | null;
  /** Contents of active scripts and of metadata, keys of marks. */
  readonly texts: ReadonlySet<string>;
}

export interface Found {
  readonly owners: ReadonlyMap<string, FoundOwner>;
  readonly secrets: ReadonlySet<string>;
  /** Highest LSN that any database has applied. */
  readonly lsn: number;
}

interface MailboxColumns {
  id: number;
  path: string;
  uidvalidity: number;
  uidnext: number;
  acl: string;
  keywords: string;
}

/** Reads everything. With `known`, owners that have not changed since are taken from there. */
export function findAll(settings: Settings, known?: Found): Found {
  const layout = layoutOf(settings);
  const directory = new Database(layout.directory, { readwrite: true, create: false });
  let lsn: number;
  let rows: { id: number; userid: string; folder: string }[];
  let secrets: string[];
  try {
    lsn = directory.query<{ lsn: number }, []>('SELECT lsn FROM state').get()?.lsn ?? 0;
    rows = directory.query<{ id: number; userid: string; folder: string }, []>(
      'SELECT id, userid, folder FROM owner WHERE gone IS NULL',
    ).all();
    secrets = directory.query<{ userid: string }, []>('SELECT userid FROM secret').all().map((row) =>
      row.userid
    );
  } finally {
    directory.close();
  }
  const owners = new Map<string, FoundOwner>();
  for (const { id, userid, folder } of rows) {
    const path = layout.index(folder);
    if (!existsSync(path)) continue;
    const owner = findOwner(path, id, folder, known?.owners.get(userid));
    owners.set(userid, owner);
    lsn = Math.max(lsn, owner.lsn);
  }
  return { owners, secrets: new Set(secrets), lsn };
}

function findOwner(path: string, id: number, folder: string, known: FoundOwner | undefined): FoundOwner {
  const db = new Database(path, { readwrite: true, create: false });
  try {
    const lsn = db.query<{ lsn: number }, []>('SELECT lsn FROM state').get()?.lsn ?? 0;
    if (known !== undefined && known.id === id && known.lsn === lsn) return known;
    const folders = new Map<string, FoundMailbox>();
    const messages = db.query(
      `SELECT m.uid, m.flags & 0xffffffff, m.flags >> 32, p.messageid, p.partition, p.file FROM msg m JOIN part p ON p.id = m.part
       WHERE m.mailbox = ? ORDER BY m.uid`,
    );
    for (
      const row of db.query<MailboxColumns, []>('SELECT * FROM mailbox WHERE deletedat IS NULL').all()
    ) {
      const keywords = JSON.parse(row.keywords) as string[];
      const there = new Map<number, FoundMessage>();
      for (
        const [uid, lo, hi, messageid, partition, file] of messages.values(row.id) as [
          number,
          number,
          number,
          string,
          string,
          string,
        ][]
      ) {
        there.set(uid, {
          id: (messageid ?? '').replace(/^<|>$/g, ''),
          flags: flagNames(lo, hi, keywords).sort(),
          partition,
          file,
        });
      }
      const acl = JSON.parse(row.acl) as { identifier: string; rights: string }[];
      folders.set(row.path, {
        uidvalidity: row.uidvalidity,
        uidnext: row.uidnext,
        messages: there,
        acl: new Map(acl.map(({ identifier, rights }) => [identifier, rights])),
      });
    }
    const quota = db.query<{ storagelimit: number | null }, []>(
      "SELECT storagelimit FROM quotaroot WHERE path = ''",
    ).get()?.storagelimit ?? null;
    const texts = db.query(
      "SELECT 'script ' || CAST(content AS TEXT) FROM script WHERE active = 1 AND name = 'main' " +
        "UNION ALL SELECT 'metadata ' || CAST(value AS TEXT) FROM annotation UNION ALL SELECT 'mark ' || key FROM mark",
    ).values() as [string][];
    return { id, folder, lsn, folders, quota, texts: new Set(texts.map(([text]) => text)) };
  } finally {
    db.close();
  }
}
