/**
 * Giving up root. The supervisor alone may keep the right to read files, and only if a certificate's key asks for
 * it: keys that only root can read are then read again when they are renewed. No child inherits it.
 */

import { ptr } from 'bun:ffi';
import { readFileSync } from 'node:fs';
import type { Settings } from '../config/settings.ts';
import { MailError } from '../errors.ts';
import { errno, errnoName, libc, lookupGroup, lookupUser } from '../net/libc.ts';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** The configured user, or undefined where it does not exist. Throws MailError 'config' for an unknown group. */
export function configuredAccount(settings: Pick<Settings, 'user' | 'group'>): Account | undefined {
  const user = settings.user === '' ? undefined : lookupUser(settings.user);
  if (user === undefined) return undefined;
  const gid = settings.group === '' ? user.gid : lookupGroup(settings.group);
  if (gid === undefined) {
    throw new MailError('server', 'config', `option group: '${settings.group}' is no group of this machine`);
  }
  return { name: settings.user, uid: user.uid, gid };
}

const PR_SET_KEEPCAPS = 8;
/** _LINUX_CAPABILITY_VERSION_3 and the bit of CAP_DAC_READ_SEARCH (capabilities(7)). */
const CAPABILITY_VERSION = 0x20080522;
const CAP_DAC_READ_SEARCH = 1 << 2;

/** The lower half of the permitted set; root in a container often lacks the right to read every file. */
function permittedCapabilities(): number {
  const line = /^CapPrm:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return parseInt(line?.[1]?.slice(-8) ?? '0', 16);
}

/** Sets the capabilities of this thread. */
function setCapabilities(effective: number, permitted: number): void {
  // struct __user_cap_header_struct { u32 version; int pid; } and two of { u32 effective, permitted, inheritable }
  const header = new Uint32Array([CAPABILITY_VERSION, 0]);
  const data = new Uint32Array([effective, permitted, 0, 0, 0, 0]);
  if (libc().capset(ptr(header), ptr(data)) !== 0) {
    throw new MailError('server', 'serverbug', `capset failed: ${errnoName(errno())}`);
  }
}

/**
 * Changes to the account for good. Afterwards `readable` is asked whether the account can read what it needs; only
 * if not, this thread keeps the right to read every file. Answers whether it does.
 */
export function dropPrivileges(account: Account, readable: () => boolean): boolean {
  const may = permittedCapabilities() & CAP_DAC_READ_SEARCH;
  libc().prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
  const { initgroups } = process as unknown as { initgroups(user: string, group: number): void };
  initgroups.call(process, account.name, account.gid);
  process.setgid?.(account.gid);
  process.setuid?.(account.uid);
  if (process.getuid?.() !== account.uid || process.geteuid?.() !== account.uid) {
    throw new MailError('server', 'serverbug', `could not change to user ${account.name}`);
  }
  // The change of user has cleared what is effective; what is permitted shrinks to the one right that may be kept.
  setCapabilities(0, may);
  const kept = may !== 0 && !readable() ? may : 0;
  setCapabilities(kept, kept);
  return kept !== 0;
}

/** Lets go of the right to bind low ports that systemd has given (AmbientCapabilities), before anything is spawned. */
export function forgetCapabilities(): void {
  setCapabilities(0, 0);
}
