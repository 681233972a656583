/** A worker: accepts on the inherited sockets and speaks the protocols. */

import type { LoginGuard } from '../../auth/abuse/guard.ts';
import { MailError } from '../../errors.ts';
import type { Protocol } from '../../net/service.ts';
import { TlsContexts } from '../../net/tls.ts';
import type { Log } from '../../telemetry/log.ts';
import { Acceptor, type Listening } from '../acceptor.ts';
import type { StartMessage } from '../control.ts';
import type { AskLogins, RoleBody } from './role.ts';

/** The protocols of a worker by name, and how to let go of what they stand on. */
export interface MadeProtocols {
  readonly protocols: ReadonlyMap<string, Protocol>;
  /** Resolves when logins can be answered. */
  readonly ready: Promise<unknown>;
  /** Told of every connection that begins and ends. */
  readonly guard?: LoginGuard;
  /** The administrator has asked for a reload. */
  readonly reload?: () => void;
  close(): Promise<void>;
}

/** How long clients get to be told and running commands to end. */
const SHUTDOWN_MS = 2500;

/** When the contexts of TLS are made if nobody has asked for them. */
const PREPARE_MS = 500;

/** A worker whose protocols come from `make`. */
export function workerBody(
  make: (start: StartMessage, log: Log, ask: AskLogins) => Promise<MadeProtocols>,
): RoleBody {
  return async (start, log, ask) => {
    let contexts = start.tls === null ? undefined : new TlsContexts(start.tls);
    const made = await make(start, log, ask);
    const services = new Map(start.settings.services.map((service) => [service.name, service]));
    const listening: Listening[] = start.sockets.map(({ service: name, fd, path }) => {
      const service = services.get(name);
      const protocol = service === undefined ? undefined : made.protocols.get(service.protocol);
      if (service === undefined || protocol === undefined) {
        throw new MailError('server', 'serverbug', `no protocol for the socket of service ${name}`);
      }
      return { service, protocol, fd, path };
    });
    const acceptor = new Acceptor({
      listening,
      log,
      workers: start.workers,
      ready: made.ready,
      tls: () => contexts,
      proxies: start.settings.proxy_networks,
      startTls: start.settings.allowstarttls,
      ...(made.guard === undefined ? {} : { guard: made.guard }),
    });
    acceptor.start();
    // Behind those who waited for the start, and before the first handshake where it comes later than they.
    setTimeout(() => contexts?.prepare(), PREPARE_MS).unref();
    return {
      tls: (material) => {
        contexts = new TlsContexts(material);
        contexts.prepare();
        log.info('certificates changed');
      },
      reload: () => made.reload?.(),
      stop: async () => {
        acceptor.stop();
        const patience = new Promise<void>((resolve) => setTimeout(resolve, SHUTDOWN_MS));
        await Promise.race([
          Promise.all([...made.protocols.values()].map((protocol) => protocol.shutdown())),
          patience,
        ]);
        acceptor.cut();
        await made.close();
      },
    };
  };
}
