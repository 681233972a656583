/** What the administrator's commands have in common: the store, opened as an administrator, and its names. */

import { canonicalUser } from '../auth/canonical.ts';
import { InterfaceDomains } from '../auth/interface.ts';
import type { Settings } from '../config/settings.ts';
import { makeFolders } from '../server/folders.ts';
import { configuredAccount, dropPrivileges } from '../server/privilege.ts';
import type { Identity, MailboxName, Store, StoreSession } from '../store/border.ts';
import { Namespace } from '../store/names.ts';
import { openStore } from '../store/open.ts';
import { acceptLogLoss, type LossReport } from '../store/reconstruct/acceptloss.ts';
import { createLog } from '../telemetry/log.ts';
import type { CommandIo } from './command.ts';
import { type Arguments, type configArguments, settingsFrom } from './options.ts';
import { openTerminal, type Terminal } from './terminal.ts';

/** What a test puts in the place of the real store and the real terminal. */
export interface Surroundings {
  /** The store of these settings: through the running server where there is one, else directly. */
  readonly open: (settings: Settings) => Promise<Store>;
  /** Gives up what cannot be read of these settings' log (reconstruct/acceptloss.ts). */
  readonly acceptLogLoss: (settings: Settings) => Promise<LossReport>;
  readonly terminal: () => Terminal | null;
}

/** The store and the terminal of this process. */
export const processSurroundings: Surroundings = {
  open(settings) {
    becomeServer(settings);
    return openStore(settings, createLog({ level: 'warn', journal: false }), 'either');
  },
  acceptLogLoss(settings) {
    becomeServer(settings);
    return acceptLogLoss(settings, createLog({ level: 'warn', journal: false }));
  },
  terminal: openTerminal,
};

/** As root this changes to the server's user, so that a store opened directly holds no file the server cannot write. */
export function becomeServer(settings: Settings): void {
  if (process.getuid?.() !== 0) return;
  const account = configuredAccount(settings);
  // On which file systems a store may lie, serve decides.
  makeFolders(settings, account, true);
  if (account !== undefined) dropPrivileges(account, () => true);
}

/** A command at work. */
export interface Administration {
  readonly settings: Settings;
  readonly store: Store;
  readonly session: StoreSession;
  readonly names: Namespace;
  readonly io: CommandIo;
  readonly terminal: Terminal | null;
}

/** Opens the store the options name, does the work, closes the store whatever happens. */
export async function administer(
  options: Pick<Arguments<typeof configArguments>, 'config' | 'imapdConf' | 'cyrusConf'>,
  io: CommandIo,
  surroundings: Surroundings,
  work: (administration: Administration) => Promise<number>,
): Promise<number> {
  const { settings } = settingsFrom(options);
  const store = await surroundings.open(settings);
  try {
    const identity = administrator(settings);
    return await work({
      settings,
      store,
      session: store.session(identity),
      names: new Namespace(settings, identity),
      io,
      terminal: surroundings.terminal(),
    });
  } finally {
    await store.close();
  }
}

/** Whoever may open the store's files is a global administrator: the first of `admins` without a domain, or root. */
export function administrator(settings: Settings): Identity {
  for (const admin of settings.admins) {
    if (!/[@%]/.test(admin)) {
      return { userid: canonicalUser(admin, settings, { interfaceDomain: '' }), admin: true, groups: [] };
    }
  }
  return { userid: 'root', admin: true, groups: [] };
}

/**
 * The userid an administrator means. One without a domain is completed as a login on this machine would be, so that
 * who is added here is who logs in there.
 */
export function useridFrom(text: string, settings: Settings): string {
  return canonicalUser(text, settings, { interfaceDomain: new InterfaceDomains(settings).fallback() });
}

/** The mailbox an administrator names: `user/django/Sent`, `user/django@nausch.org`, `staff`. */
export function mailboxFrom(text: string, { names }: Administration): MailboxName {
  return names.toInternal(text);
}
