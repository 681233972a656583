/** The socketmap over the real store, in one process and without sockets. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InterfaceDomains } from '../../src/auth/interface.ts';
import type { Service } from '../../src/config/services.ts';
import { makeSettings, type Settings } from '../../src/config/settings.ts';
import type { Protocol } from '../../src/net/service.ts';
import { createSmmap } from '../../src/smmap/protocol.ts';
import type { Store } from '../../src/store/border.ts';
import { openStore } from '../../src/store/open.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { MemoryConnection, type MemoryConnectionOptions } from '../imap/memory_connection.ts';

export class SmmapServer {
  readonly settings: Settings;
  readonly store: Store;
  readonly protocol: Protocol;
  readonly #folder: string;
  readonly #service: Service;

  private constructor(settings: Settings, store: Store, folder: string) {
    this.settings = settings;
    this.store = store;
    this.#folder = folder;
    this.protocol = createSmmap({
      settings,
      store,
      interfaces: new InterfaceDomains(settings),
      log: silentLog,
      patienceMs: 200,
    });
    const [service] = settings.services;
    if (service === undefined) throw new Error('no service');
    this.#service = service;
  }

  static async open(
    given: Partial<Settings> = {},
    wrap = (store: Store): Store => store,
  ): Promise<SmmapServer> {
    const folder = mkdtempSync(join(tmpdir(), 'mailstore-smmap-'));
    const settings = makeSettings({
      configdirectory: join(folder, 'lib'),
      partition: { default: join(folder, 'spool') },
      autocreatequota: -1,
      ...given,
    });
    return new SmmapServer(settings, wrap(await openStore(settings, silentLog, 'direct')), folder);
  }

  connect(options: MemoryConnectionOptions = { unix: true }): MemoryConnection {
    const connection = new MemoryConnection(options);
    this.protocol.accept(connection, this.#service);
    return connection;
  }

  /** One question on a connection of its own. */
  async ask(key: string, map = 'virtual'): Promise<string> {
    const connection = this.connect();
    const request = Buffer.from(`${map} ${key}`, 'utf8');
    connection.send(Buffer.concat([Buffer.from(`${request.length}:`), request, Buffer.from(',')]));
    const answer = await answerOf(connection);
    connection.hangUp();
    return answer;
  }

  async close(): Promise<void> {
    await this.store.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The next answer without its frame. */
export async function answerOf(connection: MemoryConnection): Promise<string> {
  const length = await connection.line(':');
  if (length === null) return '<closed>';
  const octets = await connection.bytes(Number(length) + 1);
  if (octets.at(-1) !== 0x2c) throw new Error(`no netstring: ${octets.toString('latin1')}`);
  return octets.toString('utf8').slice(0, -1);
}
