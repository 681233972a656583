/** POP3 over the real store, in one process and without sockets. */

import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authenticator, type AuthenticatorOptions } from '../../src/auth/login.ts';
import { makeSettings, type Settings } from '../../src/config/settings.ts';
import type { Protocol } from '../../src/net/service.ts';
import { createPop3 } from '../../src/pop3/protocol.ts';
import type { Store, StoreSession } from '../../src/store/border.ts';
import { openStore } from '../../src/store/open.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { passwords } from '../auth/passwords.ts';
import { MemoryConnection, type MemoryConnectionOptions } from '../imap/memory_connection.ts';

export const PASSWORD = 'secret';

export class Pop3Server {
  readonly settings: Settings;
  readonly store: Store;
  readonly protocol: Protocol;
  readonly #folder: string;
  readonly #connections: MemoryConnection[] = [];

  private constructor(
    settings: Settings,
    store: Store,
    folder: string,
    authentication: Partial<AuthenticatorOptions>,
  ) {
    this.settings = settings;
    this.store = store;
    this.#folder = folder;
    const authenticator = new Authenticator({
      settings,
      source: passwords(() => PASSWORD),
      log: silentLog,
      sleep: () => Promise.resolve(),
      ...authentication,
    });
    this.protocol = createPop3({ settings, store, authenticator, log: silentLog, version: '0.0.0' });
  }

  static async open(
    given: Partial<Settings> = {},
    authentication: Partial<AuthenticatorOptions> = {},
  ): Promise<Pop3Server> {
    const folder = mkdtempSync(join(tmpdir(), 'mailstore-pop3-'));
    const settings = makeSettings({
      servername: 'pop.nausch.org',
      serverinfo: 'min',
      allowplaintext: true,
      configdirectory: join(folder, 'lib'),
      partition: { default: join(folder, 'spool') },
      autocreatequota: -1,
      ...given,
    });
    return new Pop3Server(settings, await openStore(settings, silentLog, 'direct'), folder, authentication);
  }

  /** A new client that has read its greeting. */
  async connect(options: MemoryConnectionOptions = {}): Promise<Pop3Client> {
    const connection = new MemoryConnection(options);
    this.#connections.push(connection);
    const [service] = this.settings.services;
    if (service === undefined) throw new Error('no service');
    this.protocol.accept(connection, service);
    const client = new Pop3Client(connection);
    client.greeting = await client.answer();
    return client;
  }

  async login(user = 'django', options: MemoryConnectionOptions = {}): Promise<Pop3Client> {
    const client = await this.connect(options);
    await client.say(`USER ${user}`);
    client.greeting = await client.say(`PASS ${PASSWORD}`);
    return client;
  }

  async session(userid: string): Promise<StoreSession> {
    const session = this.store.session({ userid, admin: false, groups: [] });
    await session.login();
    return session;
  }

  /** Puts a message, as it is, into a mailbox. */
  async append(
    session: StoreSession,
    message: string | Buffer,
    path = '',
    flags: string[] = [],
  ): Promise<number> {
    const stage = session.stage(0);
    stage.write(typeof message === 'string' ? Buffer.from(message, 'latin1') : message);
    const name = { owner: session.identity.userid, path };
    const added = [{ message: await stage.finish(), flags, internaldate: 1_329_758_899 }];
    return (await session.append(name, added)).uids.min;
  }

  /** Takes the last byte of every message file away. */
  cutFiles(): void {
    const spool = join(this.#folder, 'spool');
    for (const name of readdirSync(spool, { recursive: true, encoding: 'utf8' })) {
      const path = join(spool, name);
      if (statSync(path).isFile()) truncateSync(path, statSync(path).size - 1);
    }
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) if (!connection.closed) connection.hangUp();
    await this.store.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export class Pop3Client {
  greeting = '';
  readonly connection: MemoryConnection;

  constructor(connection: MemoryConnection) {
    this.connection = connection;
  }

  send(text: string): void {
    this.connection.send(text);
  }

  /** The next line without its end; '<closed>' at the end. */
  async answer(): Promise<string> {
    return await this.connection.line() ?? '<closed>';
  }

  /** A command and its first line. */
  async say(command: string): Promise<string> {
    this.send(`${command}\r\n`);
    return await this.answer();
  }

  /** A command and the lines behind its +OK, up to the dot, as they were sent. */
  async lines(command: string): Promise<string[]> {
    const first = await this.say(command);
    if (!first.startsWith('+OK')) return [first];
    const lines: string[] = [];
    for (;;) {
      const line = await this.answer();
      if (line === '.' || line === '<closed>') return lines;
      lines.push(line);
    }
  }
}
