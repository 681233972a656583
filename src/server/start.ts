/** From settings to a running server, step by step; each step fails with what to do about it. */

import type { Listen } from '../config/services.ts';
import type { Settings } from '../config/settings.ts';
import { asMailError } from '../errors.ts';
import { addressInUse, listen, type Listener, type ListenOptions, removeListener } from '../net/listen.ts';
import { checkTlsMaterial } from '../net/tlscheck.ts';
import { readTlsMaterial, tlsFingerprint } from '../net/tlsfiles.ts';
import { configuredMailer } from '../outgoing/configured.ts';
import { logLevel, type RootLog } from '../telemetry/log.ts';
import type { SelfCommand } from './child.ts';
import { checkWritable, makeFolders } from './folders.ts';
import { trafficClass } from './marking.ts';
import type { Notifier } from './notify.ts';
import { configuredAccount, dropPrivileges, forgetCapabilities } from './privilege.ts';
import { type ServiceListener, Supervisor } from './supervisor.ts';

export interface StartOptions {
  readonly settings: Settings;
  /** Reads the configuration again, for a reload. */
  readonly load: () => Settings;
  readonly command: SelfCommand;
  readonly log: RootLog;
  readonly notifier: Notifier;
  readonly allowNetworkFilesystem: boolean;
  /** Resolves when the server is asked to stop, which may be before it has started. */
  readonly stopAsked: Promise<void>;
  /** Replaces TLS_WATCH_MS in tests. */
  readonly tlsWatchMs?: number;
  /** For tests: see SupervisorOptions. */
  readonly pingMs?: number;
  readonly hungMs?: number;
}

/** A server that runs. */
export interface RunningServer {
  readonly supervisor: Supervisor;
  readonly listeners: readonly ServiceListener[];
  /** SIGHUP: reads configuration and certificates again; what cannot change while running is named in the log. */
  reload(): void;
  stop(): Promise<void>;
}

/** The server was asked to stop while it started. */
export class StoppedEarly extends Error {}

/** How often the files of the certificates are looked at. */
const TLS_WATCH_MS = 5000;

/**
 * What only workers would find out, who would be started again and again: expressions of Sieve's settings, the port of the mail
 * server. @throws MailError 'config'
 */
export async function checkForWorkers(settings: Settings): Promise<void> {
  configuredMailer(settings);
  // The language is loaded only where there is something to be wrong.
  if (settings.sieve_spamtest_status_header === '' && settings.sieve_virustest_status_header === '') return;
  (await import('../delivery/language.ts')).sieveSettings(settings);
}

const BIND_RETRY_MS = 2;
const BIND_PATIENCE_MS = 1500;

