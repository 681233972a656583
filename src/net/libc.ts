/**
 * The few calls of the C library that node's API does not offer: sockets made before the processes that use
 * them, their options, sd_notify's datagram, statfs, prctl, the user database. Loaded on first use.
 *
 * Numbers are those of Linux's generic ABI, the same on x86_64 and aarch64, glibc and musl.
 */

import { CString, type Pointer, ptr, read } from 'bun:ffi';
import { dlopen } from 'bun:ffi';

const SYMBOLS = {
  socket: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
  bind: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
  listen: { args: ['i32', 'i32'], returns: 'i32' },
  connect: { args: ['i32', 'ptr', 'u32'], returns: 'i32' },
  sendto: { args: ['i32', 'ptr', 'u64', 'i32', 'ptr', 'u32'], returns: 'i64' },
  recv: { args: ['i32', 'ptr', 'u64', 'i32'], returns: 'i64' },
  setsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'u32'], returns: 'i32' },
  getsockopt: { args: ['i32', 'i32', 'i32', 'ptr', 'ptr'], returns: 'i32' },
  getsockname: { args: ['i32', 'ptr', 'ptr'], returns: 'i32' },
  close: { args: ['i32'], returns: 'i32' },
  fcntl: { args: ['i32', 'i32', 'i32'], returns: 'i32' },
  capset: { args: ['ptr', 'ptr'], returns: 'i32' },
  prctl: { args: ['i32', 'u64', 'u64', 'u64', 'u64'], returns: 'i32' },
  statfs: { args: ['ptr', 'ptr'], returns: 'i32' },
  getpwnam: { args: ['ptr'], returns: 'ptr' },
  getpwuid: { args: ['u32'], returns: 'ptr' },
  getgrnam: { args: ['ptr'], returns: 'ptr' },
  __errno_location: { args: [], returns: 'ptr' },
} as const;

function open() {
  const musl = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const names = ['libc.so.6', `libc.musl-${musl}.so.1`, `/lib/ld-musl-${musl}.so.1`, 'libc.so'];
  let last: unknown;
  for (const name of names) {
    try {
      return dlopen(name, SYMBOLS).symbols;
    } catch (thrown) {
      last = thrown;
    }
  }
  throw new Error(`no C library found (tried ${names.join(', ')})`, { cause: last });
}

let loaded: ReturnType<typeof open> | undefined;

/** The functions of the C library. */
export function libc(): ReturnType<typeof open> {
  return loaded ??= open();
}

/** The error number of the call that has just failed. */
export function errno(): number {
  const at = libc().__errno_location();
  return at === null ? 0 : read.i32(at, 0);
}

/** Names of the error numbers somebody can do something about. */
const ERRNO_NAMES: Readonly<Record<number, string>> = {
  1: 'EPERM',
  2: 'ENOENT',
  11: 'EAGAIN',
  13: 'EACCES',
  20: 'ENOTDIR',
  22: 'EINVAL',
  24: 'EMFILE',
  36: 'ENAMETOOLONG',
  97: 'EAFNOSUPPORT',
  98: 'EADDRINUSE',
  90: 'EMSGSIZE',
  99: 'EADDRNOTAVAIL',
  111: 'ECONNREFUSED',
};

export function errnoName(number: number): string {
  return ERRNO_NAMES[number] ?? `error ${number}`;
}

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_PEERCRED = 17;
export const IPPROTO_IP = 0;
export const IPPROTO_IPV6 = 41;
export const IP_TOS = 1;
export const IPV6_TCLASS = 67;
export const IPV6_V6ONLY = 26;
export const PR_SET_PDEATHSIG = 1;

/** Sets an int option of a socket; false with `errno()` set if the kernel refuses. */
export function setIntOption(fd: number, level: number, option: number, value: number): boolean {
  const bytes = new Int32Array([value]);
  return libc().setsockopt(fd, level, option, ptr(bytes), 4) === 0;
}

/** An int option of a socket, or -1. */
export function getIntOption(fd: number, level: number, option: number): number {
  const value = new Int32Array(1);
  const length = new Uint32Array([4]);
  return libc().getsockopt(fd, level, option, ptr(value), ptr(length)) === 0 ? value[0] as number : -1;
}

/** A C string. */
export function cstring(text: string): Buffer {
  return Buffer.from(text + '\0');
}

/** Numeric id of a user and its main group, from the system's user database (NSS), or undefined. */
export function lookupUser(name: string): { uid: number; gid: number } | undefined {
  const found = libc().getpwnam(ptr(cstring(name)));
  // struct passwd { char *name, *passwd; uid_t uid; gid_t gid; ... }
  return found === null
    ? undefined
    : { uid: read.u32(found as Pointer, 16), gid: read.u32(found as Pointer, 20) };
}

/** A user's home, from the system's user database, or undefined. */
export function homeOf(name: string): string | undefined {
  const found = libc().getpwnam(ptr(cstring(name)));
  // struct passwd { …; gid_t gid; char *gecos, *dir; … }
  return found === null ? undefined : new CString(read.ptr(found as Pointer, 32) as Pointer).toString();
}

/** The name of a user, from the system's user database, or undefined. */
export function userOf(uid: number): string | undefined {
  const found = libc().getpwuid(uid);
  return found === null ? undefined : new CString(read.ptr(found as Pointer, 0) as Pointer).toString();
}

/** Numeric id of a group, or undefined. */
export function lookupGroup(name: string): number | undefined {
  const found = libc().getgrnam(ptr(cstring(name)));
  // struct group { char *name, *passwd; gid_t gid; ... }
  return found === null ? undefined : read.u32(found as Pointer, 16);
}
