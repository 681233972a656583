/** An IMAP service over the real store, in one process and without sockets. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authenticator } from '../../src/auth/login.ts';
import { makeSettings, type Settings } from '../../src/config/settings.ts';
import { createImapService } from '../../src/imap/service.ts';
import type { Protocol } from '../../src/net/service.ts';
import type { MailboxName, Store, StoreSession } from '../../src/store/border.ts';
import { openStore } from '../../src/store/open.ts';
import { type Log, silentLog } from '../../src/telemetry/log.ts';
import { passwords } from '../auth/passwords.ts';
import { MemoryConnection, type MemoryConnectionOptions } from './memory_connection.ts';

/** Everybody's password. */
export const PASSWORD = 'secret';

export class ImapServer {
  readonly settings: Settings;
  readonly store: Store;
  protocol: Protocol;
  readonly #folder: string;
  readonly #make: () => Protocol;
  readonly #connections: MemoryConnection[] = [];

  private constructor(settings: Settings, store: Store, folder: string, log: Log) {
    this.settings = settings;
    this.store = store;
    this.#folder = folder;
    const authenticator = new Authenticator({
      settings,
      source: passwords(() => PASSWORD),
      log: silentLog,
      sleep: () => Promise.resolve(),
    });
    this.#make = () =>
      createImapService({
        settings,
        store,
        authenticator,
        events: { happened: () => {} },
        log,
        version: '0.0.0',
      });
    this.protocol = this.#make();
  }

  /** From here on clients are served as by another process, which remembers nothing. */
  forget(): void {
    this.protocol = this.#make();
  }

  static async open(given: Partial<Settings> = {}, log: Log = silentLog): Promise<ImapServer> {
    const folder = mkdtempSync(join(tmpdir(), 'mailstore-imap-'));
    const settings = makeSettings({
      servername: 'imap.nausch.org',
      serverinfo: 'min',
      allowplaintext: true,
      configdirectory: join(folder, 'lib'),
      partition: { default: join(folder, 'spool') },
      autocreatequota: -1,
      admins: ['admin'],
      ...given,
    });
    return new ImapServer(settings, await openStore(settings, silentLog, 'direct'), folder, log);
  }

  /** A new client; its greeting is not read yet. */
  connect(options: MemoryConnectionOptions = {}): MemoryConnection {
    const connection = new MemoryConnection(options);
    this.#connections.push(connection);
    const service = this.settings.services.find(({ protocol }) => protocol === 'imap');
    if (service === undefined) throw new Error('no IMAP service');
    this.protocol.accept(connection, service);
    return connection;
  }

  /** The store as a user has it, logged in. */
  async session(userid: string): Promise<StoreSession> {
    const session = this.store.session({
      userid,
      admin: this.settings.admins.includes(userid),
      groups: [],
    });
    await session.login();
    return session;
  }

  /** Puts a message into a mailbox without IMAP. `text` is latin1 with any line ends, sent as CRLF. */
  async append(
    session: StoreSession,
    path: string,
    text: string,
    flags: readonly string[] = [],
    internaldate = 1_329_758_899,
  ): Promise<number> {
    const name: MailboxName = { owner: session.identity.userid, path };
    const stage = session.stage(0);
    stage.write(Buffer.from(text.replace(/\r?\n/g, '\r\n'), 'latin1'));
    return (await session.append(name, [{ message: await stage.finish(), flags, internaldate }])).uids.min;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) if (!connection.closed) connection.hangUp();
    await this.store.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
