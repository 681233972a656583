/** What a worker's protocols stand on: the store, one check of logins, delivery. */

import { join } from 'node:path';
import { LoginGuard } from '../../auth/abuse/guard.ts';
import { Decoy } from '../../auth/decoy.ts';
import { Checkers } from '../../auth/checker/pool.ts';
import { configuredGroups } from '../../auth/groups/configured.ts';
import { EmbeddedSecrets } from '../../auth/secrets/embedded.ts';
import { HashCosts } from '../../auth/secrets/hashcosts.ts';
import { openSecrets } from '../../auth/secrets/open.ts';
import { storedHashes } from '../../auth/secrets/hashed.ts';
import { takesTokens } from '../../auth/oauth/users.ts';
import { InterfaceDomains } from '../../auth/interface.ts';
import { Authenticator } from '../../auth/login.ts';
import type { SecretSource } from '../../auth/secrets/source.ts';
import { learning } from '../../auth/secrets/transition.ts';
import { matchesFileHash } from '../../auth/secrets/userpassword.ts';
import type { Settings } from '../../config/settings.ts';
import { configuredMailer } from '../../outgoing/configured.ts';
import { asMailError, MailError } from '../../errors.ts';
import type { Protocol } from '../../net/service.ts';
import type { Store } from '../../store/border.ts';
import { DeferredStore } from '../../store/deferred.ts';
import { openStore } from '../../store/open.ts';
import { hasRight } from '../../store/rights.ts';
import type { Log } from '../../telemetry/log.ts';
import { version } from '../../version.ts';
import type { StartMessage } from '../control.ts';
import { PROTOCOLS } from '../protocols.ts';
import { selfCommand } from '../self.ts';
import type { AskLogins } from './role.ts';
import type { MadeProtocols } from './worker.ts';

/** The protocols of the configured services, over the store and one check of logins. */
export async function makeProtocols(
  { settings, loginKey }: StartMessage,
  log: Log,
  ask: AskLogins,
): Promise<MadeProtocols> {
  // Clients are greeted while the writer still recovers; logins and recipients wait for it.
  let closed = false;
  const store = new DeferredStore(openWhenThere(settings, log, () => closed));
  const interfaces = new InterfaceDomains(settings);
  const checkers = new Checkers([...selfCommand(), '--role=checker']);
  const learn = learning(settings, store.secrets, log);
  const secrets = new EmbeddedSecrets(store.secrets, {
    hashes: new HashCosts(
      (hash, password) => matchesFileHash(hash, password, checkers.crypt),
      () => storedHashes(store.secrets),
    ),
    ...(learn === undefined ? {} : { learn: learn.keep }),
  });
  const embedded: SecretSource = {
    abilities: secrets.abilities,
    verify: async (userid, password) => {
      await store.opened;
      return await secrets.verify(userid, password);
    },
    secret: async (userid) => {
      await store.opened;
      return await secrets.secret(userid);
    },
  };
  const guard = new LoginGuard({ settings, ask, key: Buffer.from(loginKey, 'base64') });
  const groups = configuredGroups(settings, checkers, log);
  const authenticator = new Authenticator({
    settings,
    source: await openSecrets(settings, { embedded, checkers, learn, log }),
    log,
    interfaces,
    guard,
    ...(takesTokens(settings)
      ? { tokens: (await import('../../auth/oauth/tokens.ts')).configuredTokens(settings) }
      : {}),
    groups,
    decoy: Decoy.at(join(settings.configdirectory, 'decoy')),
    ready: () => store.opened,
    administersInbox: (userid, target) => administersInbox(store, userid, target),
  });
  const { Deliverer } = await import('../../delivery/deliverer.ts');
  const deliverer = new Deliverer({ settings, store, mailer: configuredMailer(settings), log });
  const protocols = new Map<string, Protocol>();
  for (const { name, protocol } of settings.services) {
    if (protocols.has(protocol)) continue;
    const make = PROTOCOLS[protocol];
    if (make === undefined) {
      throw new MailError('server', 'config', `service ${name}: the protocol ${protocol} is not there`);
    }
    protocols.set(
      protocol,
      await make({ settings, store, deliverer, authenticator, interfaces, log, version }),
    );
  }
  return {
    protocols,
    ready: store.opened,
    guard,
    reload: () => groups.expire(),
    close: async () => {
      closed = true;
      checkers.close();
      await store.close();
    },
  };
}

/** `loginuseacl`: whether somebody may administer the INBOX of a user and so log in as that user. */
async function administersInbox(store: DeferredStore, userid: string, target: string): Promise<boolean> {
  await store.opened;
  try {
    const session = store.session({ userid, admin: false, groups: [] });
    return hasRight(session.info({ owner: target, path: '' }).rights, 'a');
  } catch (thrown) {
    if (asMailError(thrown).code === 'nonexistent') return false;
    throw thrown;
  }
}

/** The store as soon as the writer answers, however long its recovery takes. */
async function openWhenThere(settings: Settings, log: Log, closed: () => boolean): Promise<Store> {
  for (;;) {
    try {
      return await openStore(settings, log, 'server');
    } catch (error) {
      if (closed()) throw error;
      log.warn('still waiting for the writer', { error: asMailError(error) });
    }
  }
}
