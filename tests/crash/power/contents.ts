/** Everything the databases of a store say, read over one connection each. */
import { Database } from 'bun:sqlite';
import { existsSync } from 'node:fs';
import type { Settings } from '../../../src/config/settings.ts';
import { layoutOf } from '../../../src/store/layout.ts';

/** A message file as its row has it. */
export interface PartFile {
  readonly partition: string;
  /** The owner's folder in the partition, and the file's name in it. */
  readonly folder: string;
  readonly file: string;
  /** SHA-256 of its bytes. */
  readonly hash: string;
}

export interface Contents {
  /** A short name of all rows. */
  readonly hash: string;
  /** The rows as text, one a line. */
  readonly rows: readonly string[];
  readonly parts: readonly PartFile[];
  /** What SQLite finds wrong with the files. */
  readonly broken: readonly string[];
}

const DIRECTORY = [
  // Not `floor`, `start` and the LSN: a restart, a checkpoint and records of owners alone may change them.
  'SELECT uidvalidity, nextowner FROM state',
  'SELECT * FROM owner ORDER BY id',
  'SELECT * FROM mailbox ORDER BY owner, id',
  'SELECT * FROM grantee ORDER BY 1, 2, 3',
  'SELECT * FROM secret ORDER BY 1',
];

const OWNER = [
  // `counts` is read by itself, and its digest with it depends on the order of tables.
  'SELECT format, owner, userid, lsn, modseq, nextmailbox, nextpart FROM state',
  'SELECT * FROM mailbox ORDER BY id',
  'SELECT * FROM part ORDER BY id',
  'SELECT * FROM msg ORDER BY 1, 2',
  'SELECT * FROM expunged ORDER BY 1, 2',
  'SELECT * FROM seen ORDER BY 1, 2',
  'SELECT * FROM subscription ORDER BY 1, 2',
  'SELECT * FROM quotaroot ORDER BY 1',
  'SELECT * FROM delivered ORDER BY 1, 2',
  'SELECT * FROM annotation ORDER BY 1, 2, 3, 4',
  'SELECT * FROM script ORDER BY 1',
  'SELECT * FROM mark ORDER BY 1, 2',
];

type Value = string | number | bigint | null | Uint8Array;

/**
 * Reads it all.
 * @param integrity has SQLite look at its pages, too
 */
export function readContents(settings: Settings, integrity: boolean): Contents {
  const layout = layoutOf(settings);
  const rows: string[] = [];
  const parts: PartFile[] = [];
  const broken: string[] = [];
  const read = (path: string, queries: readonly string[], more?: (db: Database) => void): void => {
    const db = new Database(path, { readwrite: true, create: false });
    try {
      for (const query of queries) {
        for (const row of db.query(query).values() as Value[][]) rows.push(row.map(textOf).join('|'));
      }
      for (const [counts] of db.query('SELECT counts FROM state').values()) {
        rows.push(countsOf(String(counts)));
      }
      more?.(db);
      if (!integrity) return;
      for (const [text] of db.query('PRAGMA integrity_check(5)').values()) {
        if (text !== 'ok') broken.push(`${path}: ${text}`);
      }
    } finally {
      db.close();
    }
  };
  let folders: string[] = [];
  read(layout.directory, DIRECTORY, (db) => {
    folders = db.query('SELECT folder FROM owner WHERE gone IS NULL ORDER BY id').values().map(([folder]) =>
      String(folder)
    );
  });
  for (const folder of folders) {
    rows.push(folder);
    const path = layout.index(folder);
    if (!existsSync(path)) {
      rows.push('has no index');
      continue;
    }
    read(path, OWNER, (db) => {
      for (const row of db.query('SELECT partition, file, hash FROM part').values()) {
        const [partition = '', file = '', hash = ''] = row as string[];
        parts.push({ partition, folder, file, hash });
      }
    });
  }
  return { hash: Bun.hash.xxHash64(rows.join('\n')).toString(36), rows, parts, broken };
}

/** How many rows each table has: in the order of names, without those that have none, and without `floor`. */
function countsOf(text: string): string {
  const counts = Object.entries(JSON.parse(text) as Record<string, number>);
  const some = counts.filter(([table, count]) => count !== 0 && table !== 'floor').sort(([a], [b]) =>
    a < b ? -1 : 1
  );
  return some.map(([table, count]) => `${table} ${count}`).join(', ');
}

function textOf(value: Value): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value);
}
