/** A store of its own for a test: folders that go away, the writer in this process, and its whole contents as text. */
import { Database } from 'bun:sqlite';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSettings, type Settings } from '../../src/config/settings.ts';
import { checkStore } from '../../src/store/check/store.ts';
import type { DeliveryResult, Identity, MailboxName, Store, StoreSession } from '../../src/store/border.ts';
import { DirectLink } from '../../src/store/client/link.ts';
import { MailStore } from '../../src/store/client/store.ts';
import { digestOf } from '../../src/store/index/digest.ts';
import type { SqlValue } from '../../src/store/index/statements.ts';
import { DIRECTORY_TABLES, selectText, type Tables } from '../../src/store/index/tables.ts';
import { layoutOf } from '../../src/store/layout.ts';
import { syncFileSystem } from '../../src/store/lock.ts';
import { Spool } from '../../src/store/spool/spool.ts';
import { completeCheckpoint } from '../../src/store/writer/checkpoint.ts';
import { Writer } from '../../src/store/writer/writer.ts';
import type { Log } from '../../src/telemetry/log.ts';

/** A log that keeps its lines. */
export class Lines implements Log {
  readonly lines: string[] = [];
  private add(level: string, event: string, fields: unknown): void {
    this.lines.push(`${level} ${event} ${JSON.stringify(fields ?? {})}`);
  }
  error(event: string, fields?: unknown): void {
    this.add('error', event, fields);
  }
  warn(event: string, fields?: unknown): void {
    this.add('warn', event, fields);
  }
  info(): void {}
  debug(): void {}
  enabled(): boolean {
    return false;
  }
  child(): Log {
    return this;
  }
}

export type Given = Parameters<typeof makeSettings>[0];

/** The folders of a store and its settings: users come into being by their first mail. */
export class TestFolders {
  readonly root: string;
  readonly settings: Settings;

  constructor(given: Given = {}, root: string = mkdtempSync(join(tmpdir(), 'mailstore-'))) {
    this.root = root;
    this.settings = makeSettings({
      configdirectory: join(root, 'lib'),
      partition: { default: join(root, 'spool') },
      createonpost: true,
      autocreatequota: 1 << 30,
      servername: 'mail.example.org',
      ...given,
    });
    for (const folder of [layoutOf(this.settings).log, ...Object.values(this.settings.partition)]) {
      mkdirSync(folder, { recursive: true });
    }
  }

  /** The same settings over a copy of everything, as files lie at this moment. */
  copy(): TestFolders {
    const root = mkdtempSync(join(tmpdir(), 'mailstore-'));
    cpSync(this.root, root, { recursive: true, preserveTimestamps: true });
    const { configdirectory: _, partition: __, ...given } = this.settings;
    const partition: Record<string, string> = {};
    for (const [name, path] of Object.entries(this.settings.partition)) {
      partition[name] = path.startsWith(this.root) ? root + path.slice(this.root.length) : path;
    }
    return new TestFolders({ ...given, partition, configdirectory: join(root, 'lib') }, root);
  }

  get log(): string {
    return layoutOf(this.settings).log;
  }

