/** The protocols this program speaks: one row for each room, made once per worker. */

import type { Service } from '../config/services.ts';
import type { Settings } from '../config/settings.ts';
import type { Protocol } from '../net/service.ts';
import type { Deliverer } from '../delivery/deliverer.ts';
import type { InterfaceDomains } from '../auth/interface.ts';
import type { Authenticator } from '../auth/login.ts';
import type { Store } from '../store/border.ts';
import type { Log } from '../telemetry/log.ts';

/** What every protocol is made of. */
export interface ProtocolDeps {
  readonly settings: Settings;
  readonly store: Store;
  /** Brings messages to their recipients, over their scripts. */
  readonly deliverer: Deliverer;
  readonly authenticator: Authenticator;
  readonly interfaces: InterfaceDomains;
  readonly log: Log;
  readonly version: string;
}

export type ProtocolMaker = (deps: ProtocolDeps) => Promise<Protocol>;

/** Loaded only when a service speaks it. */
export const PROTOCOLS: Partial<Record<Service['protocol'], ProtocolMaker>> = {
  imap: async (deps) =>
    (await import('../imap/service.ts')).createImapService({ ...deps, events: deps.deliverer.events }),
  pop3: async (deps) => (await import('../pop3/protocol.ts')).createPop3(deps),
  'dovecot-auth': async (deps) => (await import('../authd/dovecot.ts')).createDovecotAuth(deps),
  saslauthd: async (deps) => (await import('../authd/saslauthd.ts')).createSaslauthd(deps),
  sieve: async (deps) => (await import('../managesieve/service.ts')).createManageSieveService(deps),
  smmap: async (deps) => (await import('../smmap/protocol.ts')).createSmmap(deps),
  notify: async (deps) => (await import('../notifyd/service.ts')).createNotifydService(deps),
  lmtp: async (deps) => (await import('../lmtp/protocol.ts')).createLmtp(deps),
};
