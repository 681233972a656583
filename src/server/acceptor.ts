/**
 * Accepting: every connection of a worker passes here on its way to its protocol.
 *
 * Invariants:
 * 1. Limits are checked before a protocol, a handshake or a buffer costs anything.
 * 2. A service with TLS from the first byte hands its protocol nothing before the handshake is done.
 * 3. After `stop()` nothing is accepted; connections that stand go on.
 */

import type { LoginGuard } from '../auth/abuse/guard.ts';
import type { Service } from '../config/services.ts';
import { limits } from '../limits.ts';
import { Networks } from '../net/networks.ts';
import type { Protocol } from '../net/service.ts';
import type { RawListener } from '../net/rawsocket.ts';
import { Roster } from '../net/roster.ts';
import { acceptConnections } from '../net/accept.ts';
import { receiveDatagrams } from '../net/datagram.ts';
import { type SocketConnection } from '../net/socket.ts';
import { Strangers } from '../net/strangers.ts';
import type { TlsContexts } from '../net/tls.ts';
import type { Log } from '../telemetry/log.ts';

/** One listening socket with what is spoken behind it. */
export interface Listening {
  readonly service: Service;
  readonly protocol: Protocol;
  readonly fd: number;
  /** Path of a unix socket, or ''. */
  readonly path: string;
}

export interface AcceptorOptions {
  readonly listening: readonly Listening[];
  readonly log: Log;
  /** Certificates as of now; undefined where none is configured. */
  readonly tls: () => TlsContexts | undefined;
  /** How many workers share the limits of a service. */
  readonly workers: number;
  /** Networks of proxies in front, for services with `proxy_protocol`. */
  readonly proxies?: readonly string[];
  /** Whether TLS may begin later, by STARTTLS (`allowstarttls`). */
  readonly startTls?: boolean;
  /** Told of every connection that begins and ends. */
  readonly guard?: LoginGuard;
  /** Resolves when logins can be answered; until then nobody's time to log in runs. Without it: at once. */
  readonly ready?: Promise<unknown>;
  /** Replaces limits.preauth_seconds in tests. */
  readonly preauthMs?: number;
}

/** A connection that has not authenticated. */
interface Stranger {
  readonly listening: Listening;
  /** When it is cut off; undefined while that cannot be said. */
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #listeners: Pick<RawListener, 'stop'>[] = [];
  /** All that stand, */
  readonly #connections = new Roster<'acceptedAt', SocketConnection>('acceptedAt');
  /** and those of them that have not authenticated. */
  readonly #unknown = new Map<SocketConnection, Stranger>();
  readonly #perService = new Map<string, number>();
  readonly #strangers = new Strangers();
  readonly #proxies: Networks;
  #stopped = false;
  #ready: boolean;

  constructor(options: AcceptorOptions) {
    this.#options = options;
    this.#proxies = new Networks(options.proxies ?? []);
    this.#ready = options.ready === undefined;
    options.ready?.then(() => this.#begin(), () => {});
  }

  /** Connections that stand. */
  get count(): number {
    return this.#connections.size;
  }

  /** Accepts on all sockets. */
  start(): void {
    for (const listening of this.#options.listening) {
      const { service, protocol, path } = listening;
      if (protocol.datagram !== undefined) {
        this.#listeners.push(receiveDatagrams(listening.fd, protocol.datagram));
        continue;
      }
      const options = {
        unixPath: path,
        startTls: this.#options.startTls ?? true,
        ...(service.proxy_protocol ? { proxy: (address: string) => this.#proxies.includes(address) } : {}),
        refused: (address: string, why: Error) =>
          this.#options.log.info('connection refused', { service: service.name, rip: address, reason: why }),
        tls: () => this.#options.tls()?.parameters(service.name, protocol.alpn),
        distrusted: (connection: SocketConnection, why: Error) =>
          this.#options.log.info('client certificate not accepted', {
            service: service.name,
            rip: connection.remoteAddress || 'local',
            reason: (why as { code?: string }).code,
            error: why,
          }),
        admitted: (connection: SocketConnection) => this.#admitted(connection),
        gone: (connection: SocketConnection) => this.#gone(connection, service.name),
      };
      this.#listeners.push(
        acceptConnections(
          { fd: listening.fd },
          options,
          (connection) => this.#accept(connection, listening),
        ),
      );
    }
  }

  /** Stops accepting. */
  stop(): void {
    this.#stopped = true;
    for (const listener of this.#listeners) listener.stop();
  }

  /** Cuts everything that still stands. */
  cut(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  #accept(connection: SocketConnection, listening: Listening): void {
    const { service, protocol } = listening;
    // A proxy may have taken its time to say whom it speaks for.
    if (this.#stopped) return connection.destroy();
    const standing = this.#perService.get(service.name) ?? 0;
    const most = service.maxchild === 0 ? Infinity : Math.ceil(service.maxchild / this.#options.workers);
    const full = standing >= most;
    if (full || !this.#strangers.enter(connection.remoteAddress)) {
      this.#options.log.info('connection refused', {
        service: service.name,
        rip: connection.remoteAddress || 'local',
        reason: full ? 'maxchild' : 'preauth_per_address',
      });
      // Nobody would read a line of plain text where TLS is expected.
      if (!service.tls) connection.write(protocol.busy);
      connection.end();
      return;
    }
    this.#perService.set(service.name, standing + 1);
    const stranger: Stranger = { listening, timer: undefined };
    this.#connections.add(connection);
    this.#unknown.set(connection, stranger);
    if (this.#ready) this.#time(connection, stranger);
    this.#options.guard?.opened(connection.id);
    if (connection.unix) connection.admit();
    if (!service.tls) {
      protocol.accept(connection, service);
      return;
    }
    connection.startTls().then(
      () => protocol.accept(connection, service),
      (error: Error) => {
        this.#options.log.info('TLS handshake failed', {
          service: service.name,
          rip: connection.remoteAddress || 'local',
          error,
        });
        connection.destroy();
      },
    );
  }

  /** Logins are answered from now on: the time of those who waited begins. */
  #begin(): void {
    this.#ready = true;
    for (const [connection, stranger] of this.#unknown) this.#time(connection, stranger);
  }

  #time(connection: SocketConnection, stranger: Stranger): void {
    stranger.timer = setTimeout(
      () => this.#late(connection, stranger.listening),
      this.#options.preauthMs ?? limits.preauth_seconds.value * 1000,
    );
    stranger.timer.unref();
  }

  #admitted(connection: SocketConnection): void {
    const stranger = this.#unknown.get(connection);
    if (stranger === undefined) return;
    clearTimeout(stranger.timer);
    this.#strangers.leave(connection.remoteAddress);
    this.#unknown.delete(connection);
  }

  #gone(connection: SocketConnection, service: string): void {
    if (!this.#connections.has(connection)) return;
    this.#admitted(connection);
    this.#connections.delete(connection);
    this.#options.guard?.closed(connection.id);
    this.#perService.set(service, (this.#perService.get(service) ?? 1) - 1);
  }

  #late(connection: SocketConnection, { service, protocol }: Listening): void {
    if (connection.closed) return;
    this.#options.log.info('connection closed', {
      service: service.name,
      rip: connection.remoteAddress || 'local',
      reason: 'not authenticated in time',
    });
    if (!service.tls || connection.secure) connection.write(protocol.late);
    connection.end();
  }
}
