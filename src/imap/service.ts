/** The IMAP room as a worker plugs it in. */

import type { Service } from '../config/services.ts';
import type { Connection } from '../net/connection.ts';
import { Roster } from '../net/roster.ts';
import type { Protocol } from '../net/service.ts';
import { makeFacts } from './facts.ts';
import { CommandLoop } from './loop.ts';
import { type ImapDeps, type ImapShared, Session } from './session.ts';

/** Everything a worker needs to serve IMAP. One per process. */
export function createImapService(deps: ImapDeps): Protocol {
  const loops = new Roster<'standsAt', CommandLoop>('standsAt');
  const shared: ImapShared = { ...deps, facts: makeFacts() };
  let stopping = false;
  return {
    alpn: 'imap',
    busy: '* BYE [UNAVAILABLE] Too many connections, try again later\r\n',
    late: '* BYE Autologout; no login in time\r\n',
    accept(connection: Connection, service: Service): void {
      const session = new Session(connection, service, shared);
      if (stopping) {
        session.bye('Server shutting down', 'UNAVAILABLE');
        return;
      }
      new CommandLoop(session, loops).start();
    },
    async shutdown(): Promise<void> {
      stopping = true;
      await Promise.all([...loops].map((loop) => loop.shutdown()));
    },
  };
}
