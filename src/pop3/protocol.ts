/** POP3 as a worker starts it (RFC 1939 §4): the greeting with APOP's timestamp, and the end of all connections. */

import { randomBytes } from '../crypto.ts';
import type { Settings } from '../config/settings.ts';
import type { Connection } from '../net/connection.ts';
import type { Protocol } from '../net/service.ts';
import { COMMANDS } from './commands/table.ts';
import { type Pop3Services, Pop3Session } from './session.ts';
import { err, ok } from './write.ts';

/** The POP3 protocol over this store. One per process. */
export function createPop3(services: Pop3Services): Protocol {
  const { settings, authenticator } = services;
  const sessions = new Set<Pop3Session>();
  return {
    // RFC 7301's registered name.
    alpn: 'pop3',
    accept(connection: Connection): void {
      const apop = settings.allowapop && authenticator.abilities.plain;
      const timestamp = apop
        ? `<${randomBytes(12).toString('base64url')}.${Date.now()}@${settings.servername}>`
        : '';
      const session = new Pop3Session(
        services,
        connection,
        COMMANDS,
        timestamp,
        () => sessions.delete(session),
      );
      sessions.add(session);
      connection.write(ok(greeting(settings, services.version, timestamp)));
    },
    busy: err('Too many connections, try again later', 'SYS/TEMP'),
    late: err('No login in time'),
    async shutdown(): Promise<void> {
      await Promise.all([...sessions].map((session) => session.shutdown()));
    },
  };
}

function greeting({ servername, serverinfo }: Settings, version: string, timestamp: string): string {
  const words = serverinfo === 'off'
    ? []
    : [servername, ...(serverinfo === 'on' ? ['mailstore', version] : [])];
  return [...words, 'POP3 server ready', ...(timestamp === '' ? [] : [timestamp])].join(' ');
}
