/** The roles of this program, each loaded only in the process that has it. */

import { EmbeddedSecrets } from '../../auth/secrets/embedded.ts';
import { InterfaceDomains } from '../../auth/interface.ts';
import { Authenticator } from '../../auth/login.ts';
import { MailError } from '../../errors.ts';
import type { Protocol } from '../../net/service.ts';
import { openStore } from '../../store/open.ts';
import type { Log } from '../../telemetry/log.ts';
import { version } from '../../version.ts';
import type { StartMessage } from '../control.ts';
import { PROTOCOLS } from '../protocols.ts';
import type { RoleBody } from './role.ts';
import { type MadeProtocols, workerBody } from './worker.ts';

/** What a role does. */
export async function roleBody(role: StartMessage['role']): Promise<RoleBody> {
  switch (role) {
    case 'writer':
      return (await import('./writer.ts')).writerBody;
    case 'janitor':
      return (await import('./janitor.ts')).janitorBody;
    case 'worker':
      return workerBody(makeProtocols);
  }
}

/** The protocols of the configured services, over the store and one check of logins. */
async function makeProtocols({ settings }: StartMessage, log: Log): Promise<MadeProtocols> {
  const store = await openStore(settings, log, 'server');
  const interfaces = new InterfaceDomains(settings);
  const source = new EmbeddedSecrets(store.secrets);
  const authenticator = new Authenticator({ settings, source, log, interfaces });
  const protocols = new Map<string, Protocol>();
  for (const { name, protocol } of settings.services) {
    if (protocols.has(protocol)) continue;
    const make = PROTOCOLS[protocol];
    if (make === undefined) {
      throw new MailError('server', 'config', `service ${name}: the protocol ${protocol} is not there`);
    }
    protocols.set(protocol, await make({ settings, store, authenticator, interfaces, log, version }));
  }
  return { protocols, close: () => store.close() };
}
