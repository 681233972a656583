/** LMTP as a worker starts it: greeting, trust, and the end of all its connections (RFC 2033). */

import type { Service } from '../config/services.ts';
import type { Connection } from '../net/connection.ts';
import type { Protocol } from '../net/service.ts';
import { version } from '../version.ts';
import { type LmtpServices, LmtpSession } from './session.ts';
import { Networks } from '../net/networks.ts';
import { renderReply, reply } from './write.ts';

/** The LMTP protocol over this store. One per process. */
export function createLmtp(services: LmtpServices): Protocol {
  const { settings } = services;
  const networks = new Networks(settings.lmtp_trusted_networks);
  const sessions = new Set<LmtpSession>();
  const greeting = renderReply(reply(220, '', greetingText(settings)));
  let emptied: (() => void) | null = null;

  return {
    // No registered ALPN name exists for LMTP; a client that asks for another protocol's is refused (ALPACA).
    alpn: 'lmtp',

    accept(connection: Connection, service: Service): void {
      const trusted = service.trusted || connection.unix || networks.includes(connection.remoteAddress);
      connection.write(greeting);
      const session = new LmtpSession(services, connection, trusted, () => {
        sessions.delete(session);
        if (sessions.size === 0) emptied?.();
      });
      sessions.add(session);
    },

    busy: renderReply(
      reply(421, '4.3.2', `${settings.servername} has too many connections, try again later`),
    ),
    late: renderReply(reply(421, '4.4.2', `${settings.servername} waited too long for authentication`)),

    shutdown(): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      emptied = resolve;
      for (const session of sessions) session.leave();
      if (sessions.size === 0) resolve();
      return promise;
    },
  };
}

/** RFC 5321 §4.3.1 begins with a domain; `serverinfo` decides how much more is told. */
function greetingText(settings: LmtpServices['settings']): string {
  switch (settings.serverinfo) {
    case 'off':
      return 'LMTP server ready';
    case 'min':
      return `${settings.servername} server ready`;
    default:
      return `${settings.servername} mailstore ${version} LMTP server ready`;
  }
}
