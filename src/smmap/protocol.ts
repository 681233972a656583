/** The socketmap as a worker starts it: smmapd's role. Whoever may ask learns who has a mailbox, so not everybody may. */

import type { Service } from '../config/services.ts';
import type { Connection } from '../net/connection.ts';
import { Networks } from '../net/networks.ts';
import type { Protocol } from '../net/service.ts';
import { type SmmapServices, SmmapSession } from './session.ts';

/** The socketmap over this store. One per process. */
export function createSmmap(services: SmmapServices): Protocol {
  const { settings, log } = services;
  const networks = new Networks(settings.lmtp_trusted_networks);
  const sessions = new Set<SmmapSession>();
  return {
    alpn: 'smmap',
    accept(connection: Connection, service: Service): void {
      if (!service.trusted && !connection.unix && !networks.includes(connection.remoteAddress)) {
        log.warn('connection refused', {
          service: service.name,
          rip: connection.remoteAddress,
          reason: 'not in lmtp.trusted_networks',
        });
        connection.destroy();
        return;
      }
      connection.admit();
      const session = new SmmapSession(services, connection, () => sessions.delete(session));
      sessions.add(session);
    },
    busy: '',
    late: '',
    async shutdown(): Promise<void> {
      await Promise.all([...sessions].map((session) => session.shutdown()));
    },
  };
}
