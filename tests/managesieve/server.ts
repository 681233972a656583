/** ManageSieve over the real store, in one process and without sockets. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authenticator, type AuthenticatorOptions } from '../../src/auth/login.ts';
import type { Service } from '../../src/config/services.ts';
import { makeSettings, type Settings } from '../../src/config/settings.ts';
import type { Language } from '../../src/managesieve/language.ts';
import { createManageSieve } from '../../src/managesieve/protocol.ts';
import type { Protocol } from '../../src/net/service.ts';
import type { Diagnostic } from '../../src/sieve/diagnostic.ts';
import type { Store } from '../../src/store/border.ts';
import { openStore } from '../../src/store/open.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { passwords } from '../auth/passwords.ts';
import { MemoryConnection, type MemoryConnectionOptions } from '../imap/memory_connection.ts';

export const PASSWORD = 'secret';

/** Says what a script wants to have said: lines `#error text` and `#warning text`. */
export const LANGUAGE: Language = {
  extensions: ['fileinto', 'vacation'],
  maxRedirects: 4,
  notify: ['mailto'],
  lists: [],
  check(script): Diagnostic[] {
    return Buffer.from(script).toString('utf8').split('\n').flatMap((text, at) => {
      const [, severity, said] = /^#(error|warning) (.*?)\r?$/.exec(text) ?? [];
      if (severity === undefined || said === undefined) return [];
      return [{ severity: severity === 'error' ? 'error' : 'warning', line: at + 1, column: 1, text: said }];
    });
  },
};

export class SieveServer {
  readonly settings: Settings;
  readonly store: Store;
  readonly protocol: Protocol;
  readonly #folder: string;
  readonly #service: Service;

  private constructor(
    settings: Settings,
    store: Store,
    folder: string,
    authentication: Partial<AuthenticatorOptions>,
    language: Language,
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
    this.protocol = createManageSieve({
      settings,
      store,
      authenticator,
      language,
      log: silentLog,
      version: '0.0.0',
    });
    const [service] = settings.services;
    if (service === undefined) throw new Error('no service');
    this.#service = service;
  }

  static async open(
    given: Partial<Settings> = {},
    authentication: Partial<AuthenticatorOptions> = {},
    language = LANGUAGE,
  ): Promise<SieveServer> {
    const folder = mkdtempSync(join(tmpdir(), 'mailstore-sieve-'));
    const settings = makeSettings({
      servername: 'sieve.nausch.org',
      allowplaintext: true,
      configdirectory: join(folder, 'lib'),
      partition: { default: join(folder, 'spool') },
      autocreatequota: -1,
      admins: ['cyrus'],
      ...given,
    });
    const store = await openStore(settings, silentLog, 'direct');
    return new SieveServer(settings, store, folder, authentication, language);
  }

  /** A new client that has read its greeting. */
  async connect(options: MemoryConnectionOptions = {}): Promise<SieveClient> {
    const connection = new MemoryConnection(options);
    this.protocol.accept(connection, this.#service);
    const client = new SieveClient(connection);
    client.greeting = await client.answer();
    return client;
  }

  async login(user = 'django', options: MemoryConnectionOptions = {}, as = ''): Promise<SieveClient> {
    const client = await this.connect(options);
    const response = Buffer.from(`${as}\0${user}\0${PASSWORD}`).toString('base64');
    const answer = await client.say(`AUTHENTICATE "PLAIN" "${response}"`);
    if (!answer.startsWith('OK')) throw new Error(answer);
    return client;
  }

  async close(): Promise<void> {
    await this.store.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export class SieveClient {
  greeting = '';
  readonly connection: MemoryConnection;

  constructor(connection: MemoryConnection) {
    this.connection = connection;
  }

  send(text: string | Uint8Array): void {
    this.connection.send(text);
  }

  /** All lines of an answer up to OK, NO or BYE as they were sent, latin1, without the last line end; '<closed>' at the end. */
  async answer(): Promise<string> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.line();
      lines.push(line);
      if (/^(?:OK|NO|BYE)\b/.test(line) || line === '<closed>') return lines.join('\r\n');
    }
  }

  /** A line with the literals in it. */
  async line(): Promise<string> {
    let whole = '';
    for (;;) {
      const line = await this.connection.line();
      if (line === null) return '<closed>';
      whole += line;
      const literal = /\{(\d+)\}$/.exec(line);
      if (literal === null) return whole;
      whole += `\r\n${(await this.connection.bytes(Number(literal[1]))).toString('latin1')}`;
    }
  }

  async say(command: string): Promise<string> {
    this.send(`${command}\r\n`);
    return await this.answer();
  }

  /** PUTSCRIPT with the script as a literal. */
  put(name: string, script: string | Uint8Array): Promise<string> {
    const bytes = Buffer.from(script);
    this.send(`PUTSCRIPT "${name}" {${bytes.length}+}\r\n`);
    this.send(bytes);
    return this.say('');
  }
}
