/** The groups of an account of the system (NSS), for a process that may block. */

import { CString, type Pointer, ptr, read } from 'bun:ffi';
import { dlopen } from 'bun:ffi';
import type { CheckAnswer } from './protocol.ts';

const SYMBOLS = {
  getpwnam: { args: ['ptr'], returns: 'ptr' },
  getgrouplist: { args: ['ptr', 'u32', 'ptr', 'ptr'], returns: 'i32' },
  getgrgid: { args: ['u32'], returns: 'ptr' },
} as const;

/** The kernel's own bound (NGROUPS_MAX). */
const MOST = 65_536;

let loaded: ReturnType<typeof load> | undefined;

function load() {
  return dlopen('libc.so.6', SYMBOLS).symbols;
}

/** Names of the groups, one a line; none for who has no account. */
export function systemGroups(user: string): CheckAnswer {
  const libc = loaded ??= load();
  const name = Buffer.from(`${user}\0`);
  const account = libc.getpwnam(ptr(name));
  if (account === null) return { verdict: 'no', text: '' };
  // struct passwd { char *name, *passwd; uid_t uid; gid_t gid; ... }
  const group = read.u32(account as Pointer, 20);
  const ids = new Uint32Array(MOST);
  const count = new Int32Array([MOST]);
  if (libc.getgrouplist(ptr(name), group, ptr(ids), ptr(count)) < 0) {
    return { verdict: 'error', text: `${user} is in more than ${MOST} groups of the system` };
  }
  const names: string[] = [];
  for (const id of ids.subarray(0, count[0])) {
    const entry = libc.getgrgid(id);
    // struct group { char *name; ... }
    if (entry !== null) names.push(new CString(read.ptr(entry as Pointer, 0) as Pointer).toString());
  }
  return { verdict: 'yes', text: names.join('\n') };
}