  get spool(): string {
    return this.settings.partition.default as string;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** The store open for changing, with everything of the writer in reach. */
export class TestStore {
  readonly lines = new Lines();
  readonly writer: Writer;
  readonly store: Store;
  fatal: Error | null = null;

  constructor(readonly folders: TestFolders, verifyFiles = false) {
    const { settings } = folders;
    this.writer = Writer.open({
      settings,
      log: this.lines,
      verifyFiles,
      onFatal: (error) => {
        this.fatal ??= error;
      },
    });
    this.store = new MailStore(
      settings,
      layoutOf(settings),
      new Spool(settings.partition),
      new DirectLink(this.writer),
    );
  }

  as(userid: string, more: Partial<Identity> = {}): StoreSession {
    return this.store.session({ userid, admin: false, groups: [], ...more });
  }

  get admin(): StoreSession {
    return this.as('cyrus', { admin: true });
  }

  /** Delivers as LMTP does. */
  async deliver(text: string, ...userids: string[]): Promise<DeliveryResult[]> {
    const stage = this.store.stage(0);
    stage.write(Buffer.from(text, 'latin1'));
    const message = await stage.finish();
    const targets = await Promise.all(userids.map((to) => {
      const [userid, detail] = to.split('+');
      return this.store.recipient({
        userid: userid as string,
        detail: detail ?? null,
        poster: null,
        size: null,
      });
    }));
    const deliveries = targets.map((target) => ({ target, message }));
    return await this.store.deliver(deliveries, { ignoreQuota: false });
  }

  async append(
    by: StoreSession,
    name: MailboxName,
    text: string,
    flags: string[] = [],
    internaldate: number | null = null,
  ): Promise<{ uid: number; uidvalidity: number }> {
    const stage = by.stage(0);
    stage.write(Buffer.from(text, 'latin1'));
    const { uids, uidvalidity } = await by.append(name, [{
      message: await stage.finish(),
      flags,
      internaldate,
    }]);
    return { uid: uids.min, uidvalidity };
  }

  /** What the janitor does. */
  async checkpoint(): Promise<number> {
    const { settings } = this.folders;
    const { durableLsn, repairs } = this.writer;
    for (const folder of [settings.configdirectory, ...Object.values(settings.partition)]) {
      syncFileSystem(folder);
    }
    return (await completeCheckpoint(this.writer, durableLsn, repairs)).checkpoint;
  }

  async close(): Promise<void> {
    await this.store.close();
  }

  /** Lets go of everything as a killed process does: nothing is committed or flushed any more. */
  abandon(): void {
    this.writer.recent.stop();
    this.writer.redo.close();
    this.writer.state.owners.closeAll();
    this.writer.state.directory.close();
  }
}

/** A message of about `size` bytes. */
export function message(n: number | string, size = 200): string {
  const head = `From: <a@example.org>\r\nTo: <b@example.org>\r\nSubject: message ${n}\r\n` +
    `Message-ID: <${n}@example.org>\r\n\r\n`;
  const line = `${'.'.repeat(Math.max(1, 60))}\r\n`;
  let text = `${head}body ${n}\r\n`;
  while (text.length + line.length <= size) text += line;
  return text;
}

export function inbox(owner: string): MailboxName {
  return { owner, path: '' };
}

export function box(owner: string, path: string): MailboxName {
  return { owner, path };
}

const OWNER_TABLES = [
  'mailbox',
  'part',
  'msg',
  'expunged',
  'seen',
  'subscription',
  'quotaroot',
  'delivered',
  'annotation',
  'script',
  'mark',
] as const;

/** Everything the databases say, without what a restart may change. */
export function dump(settings: Settings): string {
  const layout = layoutOf(settings);
  const out: string[] = [];
  const rows = (db: Database, title: string, sql: string): void => {
    for (const row of db.query(sql).values()) out.push(`${title} ${JSON.stringify(row)}`);
  };
  const directory = new Database(layout.directory, { readwrite: true, create: false });
  rows(directory, 'state', 'SELECT uidvalidity, nextowner FROM state');
  for (const table of ['owner', 'mailbox', 'grantee', 'secret'] as const) {
    const columns = DIRECTORY_TABLES[table].join(', ');
    rows(directory, table, `SELECT ${columns}, digest FROM ${table} ORDER BY 1, 2, 3`);
  }
  const owners = directory.query('SELECT folder FROM owner WHERE gone IS NULL ORDER BY id').values() as [
    string,
  ][];
  directory.close();
  for (const [folder] of owners) {
    const path = layout.index(folder);
    if (!existsSync(path)) {
      out.push(`${folder} has no index`);
      continue;
    }
    const db = new Database(path, { readwrite: true, create: false });
    rows(db, `${folder} state`, 'SELECT owner, userid, lsn, modseq, nextmailbox, nextpart FROM state');
    for (const table of OWNER_TABLES) {
      const columns = table === 'part' ? 'id, hash, file, partition, size, headersize, messageid' : '*';
      rows(db, `${folder} ${table}`, `SELECT ${columns} FROM ${table} ORDER BY 1, 2`);
    }
    db.close();
  }
  return out.join('\n');
}

/** Gives the rows of a table the digests they should have, after a test wrote into them. */
export function seal(db: Database, tables: Tables, table: string): void {
  const columns = tables[table] as readonly string[];
  for (const row of db.query(selectText(tables, table)).values() as SqlValue[][]) {
    const values = row.slice(0, -1);
    db.run(`UPDATE ${table} SET digest = ? WHERE ${columns[0]} = ?`, [
      digestOf(table, values),
      values[0] as SqlValue,
    ]);
  }
}

/** What `mailstore check --deep` finds. */
export function damage(settings: Settings): string[] {
  return checkStore(settings, { users: [], deep: true }).findings
    .filter(({ severity }) => severity === 'damage')
    .map(({ userid, place, text }) => `${userid} ${place}: ${text}`);
}

/** Paths of all message files of a partition. */
export function messageFiles(spool: string): string[] {
  if (!existsSync(spool)) return [];
  return (readdirSync(spool, { recursive: true, encoding: 'utf8' }))
    .filter((name) => /\/[0-9a-f]{4}\/[0-9a-f]{40}\.[^/]+$/.test(name)).map((name) => join(spool, name))
    .sort();
}
