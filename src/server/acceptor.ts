/**
 * Accepting: every connection of a worker passes here on its way to its protocol.
 *
 * Invariants:
 * 1. Limits are checked before a protocol, a handshake or a buffer costs anything.
 * 2. A service with TLS from the first byte hands its protocol nothing before the handshake is done.
 * 3. After `stop()` nothing is accepted; connections that stand go on.
 */

import { createServer, type Server, type Socket } from 'node:net';
import type { Service } from '../config/services.ts';
import { limits } from '../limits.ts';
import type { Protocol } from '../net/service.ts';
import { SocketConnection } from '../net/socket.ts';
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
  /** Replaces limits.preauth_seconds in tests. */
  readonly preauthMs?: number;
}

export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #servers: Server[] = [];
  readonly #connections = new Set<SocketConnection>();
  readonly #perService = new Map<string, number>();
  readonly #strangers = new Strangers();

  constructor(options: AcceptorOptions) {
    this.#options = options;
  }

  /** Connections that stand. */
  get count(): number {
    return this.#connections.size;
  }

  /** Accepts on all sockets; resolves when each of them does. */
  async start(): Promise<void> {
    for (const listening of this.#options.listening) {
      const server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket, listening));
      this.#servers.push(server);
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ fd: listening.fd }, () => {
          server.removeListener('error', reject);
          // Too many open files and the like: this connection is lost, the next may succeed.
          server.on('error', (error) => {
            this.#options.log.error('accept failed', { service: listening.service.name, error });
          });
          resolve();
        });
      });
    }
  }

  /** Stops accepting. */
  stop(): void {
    for (const server of this.#servers) server.close();
  }

  /** Cuts everything that still stands. */
  cut(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  #accept(socket: Socket, listening: Listening): void {
    const { service, protocol } = listening;
    const connection = new SocketConnection(socket, {
      unixPath: listening.path,
      tls: () => this.#options.tls()?.parameters(service.name, protocol.alpn),
      admitted: () => {
        clearTimeout(timer);
        leave?.();
      },
      gone: () => {
        clearTimeout(timer);
        if (leave === undefined) return;
        leave();
        this.#connections.delete(connection);
        this.#perService.set(service.name, (this.#perService.get(service.name) ?? 1) - 1);
      },
    });
    const standing = this.#perService.get(service.name) ?? 0;
    const most = service.maxchild === 0 ? Infinity : Math.ceil(service.maxchild / this.#options.workers);
    const leave = standing >= most ? undefined : this.#strangers.enter(connection.remoteAddress);
    const timer = setTimeout(
      () => this.#late(connection, listening),
      this.#options.preauthMs ?? limits.preauth_seconds.value * 1000,
    );
    timer.unref();
    if (leave === undefined) {
      clearTimeout(timer);
      this.#options.log.info('connection refused', {
        service: service.name,
        rip: connection.remoteAddress || 'local',
        reason: standing >= most ? 'maxchild' : 'preauth_per_address',
      });
      // Nobody would read a line of plain text where TLS is expected.
      if (!service.tls) connection.write(protocol.busy);
      connection.end();
      return;
    }
    this.#perService.set(service.name, standing + 1);
    this.#connections.add(connection);
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
