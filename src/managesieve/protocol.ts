/** ManageSieve as a worker starts it (RFC 5804 §1.7): the greeting, and the end of all connections. */

import type { Connection } from '../net/connection.ts';
import type { Protocol } from '../net/service.ts';
import { COMMANDS } from './commands/table.ts';
import { type ManageSieveServices, ManageSieveSession } from './session.ts';
import { bye } from './write.ts';

/** The ManageSieve protocol over this store. One per process. */
export function createManageSieve(services: ManageSieveServices): Protocol {
  const sessions = new Set<ManageSieveSession>();
  return {
    // RFC 7301's registered name.
    alpn: 'managesieve',
    accept(connection: Connection): void {
      const session = new ManageSieveSession(services, connection, COMMANDS, () => sessions.delete(session));
      sessions.add(session);
      session.announce();
    },
    busy: bye('Too many connections, try again later', 'TRYLATER'),
    late: bye('No login in time'),
    async shutdown(): Promise<void> {
      await Promise.all([...sessions].map((session) => session.shutdown()));
    },
  };
}
