/** One LMTP session over a connection in memory, driven by a test. */

import type { OptionValues } from '../../src/config/options.ts';
import type { Service } from '../../src/config/services.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { Authenticator } from '../../src/auth/login.ts';
import { InterfaceDomains } from '../../src/auth/interface.ts';
import { Deliverer } from '../../src/delivery/deliverer.ts';
import type { Mailer } from '../../src/outgoing/envelope.ts';
import { createLmtp } from '../../src/lmtp/protocol.ts';
import type { Protocol } from '../../src/net/service.ts';
import { type Log, type LogFields, silentLog } from '../../src/telemetry/log.ts';
import type { Store } from '../../src/store/border.ts';
import { passwords } from '../auth/passwords.ts';
import { MemoryConnection, type MemoryConnectionOptions } from '../imap/memory_connection.ts';
import { FakeStore } from './fake_store.ts';

export interface LmtpOptions {
  readonly settings?: Partial<OptionValues>;
  /** `lmtpd -a` */
  readonly trustedService?: boolean;
  readonly mailer?: Mailer;
}

export interface PeerOptions extends LmtpOptions, MemoryConnectionOptions {
  readonly store?: FakeStore;
}

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly fields: LogFields;
}

/** A log that remembers. */
export function recordingLog(lines: LogLine[], bound: LogFields = {}): Log {
  const put = (level: string) => (event: string, fields?: LogFields) => {
    lines.push({ level, event, fields: { ...bound, ...fields } });
  };
  return {
    error: put('error'),
    warn: put('warn'),
    info: put('info'),
    debug: put('debug'),
    enabled: () => true,
    child: (fields) => recordingLog(lines, { ...bound, ...fields }),
  };
}

export const PASSWORD = 'secret';

/** Where nothing is meant to leave. */
const NO_MTA: Mailer = {
  send: ({ recipients }) =>
    Promise.resolve(
      recipients.map(({ address }) => ({ address, kind: 'temporary', status: '4.4.1', text: 'no MTA' })),
    ),
};

/** LMTP over a store, and a service it is configured by. */
export function lmtpFor(
  options: LmtpOptions & { readonly store: Store },
  log: Log = silentLog,
): { protocol: Protocol; service: Service } {
  const settings = makeSettings({
    servername: 'imap.nausch.org',
    serverinfo: 'min',
    virtdomains: 'off',
    maxmessagesize: 0,
    admins: ['cyrus'],
    ...options.settings,
  });
  const authenticator = new Authenticator({
    settings,
    source: passwords(() => PASSWORD),
    log,
    sleep: () => Promise.resolve(),
  });
  const interfaces = new InterfaceDomains(settings);
  const deliverer = new Deliverer({ settings, store: options.store, mailer: options.mailer ?? NO_MTA, log });
  const service: Service = {
    name: 'lmtp',
    protocol: 'lmtp',
    tls: false,
    trusted: options.trustedService ?? false,
    listen: { kind: 'tcp', host: '', port: 24, family: 'any' },
    maxchild: 0,
    proxy_protocol: false,
    tls_server_cert: '',
    tls_server_key: '',
    tls_client_ca_file: '',
    tls_client_ca_dir: '',
    tls_client_certs: '',
    tls_crl_file: '',
  };
  return {
    protocol: createLmtp({ settings, store: options.store, deliverer, authenticator, interfaces, log }),
    service,
  };
}

export class Peer {
  readonly connection: MemoryConnection;
  readonly store: FakeStore;
  readonly log: LogLine[] = [];
  readonly protocol: Protocol;

  constructor(options: PeerOptions = {}) {
    this.store = options.store ?? new FakeStore();
    const { protocol, service } = lmtpFor({ ...options, store: this.store }, recordingLog(this.log));
    this.protocol = protocol;
    this.connection = new MemoryConnection(options);
    this.protocol.accept(this.connection, service);
  }

  /** Sends bytes without waiting for anything. */
  send(data: string | Uint8Array): void {
    this.connection.send(data);
  }

  /** The next reply, its lines joined by LF; null when the connection ended before. */
  async reply(): Promise<string | null> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.connection.line();
      if (line === null) return null;
      lines.push(line);
      if (line[3] !== '-') return lines.join('\n');
    }
  }

  /** Sends a line and answers the reply. */
  async say(line: string): Promise<string | null> {
    this.send(`${line}\r\n`);
    return await this.reply();
  }

  /** Greeting and LHLO are over. */
  async greet(): Promise<this> {
    await this.reply();
    await this.say('LHLO client.example.org');
    return this;
  }

  /** Several replies. */
  async replies(count: number): Promise<(string | null)[]> {
    const all: (string | null)[] = [];
    for (let index = 0; index < count; index++) all.push(await this.reply());
    return all;
  }

  /** Everything answered until the connection is closed by the server. */
  async rest(): Promise<string[]> {
    const all: string[] = [];
    for (let next = await this.reply(); next !== null; next = await this.reply()) all.push(next);
    return all;
  }
}

/** A peer that has said MAIL and RCPT and DATA and got its 354. */
export async function peerInData(options: PeerOptions = {}, recipients = ['django']): Promise<Peer> {
  const peer = await new Peer(options).greet();
  await peer.say('MAIL FROM:<michael@nausch.org>');
  for (const recipient of recipients) await peer.say(`RCPT TO:<${recipient}>`);
  await peer.say('DATA');
  return peer;
}