/** Starts the server; resolves when every role works. Throws MailError, with nothing left behind. */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const { settings, log, notifier } = options;
  await checkForWorkers(settings);
  const account = process.getuid?.() === 0 ? configuredAccount(settings) : undefined;
  if (process.getuid?.() === 0 && account === undefined) {
    log.warn('started as root and stays root: the configured user does not exist', {
      user: settings.user,
      remedy: `useradd --system --home-dir ${settings.configdirectory} ${settings.user}`,
    });
  }
  for (const path of makeFolders(settings, account, options.allowNetworkFilesystem)) {
    log.info('folder made', { path });
  }
  const tls = readTlsMaterial(settings);
  const listeners = await bindAll(settings, account?.name ?? '', log);
  try {
    if (account !== undefined) {
      const keeps = dropPrivileges(account, () => {
        try {
          readTlsMaterial(settings);
          return true;
        } catch {
          return false;
        }
      });
      log.info('changed user', {
        user: account.name,
        uid: account.uid,
        gid: account.gid,
        keeps_reading: keeps,
      });
    }
    // Root that stays root keeps its rights; anybody else needs none once the ports are bound.
    if (process.getuid?.() !== 0 && account === undefined) forgetCapabilities();
    checkWritable(settings);
  } catch (thrown) {
    for (const listener of listeners) removeListener(listener);
    throw thrown;
  }
  // From here on the listeners are the supervisor's.
  const { command, pingMs, hungMs } = options;
  const supervisor = new Supervisor({
    settings,
    command,
    listeners,
    tls,
    log,
    notifier,
    ...(pingMs === undefined ? {} : { pingMs }),
    ...(hungMs === undefined ? {} : { hungMs }),
  });
  try {
    // A long recovery is not waited for: the writer's successor begins it anew.
    await Promise.race([
      supervisor.start(() => checkTlsMaterial(tls)),
      options.stopAsked.then(() => Promise.reject(new StoppedEarly())),
    ]);
  } catch (thrown) {
    await supervisor.stop();
    throw thrown;
  }

  let seen = tlsFingerprint(settings);
  const refreshTls = (current: Settings) => {
    seen = tlsFingerprint(current);
    try {
      const material = readTlsMaterial(current);
      checkTlsMaterial(material);
      if (material !== undefined) {
        supervisor.setTls(material);
        log.info('certificates read again');
      }
    } catch (thrown) {
      log.error('new certificates cannot be used, the old ones stay', { error: asMailError(thrown) });
    }
  };
  const watch = tls === undefined ? undefined : setInterval(() => {
    if (tlsFingerprint(settings) !== seen) refreshTls(settings);
  }, options.tlsWatchMs ?? TLS_WATCH_MS);

  return {
    supervisor,
    listeners,
    reload: () => {
      supervisor.reload(() => {
        let fresh: Settings;
        try {
          fresh = options.load();
        } catch (thrown) {
          log.error('configuration not reloaded, the old one stays', { error: asMailError(thrown) });
          return;
        }
        supervisor.setLevel(logLevel(fresh.loglevel));
        refreshTls(settings);
        const waiting = needRestart(settings, fresh);
        if (waiting.length > 0) {
          log.warn('these settings change with a restart', { options: waiting.join(' ') });
        }
        log.info('reloaded');
      });
    },
    stop: async () => {
      clearInterval(watch);
      await supervisor.stop();
    },
  };
}

/**
 * Binds, waiting a moment for an address in use: the workers of a supervisor that was killed are being killed with
 * it, and hold it until they are gone.
 */
async function listenSoon(address: Listen, options: ListenOptions): Promise<Listener[]> {
  for (let waited = 0;; waited += BIND_RETRY_MS) {
    try {
      return await listen(address, options);
    } catch (thrown) {
      if (!addressInUse(thrown) || waited >= BIND_PATIENCE_MS) throw thrown;
    }
    await new Promise((resolve) => setTimeout(resolve, BIND_RETRY_MS));
  }
}

/** Options that differ and cannot change while the server runs. */
function needRestart(running: Settings, fresh: Settings): string[] {
  return (Object.keys(fresh) as (keyof Settings)[]).filter((name) =>
    name !== 'loglevel' && JSON.stringify(running[name]) !== JSON.stringify(fresh[name])
  );
}

/** Binds all services; a unix socket without an owner of its own belongs to the server's user. */
async function bindAll(settings: Settings, owner: string, log: RootLog): Promise<ServiceListener[]> {
  const listeners: ServiceListener[] = [];
  const mark = trafficClass(settings.qosmarking);
  try {
    for (const service of settings.services) {
      const address = service.listen.kind === 'unix' && service.listen.owner === ''
        ? { ...service.listen, owner }
        : service.listen;
      const datagrams = service.protocol === 'notify';
      for (
        const listener of await listenSoon(address, { service: service.name, trafficClass: mark, datagrams })
      ) {
        listeners.push({ ...listener, service: service.name });
        log.info('listening', { service: service.name, address: listener.text, tls: service.tls });
      }
    }
  } catch (thrown) {
    for (const listener of listeners) removeListener(listener);
    throw thrown;
  }
  return listeners;
}
